#!/usr/bin/env bash
# Installs, on Debian 12, the packages that a part of the work needs; takes no time when they are there.
#
#   scripts/install-deps.sh build|image|cluster|gitops|check|fuzz...
#
#   build    compiling the programs and the tests
#   image    making the container image where neither docker nor podman works
#   cluster  running the test cluster (its programs are built from Go modules: Go 1.26 is needed), the shells
#            that complete shmctl, and jq, which the docs use
#   gitops   what Argo CD reads our files with: its Lua, and jq
#   check    formatting and linting
#   fuzz     clang with the runtime of its sanitizers and of libFuzzer, which Debian packs apart
set -euo pipefail

PackagesOf() {
  case $1 in
    build)
      echo g++ cmake ninja-build ccache pkg-config libcpprest-dev libyaml-cpp-dev nlohmann-json3-dev \
        libspdlog-dev libssl-dev libjemalloc-dev libboost-system-dev catch2 prometheus-cpp-dev libcli11-dev
      ;;
    image) echo buildah debootstrap python3 ;;
    cluster)
      PackagesOf image
      echo curl runc containernetworking-plugins nftables iproute2 busybox-static openssl util-linux procps python3 git \
        ca-certificates fish zsh jq
      ;;
    fuzz) echo clang libclang-rt-dev ;;
    gitops) echo lua5.1 jq python3-yaml ;;
    check) echo clang clang-format clang-tidy shellcheck yamllint python3 python3-yaml ;;
    *)
      echo "usage: $0 build|image|cluster|gitops|check|fuzz..." >&2
      exit 2
      ;;
  esac
}

# Which of the packages are not installed, one a line.
MissingOf() {
  printf '%s\n' "$@" | sort -u |
    comm -23 - <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

AsRoot() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "error: must be root, or have sudo, to run: $*" >&2
    exit 1
  fi
}

# The lists of packages are fetched only where there are none, or old ones that name files no longer served.
Install() {
  local flags=(-y --no-install-recommends -o DPkg::Lock::Timeout=300)
  echo "installing: $*" >&2
  AsRoot env DEBIAN_FRONTEND=noninteractive apt-get install "${flags[@]}" -qq "$@" >/dev/null 2>&1 && return
  AsRoot apt-get update -qq
  AsRoot env DEBIAN_FRONTEND=noninteractive apt-get install "${flags[@]}" -qq "$@" >/dev/null
}

[ $# -gt 0 ] || PackagesOf ''
command -v dpkg-query >/dev/null || {
  echo "error: this needs Debian 12 (there is no dpkg)" >&2
  exit 1
}

packages=
for set in "$@"; do packages+=" $(PackagesOf "$set")"; done
# shellcheck disable=SC2086  # a list of words
mapfile -t missing < <(MissingOf $packages)
[ ${#missing[@]} = 0 ] || Install "${missing[@]}"

if [[ " $* " = *" cluster "* ]]; then
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || version=none
  if [[ $version != go* ]] || ! printf '%s\n' go1.26 "$version" | sort -VC; then
    echo "error: the test cluster is built with Go 1.26 or later, which Debian 12 does not have; found: $version" >&2
    exit 1
  fi
fi
