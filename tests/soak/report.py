"""The tables that a soak ends with."""

from __future__ import annotations

import collections
import datetime
import os
import pathlib
import platform
import statistics
import subprocess

from operations import Hands
from plan import FAULT_KINDS
from soak import QUIET_SECONDS, RoundResult


def markdown(seed: int, plan_print: str, results: list[RoundResult], wanted: int, hands: Hands,
             collector_restarts: int, seconds: float, build: str) -> str:
    faults = collections.Counter(kind for result in results for kind in result.faults)
    found = [line for result in results for line in result.differences]
    short = "" if len(results) == wanted else f" of the {wanted} that were asked for"
    lines = [
        "# The soak", "",
        f"Written by `make soak` on {datetime.date.today()}, commit {COMMIT}. How it is done: "
        "[tests/soak/README.md](../../tests/soak/README.md).", "",
        f"- {len(results)} rounds{short} in {seconds / 60:.0f} minutes, seed {seed} "
        f"(plan {plan_print}), {build} build",
        f"- faults: {sum(faults.values())}; operations: {sum(hands.done.values())}; "
        f"**differences: {len(found)}**",
        f"- kube-controller-manager was started again {collector_restarts} times, as its garbage collector "
        "had missed a deletion; why: `missed_by_collector` in tests/soak/checker.py",
        f"- machine: {_machine()}", "",
        "## Faults", "",
        f"Recovery is from the moment the last fault of a round was healed and its last operation had gone "
        f"through, until everything was as wanted; it then stayed so, without a write but leases, for "
        f"{QUIET_SECONDS:.0f} s. A round often has two faults; it counts for both.", "",
        "| fault | rounds | recovery, median | longest |", "|---|---|---|---|"]
    for kind in FAULT_KINDS:
        times = [result.recovery_seconds for result in results if kind in result.faults]
        if times:
            lines.append(f"| {kind} | {faults[kind]} | {statistics.median(times):.1f} s "
                         f"| {max(times):.1f} s |")
    lines += ["", "## Operations", "",
              "| operation | done | of these found nothing to tamper with |", "|---|---|---|"]
    for kind, count in sorted(hands.done.items()):
        lines.append(f"| {kind} | {count} | {hands.without_target[kind] or ''} |")
    lines += ["", "## Differences", ""]
    lines += [f"- round {result.number} ({', '.join(result.faults)}): {line}"
              for result in results for line in result.differences] or ["None."]
    return "\n".join(lines) + "\n"


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


COMMIT = _commit()  # at the start: what is built is this, whatever is committed meanwhile


def _machine() -> str:
    model = next((line.split(": ", 1)[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}; "
            f"load average at the end: {load}")
