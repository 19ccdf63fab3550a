#!/usr/bin/env bash
# Everything that can be told from the sources alone, or by rendering them. Prints one line a check.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

failed=0
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok    $name"
    grep '^  skipped' <<<"$output"
  else
    echo "FAIL  $name"
    printf '%s\n' "$output" | sed 's/^/      /' | tail -40
    failed=$((failed + 1))
  fi
}

format() { git ls-files '*.cc' '*.h' | xargs clang-format --dry-run --Werror; }
shell() { git ls-files '*.sh' '.ci/run' 'tests/cluster/*' | xargs grep -lE '^#!.*(ba)?sh|shellcheck shell' | xargs shellcheck -x; }
python() { git ls-files '*.py' | xargs python3 -m py_compile; }
charts() {
  PATH=$(tests/cluster/build.sh helm):$PATH
  helm lint --strict charts/shm-operator
}
chart_values() {
  PATH=$(tests/cluster/build.sh helm):$PATH
  python3 tests/chart/chart_test.py
}
overlays() {
  PATH=$(tests/cluster/build.sh helm kubectl):$PATH
  python3 tests/chart/kustomize_test.py
}
valid() {
  PATH=$(tests/cluster/build.sh helm kubectl kubeconform):$PATH
  python3 tests/validation/validate.py
}
yaml() { git ls-files '*.yaml' '*.yml' | grep -vE '^charts/[^/]+/templates/|^tests/docs/fixtures/chart/templates/|^tests/(data|fuzz/corpus|chart/golden)/' | xargs yamllint -s -c .yamllint; }
thread_safety() { cmake --preset thread-safety && cmake --build --preset thread-safety; }
# In C++20 the pointer itself dies before the first round. scripts/sanitize.sh found four of these.
range_for() { ! git grep -nE 'for \([^;]* : \*[^;()]*\(' -- '*.cc' '*.h'; }
# value() returns a copy, which items() outlives. One ended the operator in each rotation.
items_of_copy() { ! git ls-files '*.cc' '*.h' | xargs grep -Pzl 'for \([^;{]*\bvalue\([^;{]*\)\s*\.items\(\)\)'; }
# Likewise an element of what a call returned. scripts/sanitize.sh found one, in a test.
element_of_temporary() { ! git grep -nE 'for \([^;]* : [^;()]*\(.*\)\[[^;]*\]\)' -- '*.cc' '*.h'; }
one_version() { [ "$(cat VERSION)" = "$(sed -n 's/^version: //p' charts/shm-operator/Chart.yaml)" ]; }
check "format (clang-format)" format
check "rooms include only downwards" python3 scripts/check_rooms.py
check "docs/metrics.md says what the sources have" python3 scripts/check_metrics.py
check "thread safety (clang -Wthread-safety)" thread_safety
check "no range-for over what a temporary points to" range_for
check "no items() of what value() returns" items_of_copy
check "no range-for over an element of a temporary" element_of_temporary
check "shell scripts (shellcheck)" shell
check "python scripts compile" python
check "yaml (yamllint)" yaml
check "version is one" one_version
check "docs/sizing.md and its plot are what was measured" python3 scripts/plot_sizing.py --check
check "the chart's README has every value" python3 scripts/chart_readme.py --check
check "generated manifests are up to date" scripts/render-manifests.sh --check
check "chart (helm lint)" charts
check "chart (values, rights, golden renders)" chart_values
check "kustomize overlays are what the chart makes" overlays
check "manifests are valid in the oldest and in the newest Kubernetes (kubeconform, strict)" valid
if [ "$failed" -gt 0 ]; then
  echo "$failed checks failed"
  exit 1
fi
echo "all checks passed"
