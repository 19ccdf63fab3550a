# shellcheck shell=bash
# What the benchmarks share. Expects the repository's root as the working directory.

bin=${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/bench

# `BuildGo NAME PACKAGE`. Go knows itself what is built already.
BuildGo() {
  mkdir -p "$bin"
  (cd tests/bench && GOWORK=off GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build -mod=readonly -trimpath -o "$bin/$1" "$2")
}

# `BuildRelease TARGET...`: programs of the release build.
BuildRelease() {
  local target
  scripts/build-release.sh "$@" >&2
  mkdir -p "$bin"
  for target in "$@"; do cp "build/release/bin/$target" "$bin/"; done
}

# `Facts TITLE MAKE-TARGET CPUS`: the head of a file of results.
Facts() {
  local model k8s
  model=$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)
  k8s=$(sed -n 's|^\s*k8s.io/api \(v[^ ]*\).*|\1|p' tests/bench/go.mod | head -n 1)
  cat <<T
# $1

Written by \`make $2\` on $(date -u +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown).

- machine: $(nproc) cores of $model, $(awk '/MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, Linux $(uname -r); load average before: $(cut -d' ' -f1-3 /proc/loadavg)
- servers on CPUs: $3
- $(g++ --version | head -n 1), $(openssl version | cut -d' ' -f1,2), $(go version | cut -d' ' -f3), controller-runtime $(awk '$1 == "sigs.k8s.io/controller-runtime" || $2 == "sigs.k8s.io/controller-runtime" {print $NF; exit}' tests/bench/go.mod), k8s.io/api $k8s
- what is measured, and how: [tests/bench/README.md](../../tests/bench/README.md)

T
}

# Our kinds and the programs' own namespace. Runs with the environment of tests/cluster/apiserver.
PrepareCluster() {
  kubectl apply --server-side -f crds/ >/dev/null
  kubectl wait --for=condition=Established crd/inferenceservices.shm-operator.dev >/dev/null
  kubectl create namespace shm-system >/dev/null
}

# `MakePair FOLDER`: the serving pair, for the Secret that the webhook reflects and for the peers.
MakePair() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=webhook.bench.svc \
    -addext subjectAltName=DNS:webhook.bench.svc,IP:127.0.0.1 -keyout "$1/tls.key" -out "$1/tls.crt" 2>/dev/null
}

# `FillCluster FOLDER`: what the reviews speak of, and the pair. Runs with the environment of tests/cluster/apiserver.
FillCluster() {
  PrepareCluster
  kubectl -n shm-system create secret tls shm-operator-webhook-tls --cert="$1/tls.crt" --key="$1/tls.key" >/dev/null
  kubectl apply --server-side -f tests/bench/services.yaml >/dev/null
}

# `Publish FOLDER FILE`: head and tables become a file of results.
Publish() {
  mkdir -p "$(dirname "$2")"
  cat "$1/head.md" "$1/tables.md" | tee "$2"
}
