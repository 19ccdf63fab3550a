#!/usr/bin/env bash
# Builds the image with what the machine has, docker, podman or buildah, as a file that `docker load`,
# `ctr images import` and tests/cluster/load-image take.
#
#   deploy/image/build.sh FILE.tar              packs the programs of build/release/bin
#   deploy/image/build.sh --compile FILE.tar    compiles them in the image, from BASE_IMAGE
#
# The same programs give the same bytes with buildah and podman: no time of the build's is in them.
#
# IMAGE           its name (shm-operator:dev)
# SOURCE_DATE_EPOCH  the time that image and files carry (that of the last commit), in seconds
# SHM_BIN_DIR     where the programs are, if elsewhere
# BASE_IMAGE      what to compile in (the Dockerfile's). Where it cannot be pulled, debootstrap makes one
# IMAGE_BUILDER   docker, podman or buildah, instead of the first that works
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
caller=$PWD
cd "$here/../.."
image=${IMAGE:-shm-operator:dev}
own_base=localhost/shm-operator-base:bookworm

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
    *) false ;;
  esac >/dev/null 2>&1
}

ChooseBuilder() {
  for builder in ${IMAGE_BUILDER:-docker podman buildah}; do
    if Works "$builder"; then return; fi
  done
  Die "no ${IMAGE_BUILDER:-docker, podman or, as root, buildah} that works (scripts/install-deps.sh image installs buildah)"
}

# docker, podman and buildah, alike: whether an image is here, fetch it, make it from a tar.
Here() {
  case $builder in
    buildah) Buildah inspect --type image "$1" ;;
    *) "$builder" image inspect "$1" ;;
  esac >/dev/null 2>&1
}

Pull() {
  case $builder in
    buildah) Buildah pull "$1" ;;
    *) timeout 300 "$builder" pull "$1" ;;
  esac >/dev/null 2>&1
}

Import() {
  local container
  if [ "$builder" != buildah ]; then
    "$builder" import "$1" "$2" >/dev/null
    return
  fi
  container=$(Buildah from scratch)
  Buildah add -q "$container" "$1" / >/dev/null
  Buildah commit -q --rm "$container" "$2" >/dev/null
}

# buildah gets a storage of its own for this one build, as this version of it forgets to remove the
# containers of the stages, and a time limit, as a registry that does not answer must not hold it up.
Buildah() {
  local driver=overlay
  [ "$(stat -f -c %T "$SHM_IMAGE_STORAGE")" != overlayfs ] || driver=vfs
  timeout 3600 buildah --root "$SHM_IMAGE_STORAGE/root" --runroot "$SHM_IMAGE_STORAGE/run" \
    --storage-driver "$driver" "$@"
}

# Puts the name of an image to compile in, which is then here, into `base`.
GetBase() {
  local tar
  base=${BASE_IMAGE:-$(sed -n 's/^ARG BASE_IMAGE=//p' Dockerfile)}
  if Here "$base" || Pull "$base"; then return; fi
  echo "image: $base cannot be pulled here" >&2
  tar=$("$here/debian-base.sh")
  base=$own_base
  Import "$tar" "$base"
}

# What an image says of where it is from. The time is in it where there is a repository, or the caller says.
Labels() {
  local key=org.opencontainers.image
  labels=(--label "$key.version=$(<VERSION)" --label "$key.created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)")
  if revision=$(git rev-parse HEAD 2>/dev/null); then
    labels+=(--label "$key.revision=$revision")
  fi
}

Build() {
  local labels timestamp=() arguments=(--build-arg ROOTFS=prebuilt)
  export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
  Labels
  [ "$builder" = docker ] || timestamp=(--timestamp "$SOURCE_DATE_EPOCH")
  if [ -n "$compile" ]; then
    GetBase
    arguments=(--build-arg ROOTFS=compiled --build-arg "BASE_IMAGE=$base")
  else
    "$here/collect.sh" "${SHM_BIN_DIR:-build/release/bin}" build/image/rootfs
  fi
  arguments+=("${labels[@]}" "${timestamp[@]}" -t "$image" .)
  echo "image: building $image with $builder" >&2
  rm -f "$output"
  if [ "$builder" = buildah ]; then
    Buildah bud -q --isolation chroot --network host --pull-never --layers=false "${arguments[@]}" >&2
    Buildah push -q "$image" "docker-archive:$output:$image"
  else
    "$builder" build "${arguments[@]}" >&2
    "$builder" save -o "$output" "$image"
  fi
}

# In a mount namespace of its own, so that the mounts of the storage end with it.
BuildInThrowawayStorage() {
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/image
  mkdir -p "$cache"
  SHM_IMAGE_STORAGE=$(mktemp -d "$cache/storage.XXXXXX")
  export SHM_IMAGE_STORAGE IMAGE_BUILDER=buildah
  trap 'rm -rf --one-file-system "$SHM_IMAGE_STORAGE"' EXIT
  unshare --mount bash "$here/build.sh" ${compile:+--compile} "$output"
}

compile=
if [ "${1:-}" = --compile ]; then
  compile=yes
  shift
fi
[ $# = 1 ] || Die "usage: deploy/image/build.sh [--compile] FILE.tar"
output=$(cd "$caller" && realpath -m "$1")
mkdir -p "$(dirname "$output")"
ChooseBuilder
if [ "$builder" = buildah ] && [ -z "${SHM_IMAGE_STORAGE:-}" ]; then
  BuildInThrowawayStorage
else
  Build
fi
