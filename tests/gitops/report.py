"""What the GitOps soak ends with."""

from __future__ import annotations

import datetime
import os
import pathlib
import platform
import subprocess

from ledger import Ledger


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def markdown(ledger: Ledger, at: str, versions: dict[str, str], seconds: float) -> str:
    lines = [
        "# The GitOps soak", "",
        f"Written by `make soak-gitops` on {datetime.date.today()}, commit {at}. How it is done, and what stands in for what: "
        "[tests/gitops/README.md](../../tests/gitops/README.md).", "",
        "- " + ", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {seconds / 60:.1f} minutes",
        f"- machine: {_machine()}",
        f"- **{'FAILED' if ledger.problems else 'passed'}**, {len(ledger.rows)} looks"]
    lines += [f"  - {_cell(problem)}" for problem in ledger.problems]
    part = ""
    for now, what, found in ledger.rows:
        if now != part:
            part = now
            lines += ["", f"## {part}", "", "| what | found |", "|---|---|"]
        lines.append(f"| {_cell(what)} | {_cell(found)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:400]


def _machine() -> str:
    model = next((line.split(": ", 1)[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}; load average at the end: {load}"
