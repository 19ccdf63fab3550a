#!/usr/bin/env bash
# Prints the path of a small Debian 12 root as a tar, for machines that reach an archive of Debian but no
# image registry. debootstrap makes it once; it is kept in ${XDG_CACHE_HOME:-~/.cache}/shm-operator/image.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/image
tar=$cache/bookworm.tar
export PATH=$PATH:/usr/sbin:/sbin

Die() {
  echo "image: error: $*" >&2
  exit 1
}

# The archive that this machine itself gets Debian from.
Mirror() {
  # shellcheck disable=SC2016  # apt-get expands it
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -1
}

Make() {
  local work=$1 mirror
  command -v debootstrap >/dev/null || Die "debootstrap is missing: scripts/install-deps.sh image"
  mirror=$(Mirror)
  [ -n "$mirror" ] || Die "the sources of apt name no archive of Debian bookworm, or \`apt-get update\` never ran"
  echo "image: making a Debian base with debootstrap, once" >&2
  debootstrap --variant=minbase bookworm "$work/root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
    Die "debootstrap failed: $(tail -n 5 "$cache/debootstrap.log")"
  rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
  tar --numeric-owner --one-file-system -C "$work/root" -cf "$tar.new" .
  mv "$tar.new" "$tar"
}

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
if [ ! -f "$tar" ]; then
  work=$(mktemp -d "$cache/debootstrap.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
  Make "$work"
fi
echo "$tar"
