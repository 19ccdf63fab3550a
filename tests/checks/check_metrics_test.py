#!/usr/bin/env python3
"""scripts/check_metrics.py refuses what it says it refuses."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
HEAD = "| metric | type | labels | meaning | alerts |\n|---|---|---|---|---|\n"
ROW = "| `shm_a_total` | counter | `outcome`: `good`, `bad`; `host` (one) | x | ShmA |\n"
ALERTS = ("\n| alert | expression | for | means |\n|---|---|---|---|\n"
          '| ShmA | `rate(shm_a_total{outcome="bad"}[5m]) > 0` | 5m | x |\n')
DOC = HEAD + ROW + ALERTS
CALL = ('metrics_.Count("shm_a_total", "Help (of it).",\n'
        '               {{"outcome", ok ? "good" : "bad"}, {"host", host}});\n'
        'LogInfo("x", {{"not_a_label", 1}});\n')
CASES = [
    ("as it is", CALL, DOC, None),
    ("not in the docs", CALL + 'm.Gauge("shm_b", "Help.").Set(1);', DOC, "shm_b is not in docs"),
    ("a constant, not in the docs", 'constexpr char kB[] = "shm_b";\nmetrics_.Set(kB, "x", 1);\n' +
     CALL, DOC, "shm_b is not in docs"),
    ("not in the sources", "", DOC, "shm_a_total is not in the sources"),
    ("another type", CALL.replace("Count", "Set"), DOC, "the type of shm_a_total: gauge"),
    ("a label less", CALL.replace(', {"host", host}', ""), DOC,
     "the labels of shm_a_total: ['outcome']"),
    ("a label more", CALL.replace('{"host"', '{"more", "x"}, {"host"'), DOC,
     "the labels of shm_a_total: ['host', 'more', 'outcome']"),
    ("two kinds", CALL + 'metrics.Set("shm_a_total", "Help.", 1);', DOC, "is another metric in"),
    ("a name that is made up", CALL + "metrics_.Count(prefix + name, help);", DOC,
     "a metric's name must be a literal"),
    ("an alert without expression", CALL, HEAD + ROW, "alert ShmA is not in both"),
    ("an alert of no row", CALL, DOC.replace("x | ShmA", "x | "), "alert ShmA is not in both"),
    ("an expression of no metric", CALL, DOC.replace("rate(shm_a_total{", "rate(shm_c_total{"),
     "ShmA asks for shm_c_total"),
]


def run(source, doc):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for room in ("operator", "docs"):
            (root / room).mkdir()
        (root / "operator/app.cc").write_text(source)
        (root / "docs/metrics.md").write_text(doc)
        return subprocess.run(
            [sys.executable, ROOT / "scripts/check_metrics.py", "--root", root],
            capture_output=True, text=True, check=False)


def main():
    failures = 0
    for name, source, doc, expected in CASES:
        result = run(source, doc)
        good = (result.returncode == 0) if expected is None else (
            result.returncode == 1 and expected in result.stdout)
        if not good:
            failures += 1
            print(f"{name}: expected {expected!r}, got {result.stdout!r} {result.stderr}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
