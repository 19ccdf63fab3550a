#!/usr/bin/env python3
"""scripts/check_rooms.py refuses what it says it refuses."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
CASES = [
    ("core/a.cc", '#include "kube/client.h"', "core/ must not include kube/client.h"),
    ("kube/a.cc", '#include "runtime/log.h"', "kube/ must not include runtime/log.h"),
    ("webhook/a.cc", '#include "operator/app.h"', "webhook/ must not include operator/app.h"),
    ("runtime/log.cc", "#include <cpprest/json.h>", "may include cpprest/json.h"),
    ("core/a.cc", "#include <chrono>", "must not include <chrono>"),
    ("core/a.cc", '#include "core/mutex.h"', "core/ has no thread"),
    ("runtime/a.cc", "#include <mutex>", "lock with core/mutex.h, not with <mutex>"),
    ("operator/a.h", "#include <condition_variable>", "not with <condition_variable>"),
    ("core/mutex.h", "#include <mutex>", None),
    ("runtime/a.cc", '#include "core/mutex.h"', None),
    ("pki/a.cc", '#include "core/result.h"', None),
    ("runtime/http_server.cc", "#include <cpprest/http_listener.h>", None),
]


def run(name, line):
    with tempfile.TemporaryDirectory() as root:
        path = pathlib.Path(root, name)
        path.parent.mkdir(parents=True)
        path.write_text(line + "\n")
        return subprocess.run(
            [sys.executable, ROOT / "scripts/check_rooms.py", "--root", root],
            capture_output=True, text=True, check=False)


def main():
    failures = 0
    for name, line, expected in CASES:
        result = run(name, line)
        good = (result.returncode == 0) if expected is None else (
            result.returncode == 1 and expected in result.stdout)
        if not good:
            failures += 1
            print(f"{name}: {line}: expected {expected!r}, got {result.stdout!r}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
