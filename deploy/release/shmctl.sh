#!/bin/sh
# Starts shmctl with the libraries that lie beside it, the C library among them: any Linux will do.
# A copy of this file beside it, or a link to it, is the program of its own name: kubectl-shm, kubectl_complete-shm.
here=$(dirname "$(readlink -f "$0")")
exec "$here/lib/ld.so" --library-path "$here/lib" --argv0 "$0" "$here/lib/shmctl" "$@"
