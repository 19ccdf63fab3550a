#!/usr/bin/env bash
# Builds everything under ASan+UBSan, and under TSan, and runs all of it: unit tests and the fault
# table, the fuzzers' corpora, and the integration tests, whose operator and webhook are sanitized
# too, on a real API server. SANITIZERS names one of the presets, SUITES some of `unit integration load`;
# `load`, which is not run unless it is named, has the webhook attacked and loaded as tests/hostile/README.md
# says, LOAD_SECONDS (3) for each attack, while its certificate and what it reflects change.
# What a sanitizer has to say, of whichever process, is a file in build/PRESET/findings, and each
# file is a failure. Closes with `N passed, N failed`. Slow (docs/results/sanitizers.md): not in CI.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

passed=0
failed=0

# Options of the programs of one preset, and of the programs that they start.
set_options() {
  local log=$PWD/build/$1/findings/report
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1:log_path=$log
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:log_path=$log
  export TSAN_OPTIONS=second_deadlock_stack=1:suppressions=$PWD/tests/support/tsan.supp:log_path=$log
}

# `run_program PRESET NAME [LAUNCHER...]`
run_program() {
  local preset=$1 name=$2 report=build/$1/reports/$2 began=$SECONDS
  shift 2
  echo "== $preset $name"
  "$@" "build/$preset/bin/$name" -r xml -o "$report.xml" >"$report.log" 2>&1
  local code=$?
  read -r p f < <(python3 scripts/count_tests.py "$report.xml" "$code")
  passed=$((passed + p))
  failed=$((failed + f))
  echo "   $p passed, $f failed, $((SECONDS - began)) s"
}

unit() {
  local program
  for program in "build/$1/bin"/unit_* "build/$1/bin"/corpus_*; do run_program "$1" "$(basename "$program")"; done
}

# Everything takes longer there: so may what the tests wait for.
integration() {
  tests/cluster/build.sh control-plane >/dev/null || return 1
  SHM_TEST_SLOWNESS=4 run_program "$1" integration_tests tests/cluster/apiserver run --
}

# Under a sanitizer memory says nothing.
load() {
  local log=build/$1/reports/load.log began=$SECONDS
  echo "== $1 load"
  if HOSTILE_PROGRAM=$PWD/build/$1/bin/shm-webhook HOSTILE_SECONDS=${LOAD_SECONDS:-3} HOSTILE_GROWTH=0 HOSTILE_OUT='' \
    scripts/soak-hostile.sh >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 20 "$log"
  fi
  echo "   $((SECONDS - began)) s"
}

# What the suites need is built: for `load` alone, the webhook.
build() {
  local targets=()
  [ "${SUITES:-}" != load ] || targets=(--target shm-webhook)
  cmake --preset "$1" >/dev/null && cmake --build --preset "$1" "${targets[@]}"
}

count_findings() {
  local finding count=0
  for finding in "build/$1/findings"/*; do
    [ -e "$finding" ] || continue
    count=$((count + 1))
    echo "-- $finding"
    head -40 "$finding"
  done
  echo "== $1: $count findings"
  failed=$((failed + count))
}

for preset in ${SANITIZERS:-asan-ubsan tsan}; do
  build "$preset" || exit 1
  mkdir -p "build/$preset/reports"
  rm -rf "build/$preset/findings"
  mkdir "build/$preset/findings"
  set_options "$preset"
  for suite in ${SUITES:-unit integration}; do
    "$suite" "$preset" || { echo "$suite: could not be run"; failed=$((failed + 1)); }
  done
  count_findings "$preset"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
