#!/usr/bin/env bash
# Builds the image with what the machine has, docker, podman or buildah, as a file that `docker load`,
# `ctr images import` and tests/cluster/load-image take.
#
#   deploy/image/build.sh FILE.tar              packs the programs of build/release/bin
#   deploy/image/build.sh --compile FILE.tar    compiles them in the image, from BASE_IMAGE
#
# IMAGE           its name (shm-operator:dev)
# SHM_BIN_DIR     where the programs are, if elsewhere
# BASE_IMAGE      what to compile in (the Dockerfile's). Where no registry can be reached, debootstrap
#                 makes one, once: ${XDG_CACHE_HOME:-~/.cache}/shm-operator/image
# IMAGE_BUILDER   docker, podman or buildah, instead of the first that works
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/image
image=${IMAGE:-shm-operator:dev}
own_base=localhost/shm-operator-base:bookworm
export PATH=$PATH:/usr/sbin:/sbin

Die() {
  echo "image: error: $*" >&2
  exit 1
}

# A client without an engine is no builder.
Works() {
  case $1 in
    docker) timeout 20 docker version --format '{{.Server.Version}}' ;;
    podman) timeout 20 podman info ;;
    buildah) [ "$(id -u)" = 0 ] && command -v buildah ;;
  esac >/dev/null 2>&1
}

Builder() {
  local builder
  for builder in docker podman buildah; do
    if Works $builder; then
      echo $builder
      return
    fi
  done
  Die "neither docker nor podman works here, nor buildah as root (scripts/install-deps.sh image installs that)"
}

# Its storage is our own, so that the user's images are left alone and removing the cache removes all.
Buildah() {
  local driver=overlay
  [ "$(stat -f -c %T "$cache")" != overlayfs ] || driver=vfs
  timeout "${limit:-3600}" buildah --root "$cache/storage" --runroot "$cache/run" --storage-driver "$driver" "$@"
}

# The archive this machine itself gets Debian from.
Mirror() {
  local mirror
  # shellcheck disable=SC2016  # apt-get expands it
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
  echo "${mirror:?no archive of Debian bookworm among the sources of apt}"
}

# A small Debian as a tar.
DebootstrappedBase() {
  local tar=$cache/bookworm.tar work
  if [ ! -f "$tar" ]; then
    command -v debootstrap >/dev/null || Die "debootstrap is missing: scripts/install-deps.sh image"
    work=$(mktemp -d "$cache/debootstrap.XXXXXX")
    echo "image: no registry: making a Debian base with debootstrap" >&2
    debootstrap --variant=minbase bookworm "$work/root" "$(Mirror)" >"$cache/debootstrap.log" 2>&1 ||
      Die "debootstrap failed: $(tail -n 5 "$cache/debootstrap.log")"
    rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
    tar --numeric-owner --one-file-system -C "$work/root" -cf "$tar.new" .
    rm -rf "$work"
    mv "$tar.new" "$tar"
  fi
  echo "$tar"
}

Here() {
  case $builder in
    buildah) Buildah inspect --type image "$1" ;;
    *) "$builder" image inspect "$1" ;;
  esac >/dev/null 2>&1
}

# A registry that does not answer must not hold the build up for ever.
Pull() {
  case $builder in
    buildah) limit=300 Buildah pull "$1" ;;
    *) timeout 300 "$builder" pull "$1" ;;
  esac >/dev/null 2>&1
}

ImportBase() {
  local container
  if [ "$builder" != buildah ]; then
    "$builder" import "$1" $own_base >/dev/null
    return
  fi
  container=$(Buildah from scratch)
  Buildah add -q "$container" "$1" / >/dev/null
  Buildah config --cmd /bin/bash "$container"
  Buildah commit -q --rm "$container" $own_base >/dev/null
}

# Prints the name of an image to compile in, which is then here.
Base() {
  local base tar
  base=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}
  if Here "$base" || Pull "$base"; then
    echo "$base"
    return
  fi
  tar=$(DebootstrappedBase)
  Here $own_base || ImportBase "$tar"
  echo $own_base
}

arguments=(--build-arg ROOTFS=prebuilt)
compile=
if [ "${1:-}" = --compile ]; then
  compile=yes
  shift
fi
output=$(realpath -m "${1:?usage: deploy/image/build.sh [--compile] FILE.tar}")
mkdir -p "$cache" "$(dirname "$output")"
builder=${IMAGE_BUILDER:-$(Builder)}
if [ -n "$compile" ]; then
  base=$(Base)
  arguments=(--build-arg ROOTFS=compiled --build-arg "BASE_IMAGE=$base")
else
  deploy/image/collect.sh "${SHM_BIN_DIR:-build/release/bin}" build/image/rootfs
fi

echo "image: building $image with $builder" >&2
rm -f "$output"
if [ "$builder" = buildah ]; then
  Buildah bud --isolation chroot --network host --pull-never --layers=false "${arguments[@]}" -t "$image" . >&2
  Buildah push -q "$image" "docker-archive:$output:$image"
else
  "$builder" build "${arguments[@]}" -t "$image" . >&2
  "$builder" save -o "$output" "$image"
fi
