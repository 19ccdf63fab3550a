#!/usr/bin/env bash
# Measures what watchNamespaces costs each program, against a real API server without load: a table on stdout.
# Nothing is asserted.
#
#   BENCH_NAMESPACES  how many, one after the other; 0 is all of the cluster, by one watch a kind ("0 1 10 20 50")
#   SHM_BIN_DIR       programs to measure (build/release/bin, which is built then)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench-lib.sh
. scripts/bench-lib.sh

sizes=${BENCH_NAMESPACES:-0 1 10 20 50}
bin=${SHM_BIN_DIR:-build/release/bin}
port=18471

if [ "${1:-}" != --inside ]; then
  tests/cluster/build.sh control-plane >/dev/null
  if [ -z "${SHM_BIN_DIR:-}" ]; then
    scripts/build-release.sh shm-operator shm-webhook >&2
  fi
  exec tests/cluster/apiserver run -- scripts/bench-namespaces.sh --inside
fi

List() { seq -s, -f 'bench-%g' 1 "$1"; }

# Milliseconds of CPU that a process has had.
Cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print int(($14 + $15) * 1000 / hz) }' "/proc/$1/stat"; }

Field() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }

# `Measure PROGRAM COUNT`: one row. Synced is when the cache is listed; the rest is taken ten seconds later.
Measure() {
  local program=$1 count=$2 began pid synced
  local flags=(--kubeconfig "$KUBECONFIG" --namespace shm-system --health-port "$port")
  [ "$program" = shm-operator ] || flags+=(--port 0)
  [ "$count" = 0 ] || flags+=("--watch-namespaces=$(List "$count")")
  began=$(date +%s%N)
  "$bin/$program" "${flags[@]}" >"$log" 2>&1 &
  pid=$!
  until curl -s "http://127.0.0.1:$port/readyz" | grep -q '+\]cache'; do
    kill -0 "$pid"
    sleep 0.02
  done
  synced=$((($(date +%s%N) - began) / 1000000))
  local cpu
  cpu=$(Cpu "$pid")
  sleep 10
  local sockets
  sockets=$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)
  printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$program" "$count" "$(Field "$pid" Threads)" "$sockets" \
    "$(($(Field "$pid" VmRSS) / 1024))" "$synced" "$cpu" "$(($(Cpu "$pid") - cpu))"
  kill "$pid"
  wait "$pid" || true
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
PrepareCluster
most=0
for size in $sizes; do [ "$size" -le "$most" ] || most=$size; done
for ((i = 1; i <= most; i++)); do
  printf '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"bench-%s"}}\n---\n' "$i"
done | kubectl create -f - >/dev/null

echo '| program | namespaces (0: all) | threads | sockets | RSS, MiB | listed after, ms | CPU until then, ms | CPU of the next 10 s, ms |'
echo '|---|---|---|---|---|---|---|---|'
for program in shm-operator shm-webhook; do
  for size in $sizes; do Measure "$program" "$size"; done
done
