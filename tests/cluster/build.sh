#!/usr/bin/env bash
# Builds the programs of the test cluster from the Go modules that go.mod and go.sum pin here, one
# folder a module, and prints the one directory that holds them all.
#
#   tests/cluster/build.sh [kubernetes|control-plane|kubectl|etcd|containerd|helm|helm4|kustomize|kubeconform|gitops|all]...
#
# `control-plane` (etcd, kube-apiserver, kubectl) and kustomize are what the integration tests need, kubeconform
# what `make check` does, helm4 what `make soak-helm` does, `gitops` (kustomize-controller and cert-manager) what
# `make soak-gitops` does. The default is `all` that a cluster needs, which is without these. A program is built once for its
# version, its go.sum and its flags, and kept in ${XDG_CACHE_HOME:-~/.cache}/shm-operator/cluster; when
# all are there this takes no time.
#
# SHM_CLUSTER_KUBERNETES    the folder that pins Kubernetes (kubernetes); kubernetes-oldest has the API
#                           server and kubectl of the oldest version that we support, and nothing else
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
cache=$(CacheDir)/cluster

kubernetes=${SHM_CLUSTER_KUBERNETES:-kubernetes}
[ -f "$here/$kubernetes/go.mod" ] || Die "SHM_CLUSTER_KUBERNETES names no folder of tests/cluster: $kubernetes"

k8s=k8s.io/kubernetes/cmd
containerd=github.com/containerd/containerd/v2/cmd
control_plane="kube-apiserver kubectl etcd"
all="$control_plane kube-controller-manager kube-scheduler kubelet kube-proxy
     containerd containerd-shim-runc-v2 ctr helm"

# Which module builds a program, and its package there.
ModuleOf() {
  case $1 in
    kubeconform) echo "kubeconform github.com/yannh/kubeconform/cmd/kubeconform" ;;
    kube*) echo "$kubernetes $k8s/$1" ;;
    etcd) echo "etcd go.etcd.io/etcd/server/v3" ;;
    containerd | containerd-shim-runc-v2 | ctr) echo "containerd $containerd/$1" ;;
    helm) echo "helm helm.sh/helm/v3/cmd/helm" ;;
    helm4) echo "helm4 helm.sh/helm/v4/cmd/helm" ;;
    kustomize) echo "kustomize sigs.k8s.io/kustomize/kustomize/v5" ;;
    kustomize-controller) echo "kustomize-controller github.com/fluxcd/kustomize-controller" ;;
    cert-manager) echo "cert-manager ." ;;
    *) Die "no such program: $1" ;;
  esac
}

ProgramsOf() {
  case $1 in
    all) echo "$all" ;;
    control-plane) echo "$control_plane" ;;
    kubernetes) echo "kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl" ;;
    containerd) echo "containerd containerd-shim-runc-v2 ctr" ;;
    gitops) echo "kustomize-controller cert-manager" ;;
    *) echo "$1" ;;
  esac
}

# The version that go.mod pins: `PinnedVersion MODULE-FOLDER MODULE-PATH`.
PinnedVersion() {
  awk -v path="$2" '$1 == "require" { $1 = ""; $0 = $0 } $1 == path { print $2; exit }' "$here/$1/go.mod"
}

# Programs that were linked without a version misjudge the server: kubelet and kubectl call it 0.0,
# and Helm 3 renders charts for Kubernetes 1.20. (Helm 4 looks at the version of its client-go.)
FlagsOf() {
  local pinned version=k8s.io/component-base/version major minor folder=kubernetes
  [[ $1 != kubernetes* ]] || folder=$1
  pinned=$(PinnedVersion "$folder" k8s.io/kubernetes)
  IFS=. read -r major minor _ <<<"${pinned#v}"
  case $1 in
    kubernetes*)
      echo "-X $version.gitVersion=$pinned -X $version.gitMajor=$major -X $version.gitMinor=$minor"
      ;;
    containerd)
      version=github.com/containerd/containerd/v2
      echo "-X $version/version.Version=$(PinnedVersion containerd $version)"
      ;;
    helm)
      version=helm.sh/helm/v3
      echo "-X $version/internal/version.version=$(PinnedVersion helm $version)" \
        "-X $version/pkg/chartutil.k8sVersionMajor=$major -X $version/pkg/chartutil.k8sVersionMinor=$minor" \
        "-X $version/pkg/lint/rules.k8sVersionMajor=$major -X $version/pkg/lint/rules.k8sVersionMinor=$minor"
      ;;
    helm4)
      version=helm.sh/helm/v4
      echo "-X $version/internal/version.version=$(PinnedVersion helm4 $version)"
      ;;
  esac
}

MainModuleOf() {
  case $1 in
    kubernetes*) echo k8s.io/kubernetes ;;
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    containerd) echo github.com/containerd/containerd/v2 ;;
    helm) echo helm.sh/helm/v3 ;;
    helm4) echo helm.sh/helm/v4 ;;
    kustomize) echo sigs.k8s.io/kustomize/kustomize/v5 ;;
    kustomize-controller) echo github.com/fluxcd/kustomize-controller ;;
    cert-manager) echo github.com/cert-manager/cert-manager ;;
    kubeconform) echo github.com/yannh/kubeconform ;;
  esac
}

# Where a module's programs are kept: they are the same exactly if its name is.
StoreOf() {
  local hash
  hash=$({ find "$here/$1" -name 'go.*' -o -name '*.go' | sort | xargs cat; FlagsOf "$1"; } | sha256sum)
  echo "$1-$(PinnedVersion "$1" "$(MainModuleOf "$1")")-${hash:0:12}"
}

CheckGo() {
  command -v go >/dev/null || Die "Go 1.26 or later is needed to build the test cluster, and there is no \`go\` in PATH"
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION)
  printf '%s\n' go1.26 "$version" | sort -VC || Die "Go 1.26 or later is needed to build the test cluster; this is $version"
}

# Builds under a lock and moves the result into place, so that two runs side by side do the work once.
Build() {
  local program=$1 module=$2 package=$3 target=$4
  CheckGo
  mkdir -p "$(dirname "$target")"
  (
    flock 9
    [ -x "$target" ] && exit 0
    Say "building $program ($(basename "$(dirname "$target")"))"
    cd "$here/$module"
    GOWORK=off GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -trimpath \
      -ldflags "-s -w $(FlagsOf "$module")" -o "$target.new" "$package"
    mv "$target.new" "$target"
  ) 9>"$cache/.lock-$module"
}

programs=
for argument in "${@:-all}"; do programs+=" $(ProgramsOf "$argument")"; done

declare -A stores=()
key=
for module in "$kubernetes" etcd containerd helm helm4 kustomize kubeconform kustomize-controller cert-manager; do
  stores[$module]=$(StoreOf "$module")
  key+=${stores[$module]}
done
key=$(sha256sum <<<"$key")
bin=$cache/bin-${key:0:12}
mkdir -p "$bin"

for program in $programs; do
  [ -x "$bin/$program" ] && continue
  read -r module package <<<"$(ModuleOf "$program")"
  target=$cache/${stores[$module]}/$program
  [ -x "$target" ] || Build "$program" "$module" "$package" "$target"
  ln -sfn "../${stores[$module]}/$program" "$bin/$program"
done
echo "$bin"
