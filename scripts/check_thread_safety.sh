#!/usr/bin/env bash
# Holds the annotations of kube/mutex.h: whoever touches what a mutex guards holds it, as clang sees it.
# Objects are made only so that ccache can keep them: a repeat takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/thread-safety
mkdir -p "$out"
export out CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator/ccache} CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

# The transport's file is checked as well: it is the one where the library's threads come in.
check() {
  ccache clang++ -std=c++20 -O0 -I. -DSPDLOG_COMPILED_LIB -DSHM_VERSION='"check"' -D_TURN_OFF_PLATFORM_STRING \
    -Wthread-safety -Werror -c "$1" -o "$out/${1//\//-}.o"
}
export -f check
git ls-files 'kube/*.cc' 'operator/*.cc' 'webhook/*.cc' | xargs -P "$(nproc)" -I{} bash -c 'check {}'
