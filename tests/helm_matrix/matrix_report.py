"""What the matrix ends with."""

from __future__ import annotations

import collections
import datetime
import pathlib

import shared  # noqa: F401  pylint: disable=unused-import  # for the path to report
from matrix import Did, Matrix, Seen, faults
from phases import FINE, Fate, Phase
from report import COMMIT, cell, machine
from templates import Compared



NOT_SHOWN = (
    "- One node, one API server, one version of Kubernetes, default values: no cert-manager, no `watchNamespaces`, no hostNetwork.",
    "- Both versions run the same programs: an upgrade here changes chart, CRD and labels, and replaces all pods.",
    "- Pods are created and looked at, but for one engine they do not run.")


def markdown(matrix: Matrix, versions: dict[str, str], rendered: Compared, seconds: float, rate: float, build: str) -> str:
    failed = list(faults(matrix))
    lines = [
        "# Installing, upgrading and removing, in each way", "",
        f"Written by `make soak-helm` on {datetime.date.today()}, commit {COMMIT}. How it is done: "
        "[tests/helm_matrix/README.md](../../tests/helm_matrix/README.md).", "",
        f"- {', '.join(f'{name} {version}' for name, version in versions.items())}; {build} build; "
        f"{f'up to {rate:.0f}' if rate else 'no'} pods a second; {seconds / 60:.1f} minutes",
        f"- machine: {machine()}",
        f"- **{'passed' if not failed else 'FAILED'}**" + "".join(f"\n  - {line}" for line in failed), ""]
    lines += _pods(matrix)
    lines += _steps(matrix.did)
    lines += _left(matrix.seen)
    lines += _templates(rendered)
    lines += ["", "## What this does not show", "", *NOT_SHOWN]
    return "\n".join(lines) + "\n"


def _pods(matrix: Matrix) -> list[str]:
    total: dict[Phase, collections.Counter[Fate]] = collections.defaultdict(collections.Counter)
    for stream in matrix.streams:
        for moment, fates in stream.fates.items():
            total[moment.phase] += fates
    if not total:
        return []
    lines = ["## Pods that were created meanwhile", "", "By what was under way. Bold is what must be 0.", "",
             f"| while | {' | '.join(fate.value for fate in Fate)} |", "|---|" + "---|" * len(Fate)]
    for phase in Phase:
        cells = [str(total[phase][fate]) if fate in FINE[phase] else f"**{total[phase][fate]}**" for fate in Fate]
        lines.append(f"| {phase.value} | {' | '.join(cells)} |")
    messages = sum((stream.messages for stream in matrix.streams), collections.Counter())
    if messages:
        lines += ["", "| refused | in the API server's words |", "|---|---|"]
        lines += [f"| {times} | {cell(message)} |" for message, times in messages.most_common()]
    return lines + [""]


def _steps(did: list[Did]) -> list[str]:
    lines = ["## Commands", "", "`next` is the chart of the next version. What was printed is what went to stderr.", "",
             "| way | step | command | took | printed |", "|---|---|---|---|---|"]
    for one in did:
        lines.append(f"| {one.way} | {one.step} | `{_short(one.ran.command)}` | {one.ran.seconds:.1f} s | {cell(_printed(one))} |")
    return lines


def _short(command: list[str]) -> str:
    """Paths of this machine by what they end with."""
    words = [word.rstrip("/") for word in command]
    return " ".join("/".join(word.split("/")[-2:]) if word.startswith("/") else word for word in words)


def _printed(one: Did) -> str:
    return "; ".join(dict.fromkeys(line.strip() for line in one.ran.err.splitlines() if line.strip())) or "nothing"


def _left(seen: list[Seen]) -> list[str]:
    lines = ["", "## What was left", "",
             "All objects of all kinds that were not there before the installation; Events apart, which the API server forgets "
             "after an hour.", "",
             "| way | step | as documented | users' | else | within |", "|---|---|---|---|---|---|"]
    for one in seen:
        other = ", ".join(map(str, one.left.other)) or "nothing"
        lines.append(f"| {one.way} | {one.step} | {len(one.left.documented)} | {one.left.users.total()} | **{other}** | {one.seconds:.1f} s |")
    documented = sorted({key for one in seen for key in one.left.documented})
    users = sorted({f"{number} {kind}" for one in seen for kind, number in one.left.users.items()}, key=lambda text: text.split()[1])
    return lines + ["", f"- as documented: {', '.join(map(str, documented))}", f"- users': {', '.join(users)}"]


def _templates(rendered: Compared) -> list[str]:
    faults = "\n".join(f"- {line}" for line in rendered.faults) or "each Helm gave the same bytes both times, and all Helms the same documents"
    order = f" In another order by Helm 4: {', '.join(rendered.other_order)}." if rendered.other_order else ""
    return ["", "## `helm template`", "",
            f"{rendered.groups} groups of values (tests/chart/groups.yaml), twice by each Helm: {faults}.{order}"]


def write(file: pathlib.Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
