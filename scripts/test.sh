#!/usr/bin/env bash
# Runs tiers of tests (unit, integration, soak, e2e) and closes with `N passed, N failed`, counted from
# the test programs' own reports. Installs, builds and starts what a tier needs.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# What a program is started by: the integration tier puts an API server around it.
launcher=()
passed=0
failed=0

# Runs one Catch2 program and adds its test cases to the totals. A program that ends without a
# report (a crash, a sanitizer) counts as one failure.
run_program() {
  local program=$1 report
  shift
  report=build/reports/$(basename "$program").xml
  mkdir -p build/reports
  rm -f "$report"
  echo "== $(basename "$program")"
  "${launcher[@]}" "$program" "$@" -r xml -o "$report"
  local code=$?
  read -r p f < <(python3 scripts/count_tests.py "$report" "$code")
  passed=$((passed + p))
  failed=$((failed + f))
  echo "   $p passed, $f failed"
}

run_script() {
  echo "== $*"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

build_dev() {
  make --no-print-directory build
}

unit() {
  local program
  for program in build/dev/bin/unit_* build/dev/bin/corpus_*; do run_program "$program"; done
  local check
  for check in tests/checks/*_test.py tests/soak/*_test.py tests/admission_soak/*_test.py tests/validation/*_test.py tests/docs/names_test.py tests/gitops/*_test.py tests/helm_matrix/*_test.py; do run_script python3 "$check"; done
}

# On the API server that SHM_CLUSTER_KUBERNETES says, with what Catch is told.
integration_on() {
  local programs
  programs=$(tests/cluster/build.sh control-plane helm kustomize) || return 1
  launcher=(tests/cluster/apiserver run --)
  run_program build/dev/bin/integration_tests "$@"
  launcher=()
  PATH=$programs:$PATH run_script tests/cluster/apiserver run -- python3 tests/integration/manifests_test.py
}

integration() {
  integration_on || return 1
  PATH=$(tests/cluster/build.sh control-plane kustomize):$PATH run_script tests/tools/tools_test.py
}

# Cases that need more than the oldest Kubernetes that we support has, each with the reason.
oldest_lacks=(
  "a pod with nothing but a claim is sized by its ResourceClaimTemplate | resource.k8s.io/v1 is served since 1.34"
  "a claim for all devices of a node is a warning that says how to give the number | resource.k8s.io/v1 is served since 1.34"
  "both programs get their lists as streams, none in pages | the API server does not stream lists (WatchList) unless it is told to"
)

# The integration tests once more, on the oldest kube-apiserver that we support.
oldest() {
  local row name names without=()
  names=$(build/dev/bin/integration_tests --list-test-names-only)  # its exit code is their number
  for row in "${oldest_lacks[@]}"; do
    name=${row%% | *}
    grep -Fxq "$name" <<<"$names" || { echo "oldest: there is no case '$name'"; return 1; }
    echo "   left out: $name (${row#* | })"
    without+=("~${name//,/\\,}")
  done
  SHM_CLUSTER_KUBERNETES=kubernetes-oldest integration_on "${without[@]}"
}

# Five rounds, which hold every kind of fault once. With this seed they take a minute and a half.
soak() {
  SOAK_ROUNDS=5 SOAK_SEED=9 SOAK_BIN_DIR=build/dev/bin SOAK_OUT='' run_script scripts/soak.sh
}

# Every disturbance once, while pods are made as fast as they are in a big cluster. It installs the chart
# with values of its own.
soak_admission() {
  SOAK_CLUSTER=$SHM_CLUSTER_DIR SOAK_PODS=2000 SOAK_RATE=25 SOAK_SHORT=yes SOAK_OUT='' run_script scripts/soak-admission.sh
}

e2e() {
  # The programs that the other tiers tested; a release build would cost as much again.
  export SHM_CLUSTER_DIR=$PWD/build/e2e-cluster SHM_BIN_DIR=$PWD/build/dev/bin
  trap 'tests/cluster/down >/dev/null' EXIT
  start_test_cluster || return 1
  soak_admission
  install_operator || return 1
  run_program build/dev/bin/e2e_tests
  # What the e2e tests have uninstalled, the docs install.
  kubectl delete crd inferenceservices.shm-operator.dev && kubectl delete namespace "$namespace" --ignore-not-found || return 1
  run_script tests/docs/docs_test.py run
  run_script tests/image/image_test.py
  SOAK_QUICK=yes SOAK_OUT='' SOAK_CLUSTER=$SHM_CLUSTER_DIR run_script scripts/soak-helm.sh
  run_script tests/cluster/down
  trap - EXIT
}

build_dev || { failed=1; set --; }
for tier in "$@"; do
  "$tier" || { echo "$tier: could not be run"; failed=$((failed + 1)); }
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
