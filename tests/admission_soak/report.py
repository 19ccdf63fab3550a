"""What an admission soak ends with."""

from __future__ import annotations

import collections
import datetime
import os
import pathlib
import platform
import statistics
import subprocess

import create
from soak import Soak


def failures(soak: Soak) -> list[str]:
    """Why it failed; nothing where it did not."""
    found = list(soak.problems)
    counts = soak.creator.counts
    for what in (create.REFUSED, create.UNSIZED, create.OTHER):
        if counts[what]:
            found.append(f"{counts[what]} {what}")
    if handshakes := sum(soak.watcher.handshake_failures.values()):
        found.append(f"{handshakes} handshakes with the webhook failed, as kube-apiserver says")
    found += [f"{sample} grew by {value:.0f}" for sample, value in soak.watcher.webhook.total().items()
              if 'outcome="error"' in sample]
    found += [f"{sample} grew by {value:.0f}" for sample, value in soak.watcher.apiserver.total().items()
              if "fail_open" in sample]
    return found


def markdown(soak: Soak, seed: int, pods: int, rate: float, build: str) -> str:
    counts, watcher = soak.creator.counts, soak.watcher
    sized = counts[create.SIZED]
    failed = failures(soak)
    lines = [
        "# The admission soak", "",
        f"Written by `make soak-admission` on {datetime.date.today()}, commit {COMMIT}. How it is done: "
        "[tests/admission_soak/README.md](../../tests/admission_soak/README.md).", "",
        f"- seed {seed}, at least {pods} pods at {rate:.0f} a second at most, {build} build; "
        f"{soak.seconds / 60:.1f} minutes",
        f"- machine: {machine()}",
        f"- **{'passed' if not failed else 'FAILED'}**" + "".join(f"\n  - {line}" for line in failed), "",
        "## Pods", "", "| pods | |", "|---|---|",
        f"| created | {sized + counts[create.UNSIZED]} |"]
    lines += [f"| {what} | {counts[what]} |" for what in (
        create.SIZED, create.UNSIZED, create.REFUSED, create.OTHER, create.AFTER_KILL, create.AWAY, create.EXISTED)]
    lines += ["", "## Handshakes and calls", "", "| what the programs say | |", "|---|---|",
              f"| serving certificates in use, one after the other | {len(watcher.leaves)} |",
              f"| authorities, one after the other | {len(watcher.authorities)} |",
              f"| handshakes that failed, by kube-apiserver's log | {sum(watcher.handshake_failures.values())} |",
              f"| calls of the webhook that failed, by kube-apiserver's log | {watcher.failed_calls} |"]
    lines += [f"| `{sample}` | {value:.0f} |" for growth in (watcher.webhook, watcher.apiserver)
              for sample, value in growth.total().items()]
    lines += [f"| handshakes that the webhook saw broken off while {kind} was under way | {times} |"
              for kind, times in watcher.rejected_during.items() if times]
    lines += ["", "## Disturbances", "",
              "How long each took until all was as before: replicas ready, the old authority trusted no more, a leader.", "",
              "| disturbance | times | median | longest | at |", "|---|---|---|---|---|"]
    by_kind = collections.defaultdict(list)
    for one in soak.done:
        by_kind[one.kind.removesuffix("-again")].append(one)
    for kind, all_of_it in by_kind.items():
        times = [one.seconds for one in all_of_it]
        at = ", ".join(f"{one.began:.0f}" for one in all_of_it)
        lines.append(f"| {kind} | {len(times)} | {statistics.median(times):.1f} s | {max(times):.1f} s | {at} s |")
    if counts.messages or watcher.handshake_failures:
        lines += ["", "## What was said", "", "| times | |", "|---|---|"]
        lines += [f"| {times} | {cell(message)} |"
                  for message, times in (counts.messages + watcher.handshake_failures).most_common()]
    return "\n".join(lines) + "\n"


def cell(message: str) -> str:
    return message.replace("|", "\\|").replace("\n", " ")


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


COMMIT = _commit()  # at the start: what runs is this, whatever is committed meanwhile


def machine() -> str:
    model = next((line.split(": ", 1)[1] for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return (f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}; "
            f"load average at the end: {load}")
