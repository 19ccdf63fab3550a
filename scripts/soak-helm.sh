#!/usr/bin/env bash
# Installs, upgrades, rolls back and removes the operator in each way that is documented, by Helm 3, Helm 4
# and kubectl, while pods are created: tests/helm_matrix/README.md. As root.
#
#   SOAK_QUICK    yes: once by Helm 3 and once by kubectl, and no pods meanwhile
#   SOAK_RATE     pods a second, at most (10)        SOAK_ONLY  ways whose name has this in it, such as "Helm 4"
#   SHM_BIN_DIR   our programs (a release build)     SOAK_OUT   where the tables go (docs/results/soak-helm.md; empty: nowhere)
#   SOAK_CLUSTER  the state of a test cluster to use, with the image loaded, instead of one of its own; what is
#                 installed there is removed, and what is installed last stays
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

if [ -n "${SOAK_CLUSTER:-}" ]; then
  # shellcheck disable=SC1091
  . "$SOAK_CLUSTER/env"
else
  export SHM_CLUSTER_DIR=$PWD/build/soak-helm-cluster
  trap 'tests/cluster/down' EXIT
  start_test_cluster
fi

flags=(--state "$SHM_CLUSTER_DIR" --rate "${SOAK_RATE:-10}" --only "${SOAK_ONLY:-}"
  --build "$(basename "$(dirname "$(realpath -m "${SHM_BIN_DIR:-build/release/bin}")")")")
if [ -n "${SOAK_QUICK:-}" ]; then
  flags+=(--quick)
else
  PATH=$(tests/cluster/build.sh helm4):$PATH
fi
out=${SOAK_OUT-docs/results/soak-helm.md}
[ -z "$out" ] || flags+=(--out "$out")
python3 tests/helm_matrix "${flags[@]}"
