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

use_soak_cluster "$PWD/build/soak-helm-cluster"

flags=(--state "$SHM_CLUSTER_DIR" --rate "${SOAK_RATE:-10}" --only "${SOAK_ONLY:-}"
  --build "$(build_name)")
if [ -n "${SOAK_QUICK:-}" ]; then
  flags+=(--quick)
else
  PATH=$(tests/cluster/build.sh helm4):$PATH
fi
out=${SOAK_OUT-docs/results/soak-helm.md}
[ -z "$out" ] || flags+=(--out "$out")
python3 tests/helm_matrix "${flags[@]}"
