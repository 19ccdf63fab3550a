#!/usr/bin/env python3
"""Holds the include rule of the rooms (docs/architecture.md): a room includes only rooms below it.

Prints one line a violation and exits 1 where there is one. `--root DIR` checks another tree, which
is how tests/checks/check_rooms_test.py sees it fail.
"""

import argparse
import pathlib
import re
import sys

# Room -> rooms that its files may include. A room that is not listed here may not be included.
ALLOWED = {
    "core": {"core"},
    "manifest": {"manifest", "core"},
    "kube": {"kube", "core"},
    "pki": {"pki", "core"},
    "runtime": {"runtime", "core"},
    "operator": {"operator", "kube", "pki", "runtime", "core"},
    "webhook": {"webhook", "kube", "pki", "runtime", "core"},
    "cli": {"cli", "manifest", "kube", "pki", "runtime", "core"},
}

# The only files that may see cpprestsdk: one server, one client.
CPPREST_FILES = {"runtime/http_server.cc", "kube/http_transport.cc"}

# core decides; it has no clock, thread, log, file or environment.
CORE_FORBIDDEN = {
    "chrono", "thread", "mutex", "atomic", "condition_variable", "future", "fstream", "iostream",
    "filesystem", "ctime", "random", "spdlog", "unistd.h", "time.h",
}

# Stands in core/ so that every room with threads sees it; core/ itself does not use it
# (docs/adr/0008-one-annotated-mutex.md).
MUTEX_HEADER = "core/mutex.h"

# Mutexes without annotations: clang cannot tell what they guard.
BARE_MUTEX = {"mutex", "shared_mutex", "condition_variable"}

# A mutex of a function's own, which guards nothing: std::condition_variable_any sleeps on it.
BARE_MUTEX_FILES = {MUTEX_HEADER, "kube/clock.cc"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def violations(root):
    for room, allowed in ALLOWED.items():
        for path in sorted((root / room).glob("**/*")):
            if path.suffix not in (".h", ".cc", ".inc"):
                continue
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                quote, target = match.groups()
                top = target.split("/")[0]
                if quote == '"' and top in ALLOWED and top not in allowed:
                    yield f"{name}:{number}: {room}/ must not include {target}"
                if quote == '"' and "/" not in target:
                    yield f"{name}:{number}: include {target} by its path from the root"
                if top in ("cpprest", "pplx") and name not in CPPREST_FILES:
                    yield f"{name}:{number}: only {sorted(CPPREST_FILES)} may include {target}"
                if room == "core" and target == MUTEX_HEADER:
                    yield f"{name}:{number}: core/ has no thread; it must not include {target}"
                if quote == "<" and top in BARE_MUTEX and name not in BARE_MUTEX_FILES:
                    yield f"{name}:{number}: lock with {MUTEX_HEADER}, not with <{target}>"
                if room == "core" and name != MUTEX_HEADER and quote == "<" and top in CORE_FORBIDDEN:
                    yield f"{name}:{number}: core/ only decides; it must not include <{target}>"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent)
    found = list(violations(parser.parse_args().root))
    print("\n".join(found) if found else "rooms: every include points downwards")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
