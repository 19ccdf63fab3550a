#!/usr/bin/env bash
# Builds the unit tests and the fuzzers' corpora under ASan+UBSan, and under TSan, and runs them whole;
# SANITIZERS names one of the presets. Closes with `N passed, N failed`. Slow to build: not part of CI.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1
passed=0
failed=0
for preset in ${SANITIZERS:-asan-ubsan tsan}; do
  cmake --preset "$preset" >/dev/null && cmake --build --preset "$preset" || exit 1
  mkdir -p "build/$preset/reports"
  for program in "build/$preset/bin"/unit_* "build/$preset/bin"/corpus_*; do
    name=$(basename "$program")
    report=build/$preset/reports/$name
    echo "== $preset $name"
    "$program" -r xml -o "$report.xml" >"$report.log" 2>&1
    code=$?
    [ "$code" -eq 0 ] || grep -E -A 20 'ERROR|WARNING: ThreadSanitizer|runtime error' "$report.log" | head -60
    read -r p f < <(python3 scripts/count_tests.py "$report.xml" "$code")
    passed=$((passed + p))
    failed=$((failed + f))
    echo "   $p passed, $f failed"
  done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
