#!/usr/bin/env bash
# Measures what the webhook adds to a pod's creation on a real API server, beside a floor, its peers and a policy of the API
# server's own, and how the time to answer grows with the pod: tables on stdout and in docs/results/bench-admission.md.
# Nothing is asserted: a bar that is missed is said.
#
#   BENCH_CREATES  pods that each variant meets (2000)     BENCH_SEED     of the order of the variants (1)
#   BENCH_ROUNDS   of all variants (5)                     BENCH_SECONDS  of each measurement of growth (0.5)
#   BENCH_OUT      where the tables go
#
# BENCH_CREATES=200 BENCH_SECONDS=0.1 makes a run of a minute or two.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench-lib.sh
. scripts/bench-lib.sh

out=${BENCH_OUT:-docs/results/bench-admission.md}

BuildAll() {
  tests/cluster/build.sh control-plane >/dev/null
  BuildRelease shm-webhook bench_echo
  BuildGo admission ./admission
  BuildGo peer-maps ./peers/maps
  BuildGo peer-controller-runtime ./peers/controllerruntime
}

Inside() {
  local folder=$1
  FillCluster "$folder"
  kubectl apply --server-side -f tests/bench/admission/policy.yaml >/dev/null
  Facts "What the webhook adds to a pod's creation" bench-admission "all, which they share with the API server, etcd and the client" >"$folder/head.md"
  "$bin/admission" -bin "$bin" -certificates "$folder" -folder "$folder" -cluster "$folder/cluster" -install deploy/install.yaml \
    -creates "${BENCH_CREATES:-2000}" -rounds "${BENCH_ROUNDS:-5}" -seed "${BENCH_SEED:-1}" -seconds "${BENCH_SECONDS:-0.5}" \
    -out "$folder/tables.md"
  Publish "$folder" "$out"
}

if [ "${1:-}" = --inside ]; then
  Inside "$2"
  exit
fi
BuildAll
folder=$(mktemp -d "${TMPDIR:-/tmp}/shm-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
MakePair "$folder"
tests/cluster/apiserver run "$folder/cluster" -- scripts/bench-admission.sh --inside "$folder"
