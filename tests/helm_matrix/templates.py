"""`helm template`, again and again and by each Helm.

One Helm must give the same bytes. Helm 4 leaves a blank line after each document, and puts webhook configurations before
kinds that it does not know, where Helm 3 puts them behind: between the two, each document must be the same.
"""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

import yaml


@dataclasses.dataclass
class Compared:
    groups: int
    faults: list[str]
    other_order: list[str]  # groups whose documents a Helm puts otherwise than the first does


def render(helm: str, chart: pathlib.Path, values: dict) -> str:
    done = subprocess.run([helm, "template", "shm-operator", str(chart), "--namespace", "shm-system", "--include-crds", "-f", "-"],
                          input=yaml.safe_dump(values), capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise AssertionError(f"{helm} does not render {values}: {done.stderr}")
    return done.stdout


def documents(text: str) -> list[str]:
    """Without the blank lines behind them."""
    return [document.rstrip("\n") for document in ("\n" + text).split("\n---\n") if document.strip()]


def compare(name: str, first: list[str], other: list[str]) -> tuple[list[str], bool]:
    """What differs, and whether no more than the order does."""
    if first == other:
        return [], False
    if sorted(first) == sorted(other):
        return [], True
    different = [document.splitlines()[0] for document in sorted(set(first) ^ set(other))]
    return [f"helm template: {name}: documents differ between Helms: {', '.join(different)}"], False


def compare_all(helms: tuple[str, ...], chart: pathlib.Path, groups: dict[str, dict]) -> Compared:
    found = Compared(len(groups), [], [])
    for name, values in groups.items():
        renders = {helm: render(helm, chart, values) for helm in helms}
        found.faults += [f"helm template: {name}: {helm} does not give the same bytes twice"
                         for helm, text in renders.items() if render(helm, chart, values) != text]
        first = documents(renders[helms[0]])
        for helm in helms[1:]:
            faults, order = compare(name, first, documents(renders[helm]))
            found.faults += faults
            found.other_order += [name] if order else []
    return found
