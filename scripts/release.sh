#!/usr/bin/env bash
# Makes dist/ for a release: `scripts/release.sh VERSION` (make release VERSION=...), of a clean tree whose
# VERSION says the same. The same commit, packages of Debian and tools give the same files.
#
#   shm-operator-VERSION.tgz              the chart
#   install.yaml, crds/                   the same for kubectl
#   shm-operator-VERSION-ARCH.image.tar   the image, as `docker load` takes it
#   shm-operator-VERSION-ARCH.spdx.json   what it is made of
#   shmctl-VERSION-linux-ARCH.tar.gz      shmctl with its libraries; kubectl's plugin
#   shm.yaml                              Krew's manifest of that
#   CHANGELOG.md                          subjects of the commits since the last tag vX.Y.Z
#   SHA256SUMS
#
# `scripts/release.sh --check VERSION` says alone whether the tree may be released, before anybody waits for a compiler.
#
# RELEASE_URL  where the files will be found, for Krew (https://example.com/releases)
# SHM_BIN_DIR  where the programs are (build/release/bin)
# IMAGE        the image's name (shm-operator:VERSION)
set -euo pipefail
cd "$(dirname "$0")/.."

Die() {
  echo "release: error: $*" >&2
  exit 1
}

CheckTree() {
  [ "$version" = "$(<VERSION)" ] || Die "VERSION says $(<VERSION), not $version: write it there, and into Chart.yaml"
  [ -z "$(git status --porcelain)" ] || Die "the tree is not clean (git status): what is released is a commit"
}

CheckGenerated() {
  scripts/render-manifests.sh --check >/dev/null || Die "generated files are not up to date: make manifests"
}

# Nothing of the packer's own: times, owners, order.
Pack() {
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$2" -cf - "$3" | gzip -9n >"$1"
}

# Helm keeps the times of the files that it packs.
Chart() {
  local helm
  helm=$(tests/cluster/build.sh helm)/helm
  "$helm" package charts/shm-operator --destination "$work" >/dev/null
  mkdir "$work/chart"
  tar -C "$work/chart" -mxzf "$work/shm-operator-$version.tgz"
  Pack "$dist/shm-operator-$version.tgz" "$work/chart" shm-operator
}

Manifests() {
  cp deploy/install.yaml "$dist/"
  mkdir "$dist/crds"
  cp crds/*.yaml "$dist/crds/"
}

# Leaves the image's root in build/image/rootfs.
Image() {
  IMAGE=${IMAGE:-shm-operator:$version} deploy/image/build.sh "$dist/shm-operator-$version-$arch.image.tar"
  deploy/image/sbom.py build/image/rootfs "$version" >"$dist/shm-operator-$version-$arch.spdx.json"
}

Shmctl() {
  local root=build/image/rootfs to=$work/shmctl library name
  mkdir -p "$to/lib"
  cp "$root/usr/local/bin/shmctl" "$to/lib/"
  # The loader's own name is what the programs were linked with.
  for library in $(ldd "$root/usr/local/bin/shmctl" | sed -nE 's#^\s+(.* => )?(/\S+) \(0x[0-9a-f]+\)$#\2#p'); do
    case $library in
      */ld-linux*) cp -L "$library" "$to/lib/ld.so" ;;
      *) cp -L "$library" "$to/lib/" ;;
    esac
  done
  cp -r "$root/usr/share/doc" "$to/doc"
  # Copies, as Krew refuses an archive with a link in it.
  for name in shmctl kubectl-shm kubectl_complete-shm; do
    install -m 755 deploy/release/shmctl.sh "$to/$name"
  done
  [ "$("$to/kubectl-shm" --version)" = "shmctl $version" ] || Die "the packed shmctl does not start as version $version"
  Pack "$dist/$archive" "$work" shmctl
}

Krew() {
  sed -e "s|@VERSION@|$version|" -e "s|@ARCH@|$arch|" -e "s|@URL@|${RELEASE_URL:-https://example.com/releases}|" \
    -e "s|@ARCHIVE@|$archive|" -e "s|@SHA256@|$(sha256sum <"$dist/$archive" | cut -d' ' -f1)|" \
    deploy/krew/shm.yaml.in >"$dist/shm.yaml"
}

Changelog() {
  local last range=HEAD
  last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' --exclude "v$version" 2>/dev/null) && range=$last..HEAD
  echo "# shm-operator $version"
  echo
  git log --no-merges --format='- %s' "$range"
}

Checksums() {
  (cd "$dist" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum) >"$work/SHA256SUMS"
  mv "$work/SHA256SUMS" "$dist/"
}

check_only=
if [ "${1:-}" = --check ]; then
  check_only=yes
  shift
fi
[ $# = 1 ] || Die "usage: scripts/release.sh [--check] VERSION"
version=$1
CheckTree
[ -z "$check_only" ] || exit 0
CheckGenerated
dist=dist
arch=$(dpkg --print-architecture)
archive=shmctl-$version-linux-$arch.tar.gz
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
umask 022
rm -rf "$dist"
mkdir "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
Chart
Manifests
Image
Shmctl
Krew
Changelog >"$dist/CHANGELOG.md"
Checksums
echo "release: $(wc -l <"$dist/SHA256SUMS") files in $dist/" >&2
