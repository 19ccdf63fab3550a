#!/usr/bin/env bash
# Runs every fuzzer from its corpus for FUZZ_SECONDS each (600), under ASan and UBSan; FUZZERS names some
# of them. NAME.dict beside a target holds words that its inputs are made of. New inputs stay in
# build/fuzz/corpus; a crash leaves its input in build/fuzz and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset fuzz >/dev/null
targets=()
for name in ${FUZZERS:-}; do targets+=(--target "${name}_fuzzer"); done
cmake --build --preset fuzz "${targets[@]}"
for seeds in build/fuzz/seeds/*; do
  name=$(basename "$seeds")
  [[ " ${FUZZERS:-$name} " = *" $name "* ]] || continue
  program=build/fuzz/bin/${name}_fuzzer
  mapfile -t folders <"$seeds"
  words=()
  [ ! -f "tests/fuzz/$name.dict" ] || words=(-dict="tests/fuzz/$name.dict")
  found=build/fuzz/corpus/$name
  mkdir -p "$found"
  echo "== $name"
  log=build/fuzz/$name.log
  code=0
  "$program" -max_total_time="${FUZZ_SECONDS:-600}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$name-" "${words[@]}" "$found" "${folders[@]}" >"$log" 2>&1 || code=$?
  grep -E '^stat::(number_of_executed_units|peak_rss_mb)|ERROR|SUMMARY|Test unit written' "$log" || true
  [ "$code" -eq 0 ] || { tail -n 5 "$log" >&2; exit "$code"; }
done
