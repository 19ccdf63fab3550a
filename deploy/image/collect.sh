#!/usr/bin/env bash
# Lays out the root of the image: `deploy/image/collect.sh BIN-DIR ROOT` copies the programs from BIN-DIR
# without their symbols, the shared libraries that they load with the licenses of those, and
# the few files that glibc wants. ROOT is made anew.
set -euo pipefail

bin=${1:?directory of the programs} root=${2:?directory to make}
programs=(shm-operator shm-webhook shmctl)

# The licence of the package that a library is from.
CopyLicence() {
  local package
  package=$(dpkg -S "$1" 2>/dev/null || dpkg -S "$(realpath "$1")" 2>/dev/null || dpkg -S "*/$(basename "$1")" 2>/dev/null) || return 0
  package=${package%%:*}
  [ ! -e "/usr/share/doc/$package/copyright" ] ||
    install -D -m 644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
}

# Whoever packs it: everybody is to read it.
umask 022
rm -rf "$root"
mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp"
chmod 1777 "$root/tmp"
echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
# Without it glibc asks the name server before it looks into /etc/hosts.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

for program in "${programs[@]}"; do
  if [ ! -x "$bin/$program" ]; then
    echo "collect.sh: there is no $program in $bin" >&2
    exit 1
  fi
  strip --strip-all -o "$root/usr/local/bin/$program" "$bin/$program"
done

# What kubectl finds on its PATH as `kubectl shm`, and what completes it.
ln -s shmctl "$root/usr/local/bin/kubectl-shm"
ln -s shmctl "$root/usr/local/bin/kubectl_complete-shm"

libraries=$(ldd "${programs[@]/#/$root/usr/local/bin/}" | sed -nE 's#^\s+(.* => )?(/\S+) \(0x[0-9a-f]+\)$#\2#p' | sort -u)
for library in $libraries; do
  install -D -m 755 "$library" "$root$library"
  CopyLicence "$library"
done
