# shellcheck shell=bash
# How the scripts of the whole-node cluster find it: its state, its name, its first process. Sourced after lib.sh.
#
# A cluster lives in a process, a network and a mount namespace of its own. Their first process runs
# node.sh; when it is killed the kernel ends everything inside, and the mounts and the network go too.

# The state directory, absolute: ${SHM_CLUSTER_DIR:-build/cluster}.
StateDir() { realpath -m "${SHM_CLUSTER_DIR:-$(dirname "${BASH_SOURCE[0]}")/../../build/cluster}"; }

# Whether a directory is, or may become, the state of a cluster: it may be removed then.
IsState() { [ ! -e "$1" ] || [ -f "$1/.test-cluster" ] || [ -z "$(ls -A "$1")" ]; }

# A name that two clusters do not share: of the outer end of the veth pair (15 characters at most), and
# of the parent cgroup of the pods.
NameOf() {
  local hash
  hash=$(sha256sum <<<"$1")
  echo "shm${hash:0:8}"
}

# The id, outside, of the first process of the cluster with that name; fails if there is none. It is
# looked for by what it runs, so that a cluster whose state directory was deleted is found as well.
FindNode() {
  local process ids
  for process in $(pgrep -f "node\\.sh $1( |\$)"); do
    ids=$(sed -n 's/^NSpid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null) || continue
    [ "${ids##*[[:space:]]}" = 1 ] && [ "$ids" != 1 ] && echo "$process" && return 0
  done
  return 1
}

# Runs a command with the mounts of the cluster whose first process is $1, and there in its network.
Inside() {
  local process=$1
  shift
  nsenter --target "$process" --mount --net -- "$@"
}

# Every mounted cgroup hierarchy: one under version 2, one a controller under version 1.
CgroupRoots() { awk '$(NF - 2) ~ /^cgroup2?$/ { print $5 }' /proc/self/mountinfo | sort -u; }
