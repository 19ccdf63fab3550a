#!/usr/bin/env bash
# Flux's kustomize-controller and cert-manager on a node of its own, and Argo CD's rules by hand: whether the operator is
# quiet under them, comes back, and serves throughout. tests/gitops/README.md. As root.
#
#   SOAK_PARTS    of flux,argocd,cert-manager (all)
#   SOAK_RENEWALS of a certificate, in each of two ways (5)
#   SOAK_OUT      where the tables go (docs/results/soak-gitops.md; empty: nowhere)
#   SHM_BIN_DIR   our programs (a release build)
#   SOAK_KEEP     yes: the cluster goes on running, in build/soak-gitops-cluster
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

scripts/install-deps.sh build cluster gitops
PATH=$(tests/cluster/build.sh gitops):$PATH
export SHM_CLUSTER_DIR=$PWD/build/soak-gitops-cluster SHM_CLUSTER_GPUS=64
[ -n "${SOAK_KEEP:-}" ] || trap 'tests/cluster/down' EXIT
start_test_cluster

flags=(--state "$SHM_CLUSTER_DIR" --work build/soak-gitops --renewals "${SOAK_RENEWALS:-5}")
[ -z "${SOAK_PARTS:-}" ] || flags+=(--parts "$SOAK_PARTS")
out=${SOAK_OUT-docs/results/soak-gitops.md}
[ -z "$out" ] || flags+=(--out "$out")
python3 tests/gitops "${flags[@]}"
