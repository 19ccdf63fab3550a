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

root=$PWD
bin=${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/bench
out=${BENCH_OUT:-docs/results/bench-webhook.md}

# Go knows itself what is built already.
BuildGo() {
  (cd tests/bench && GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$bin/$1" "$2")
}

BuildAll() {
  tests/cluster/build.sh control-plane >/dev/null

  cmake --preset release >/dev/null
  cmake --build --preset release --target shm-webhook bench_echo >&2
  mkdir -p "$bin"
  BuildGo load ./load
  BuildGo peer-maps ./peers/maps
  BuildGo peer-controller-runtime ./peers/controllerruntime
  cp build/release/bin/shm-webhook build/release/bin/bench_echo "$bin/"
}

# The serving pair, for the Secret that the webhook reflects and for the peers.
MakePair() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=webhook.bench.svc \
    -addext subjectAltName=DNS:webhook.bench.svc,IP:127.0.0.1 -keyout "$1/tls.key" -out "$1/tls.crt" 2>/dev/null
}

# What the reviews speak of. Runs with the environment of tests/cluster/apiserver.
FillCluster() {
  kubectl apply --server-side -f crds/ >/dev/null
  kubectl wait --for=condition=Established crd/inferenceservices.shm-operator.dev >/dev/null
  kubectl create namespace shm-system >/dev/null
  kubectl -n shm-system create secret tls shm-operator-webhook-tls --cert="$1/tls.crt" --key="$1/tls.key" >/dev/null
  kubectl apply --server-side -f tests/bench/services.yaml >/dev/null
}

# The CPUs that this process may use, one a line.
Cpus() {
  taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}

Facts() {
  local model k8s
  model=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)
  k8s=$(sed -n 's|^\s*k8s.io/api \(v[^ ]*\).*|\1|p' tests/bench/go.mod | head -n 1)
  cat <<T
# The webhook under load

Written by \`make bench\` on $(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown).

- machine: $(nproc) cores of $model, $(awk '/MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, Linux $(uname -r); load average before: $(cut -d' ' -f1-3 /proc/loadavg)
- servers on CPUs: ${1:-all, which they share with the load generator}
- $(g++ --version | head -n 1), $(openssl version | cut -d' ' -f1,2), $(go version | cut -d' ' -f3), controller-runtime $(awk '$1 == "sigs.k8s.io/controller-runtime" || $2 == "sigs.k8s.io/controller-runtime" {print $NF; exit}' tests/bench/go.mod), k8s.io/api $k8s
- what is measured, and how: [tests/bench/README.md](../../tests/bench/README.md)

T
}

Inside() {
  local folder=$1 servers='' cpus
  FillCluster "$folder"
  mapfile -t cpus < <(Cpus)
  if [ ${#cpus[@]} -ge 4 ]; then
    servers=${cpus[0]},${cpus[1]}
    taskset -cp "$(IFS=, && echo "${cpus[*]:2}")" $$ >/dev/null
  fi
  Facts "$servers" >"$folder/head.md"
  "$bin/load" -bin "$bin" -certificates "$folder" -folder "$folder" -server-cpus "$servers" -seconds "${BENCH_SECONDS:-1}" \
    -rounds "${BENCH_ROUNDS:-5}" -fill "${BENCH_SERVICES:-10000}" -preload "${BENCH_PRELOAD:-}" -out "$folder/tables.md" >/dev/null
  mkdir -p "$(dirname "$out")"
  cat "$folder/head.md" "$folder/tables.md" | tee "$out"
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
