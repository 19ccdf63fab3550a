#!/usr/bin/env bash
# Attacks the webhook as it is installed, from many addresses of the loopback, while good clients go on; looks
# whether one of these is hindered, memory grows or a descriptor stays: tests/hostile/README.md. As root.
#
#   HOSTILE_SECONDS  of each attack (8)               HOSTILE_ONLY    only attacks whose names hold this
#   HOSTILE_PROGRAM  the webhook (a release build)    HOSTILE_GROWTH  MB that its memory may grow by (32; 0: any)
#   HOSTILE_OUT      where the tables go (docs/results/soak-hostile.md; empty: nowhere)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench-lib.sh
. scripts/bench-lib.sh

out=${HOSTILE_OUT-docs/results/soak-hostile.md}
bin=$PWD/build/hostile

# Runs with the environment of tests/cluster/apiserver.
Inside() {
  local folder=$1 code=0
  PrepareCluster
  kubectl -n shm-system create secret tls shm-operator-webhook-tls --cert="$folder/tls.crt" --key="$folder/tls.key" >/dev/null
  kubectl apply --server-side -f tests/bench/services.yaml >/dev/null
  ulimit -n "$(ulimit -Hn)"
  "$bin/hostile" -program "${HOSTILE_PROGRAM:-$bin/shm-webhook}" -most-growth "${HOSTILE_GROWTH:-32}" -folder "$folder" -seconds "${HOSTILE_SECONDS:-8}" \
    -only "${HOSTILE_ONLY:-}" -out "$folder/tables.md" >"$folder/stdout" || code=$?
  [ ! -e "$folder/tables.md" ] || {
    Head
    cat "$folder/tables.md"
  } | if [ -n "$out" ]; then tee "$out"; else cat; fi
  return "$code"
}

Head() {
  cat <<T
# Hostile peers

Written by \`make soak-hostile\` on $(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown). How it is done:
[tests/hostile/README.md](../../tests/hostile/README.md).

- machine: $(nproc) cores of $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), which webhook, API server, attackers and good clients share; load
  average at the end: $(cut -d' ' -f1-3 /proc/loadavg)
T
}

if [ "${1:-}" = --inside ]; then
  Inside "$2"
  exit
fi
tests/cluster/build.sh control-plane >/dev/null
[ -n "${HOSTILE_PROGRAM:-}" ] || BuildRelease shm-webhook
mkdir -p "$bin"
(cd tests/hostile && GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$bin/hostile" .)
folder=$(mktemp -d "${TMPDIR:-/tmp}/shm-hostile.XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/other"
MakePair "$folder"
MakePair "$folder/other"
tests/cluster/apiserver run -- scripts/soak-hostile.sh --inside "$folder"
