#!/usr/bin/env bash
# Measures the webhook under load against its peers, in one run: tables on stdout and in docs/results/bench-webhook.md.
# Nothing is asserted: a bar that is missed is said.
#
#   BENCH_SECONDS  of each measurement (1; 0.2 makes a short run)     BENCH_ROUNDS  of all of them (5)
#   BENCH_SERVICES InferenceServices to reflect at the end (10000)    BENCH_OUT     where the tables go
#   BENCH_PRELOAD  also measure the webhook with this library preloaded, an allocator say
#
# On four cores or more the servers have two, and the load generator the others.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench-lib.sh
. scripts/bench-lib.sh

root=$PWD
out=${BENCH_OUT:-docs/results/bench-webhook.md}

BuildAll() {
  tests/cluster/build.sh control-plane >/dev/null
  BuildRelease shm-webhook bench_echo
  BuildGo load ./load
  BuildGo peer-maps ./peers/maps
  BuildGo peer-controller-runtime ./peers/controllerruntime
}

# The CPUs that this process may use, one a line.
Cpus() {
  taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}

Inside() {
  local folder=$1 servers='' cpus
  FillCluster "$folder"
  mapfile -t cpus < <(Cpus)
  if [ ${#cpus[@]} -ge 4 ]; then
    servers=${cpus[0]},${cpus[1]}
    taskset -cp "$(IFS=, && echo "${cpus[*]:2}")" $$ >/dev/null
  fi
  Facts "The webhook under load" bench-webhook "${servers:-all, which they share with the load generator}" >"$folder/head.md"
  "$bin/load" -bin "$bin" -certificates "$folder" -folder "$folder" -server-cpus "$servers" -seconds "${BENCH_SECONDS:-1}" \
    -rounds "${BENCH_ROUNDS:-5}" -fill "${BENCH_SERVICES:-10000}" -preload "${BENCH_PRELOAD:-}" -out "$folder/tables.md" >/dev/null
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
tests/cluster/apiserver run -- "$root/scripts/bench.sh" --inside "$folder"
