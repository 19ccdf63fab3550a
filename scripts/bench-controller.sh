#!/usr/bin/env bash
# Measures the operator at scale beside the same controller written with controller-runtime, in one run: tables on
# stdout and in docs/results/bench-controller.md. Nothing is asserted: a bar that is missed is said.
#
#   BENCH_OBJECTS  InferenceServices that are there (10000)        BENCH_ROUNDS  of starts, bursts and stores (3)
#   BENCH_BURST    InferenceServices that are made at once (1000)  BENCH_OUT     where the tables go
#   BENCH_STEADY_SECONDS  without a change (300)
#
# BENCH_OBJECTS=500 BENCH_BURST=100 BENCH_STEADY_SECONDS=10 BENCH_ROUNDS=1 makes a run of a minute or two.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench-lib.sh
. scripts/bench-lib.sh

out=${BENCH_OUT:-docs/results/bench-controller.md}

BuildAll() {
  tests/cluster/build.sh control-plane >/dev/null
  BuildRelease shm-operator bench_store
  BuildGo scale ./scale
  BuildGo peer-controller ./peers/controller
}

Inside() {
  local folder=$1
  KUBECONFIG=$folder/ours/kubeconfig PrepareCluster
  KUBECONFIG=$folder/peers/kubeconfig PrepareCluster
  Facts "The controllers at scale" bench-controller "all, which they share with the API servers and the driver" >"$folder/head.md"
  "$bin/scale" -bin "$bin" -folder "$folder" -cluster "$folder/ours" -peer-cluster "$folder/peers" \
    -objects "${BENCH_OBJECTS:-10000}" -burst "${BENCH_BURST:-1000}" -rounds "${BENCH_ROUNDS:-3}" \
    -steady "${BENCH_STEADY_SECONDS:-300}" -out "$folder/tables.md"
  Publish "$folder" "$out"
}

if [ "${1:-}" = --inside ]; then
  Inside "$2"
  exit
fi
BuildAll
folder=$(mktemp -d "${TMPDIR:-/tmp}/shm-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
# A cluster each, so that each finds its own children, and the same number of objects.
tests/cluster/apiserver run "$folder/ours" -- tests/cluster/apiserver run "$folder/peers" -- \
  scripts/bench-controller.sh --inside "$folder"
