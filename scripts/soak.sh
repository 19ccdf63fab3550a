#!/usr/bin/env bash
# Hurts a real control plane and two replicas of the operator, round after round, and looks each time
# whether every InferenceService has exactly what it should: tests/soak/README.md. As root.
#
#   SOAK_ROUNDS   how many (100)                    SOAK_SEED  of faults and operations (1)
#   SOAK_BIN_DIR  our programs (build/release/bin)  SOAK_OUT   where the tables go (docs/results/soak.md; empty: nowhere)
#   SOAK_SECONDS  begin no round after that (no limit)
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || {
  echo "error: must be root, for namespaces of processes and networks" >&2
  exit 1
}
export PATH=$PATH:/usr/sbin:/sbin
programs=${SOAK_BIN_DIR:-}
if [ -z "$programs" ]; then
  scripts/build-release.sh shm-operator shm-webhook >&2
  programs=build/release/bin
fi
binaries=$(tests/cluster/build.sh control-plane kube-controller-manager)

# etcd's data are on a disk, as fsync means nothing elsewhere.
mkdir -p build/soak
folder=$(mktemp -d "$PWD/build/soak/XXXXXX")
flags=(--rounds "${SOAK_ROUNDS:-100}" --seed "${SOAK_SEED:-1}" --folder "$folder" --binaries "$binaries"
  --programs "$(realpath "$programs")" --build "$(basename "$(dirname "$(realpath "$programs")")")")
out=${SOAK_OUT-docs/results/soak.md}
[ -z "$out" ] || flags+=(--out "$out")
[ -z "${SOAK_SECONDS:-}" ] || flags+=(--most-seconds "$SOAK_SECONDS")

# The kernel ends the processes, the networks and the mounts with the first process, whatever that
# dies of, and unshare kills that when it dies itself.
code=0
setpriv --pdeathsig KILL unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
  bash -c 'mount -t tmpfs tmpfs /run && mkdir /run/netns && exec python3 tests/soak "$@"' soak "${flags[@]}" || code=$?
if [ "$code" = 0 ]; then
  rm -rf "$folder"
else
  echo "soak: the logs are in $folder/log" >&2
fi
exit "$code"
