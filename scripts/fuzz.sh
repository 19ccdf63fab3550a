#!/usr/bin/env bash
# Runs every fuzzer over its corpus for FUZZ_SECONDS each (60), under ASan and UBSan. New inputs stay in
# build/fuzz/corpus; a crash leaves its input in build/fuzz and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
for program in build/fuzz/bin/*_fuzzer; do
  name=$(basename "$program" _fuzzer)
  found=build/fuzz/corpus/$name
  mkdir -p "$found"
  echo "== $name"
  log=build/fuzz/$name.log
  code=0
  "$program" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/ "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1 || code=$?
  grep -E '^stat::(number_of_executed_units|peak_rss_mb)|ERROR|SUMMARY|Test unit written' "$log" || true
  [ "$code" -eq 0 ] || exit "$code"
done
