# shellcheck shell=bash
# What the demo and the end-to-end tests share: from a clone to the operator on a test cluster.
# Expects the repository's root as the working directory and, optionally, SHM_CLUSTER_DIR.

namespace=shm-system

say() { printf '\033[1m%s\033[0m\n' "$*"; }

# Builds and starts the test cluster, and loads the image of this tree into it: the programs of
# SHM_BIN_DIR, else a release build. Sets PATH and KUBECONFIG.
start_test_cluster() {
  PATH=$(tests/cluster/build.sh):$PATH || return 1
  export SHM_CLUSTER_DIR=${SHM_CLUSTER_DIR:-$PWD/build/cluster}
  export PATH KUBECONFIG=$SHM_CLUSTER_DIR/kubeconfig
  tests/cluster/up >/dev/null || return 1
  if [ -n "${SHM_BIN_DIR:-}" ]; then
    deploy/image/build.sh build/image.tar || return 1
  else
    make --no-print-directory image || return 1
  fi
  tests/cluster/load-image build/image.tar
}

# SOAK_CLUSTER is the state of a test cluster that runs, with the image loaded; else one is started with its state
# in `use_soak_cluster FOLDER`, and ends with the script.
use_soak_cluster() {
  if [ -n "${SOAK_CLUSTER:-}" ]; then
    # shellcheck disable=SC1091
    . "$SOAK_CLUSTER/env"
    return
  fi
  export SHM_CLUSTER_DIR=$1
  trap 'tests/cluster/down' EXIT
  start_test_cluster
}

# What is said of the programs in results: `release` of build/release/bin.
build_name() { basename "$(dirname "$(realpath -m "${SHM_BIN_DIR:-build/release/bin}")")"; }

# What Helm is told beside that the image is local.
helm_flags=()

# Helm installs the chart with the local image, or upgrades what is there, and waits until it serves.
install_operator() {
  helm upgrade --install shm-operator charts/shm-operator \
    --namespace "$namespace" --create-namespace \
    --set image.repository=shm-operator --set image.tag=dev --set image.pullPolicy=Never \
    --wait --timeout 3m "${helm_flags[@]}"
}

install_on_test_cluster() {
  start_test_cluster && install_operator
}
