#!/usr/bin/env bash
# Creates pods on a node of its own while everything around the webhook changes, and counts those that
# are refused or come out unsized: tests/admission_soak/README.md. As root.
#
#   SOAK_PODS     how many, at least (20000)         SOAK_SEED  of disturbances and pods (1)
#   SOAK_RATE     pods a second, at most (14)        SOAK_OUT   where the tables go (docs/results/soak-admission.md; empty: nowhere)
#   SHM_BIN_DIR   our programs (a release build)     SOAK_SHORT yes: no pauses, and certificates that change within seconds
#   SOAK_CLUSTER  the state of a test cluster to use as it is, with the image loaded, instead of one of its own
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

use_soak_cluster "$PWD/build/soak-admission-cluster"

times=(--set certificates.caPropagation=30 --set certificates.caOverlap=60)
pause=10
if [ -n "${SOAK_SHORT:-}" ]; then
  times=(--set certificates.caPropagation=2 --set certificates.caOverlap=3)
  pause=0
fi
# A refusal is to be seen where there is one: both entries fail. A leader needs another to take over.
helm_flags=(--set webhook.failurePolicy.labelled=Fail --set webhook.failurePolicy.namespace=Fail
  --set webhook.replicas=2 --set operator.replicas=2 "${times[@]}")
install_operator

flags=(--state "$SHM_CLUSTER_DIR" --pods "${SOAK_PODS:-20000}" --seed "${SOAK_SEED:-1}" --rate "${SOAK_RATE:-14}"
  --longest-pause "$pause" --build "$(build_name)")
out=${SOAK_OUT-docs/results/soak-admission.md}
[ -z "$out" ] || flags+=(--out "$out")
python3 tests/admission_soak "${flags[@]}"
