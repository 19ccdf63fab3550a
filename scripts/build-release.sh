#!/usr/bin/env bash
# Builds the programs as they are released, in build/release: `scripts/build-release.sh [TARGET...]`. What
# answers reviews is compiled by how it went in a run over the golden pods (docs/adr/0011-profile-of-reviews.md),
# so those rooms are compiled twice.
set -euo pipefail
cd "$(dirname "$0")/.."

Train() {
  local folder=build/profile
  cmake --preset profile >/dev/null
  cmake --build --preset profile
  if [ "$folder/bin/train_profile" -ot "$folder/trained" ] &&
    [ -z "$(find tests/data/golden -newer "$folder/trained" -print -quit)" ]; then
    return
  fi
  find "$folder" -name '*.gcda' -delete
  if ! "$folder/bin/train_profile" tests/data/golden 2>"$folder/training.log"; then
    tail -n 5 "$folder/training.log" >&2
    find "$folder" -name '*.gcda' -delete
    return 1
  fi
  touch "$folder/trained"
}

Train
cmake --preset release >/dev/null
cmake --build --preset release ${1:+--target "$@"}
