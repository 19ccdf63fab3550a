"""`helm template`, again and again and by each Helm: the same bytes."""

from __future__ import annotations

import pathlib
import subprocess

import yaml


def render(helm: str, chart: pathlib.Path, values: dict) -> bytes:
    done = subprocess.run([helm, "template", "shm-operator", str(chart), "--namespace", "shm-system", "--include-crds", "-f", "-"],
                          input=yaml.safe_dump(values).encode(), capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise AssertionError(f"{helm} does not render {values}: {done.stderr.decode()}")
    return done.stdout


def differences(helms: tuple[str, ...], chart: pathlib.Path, groups: dict[str, dict]) -> list[str]:
    """Groups of values that are not the same bytes from each Helm, twice."""
    found = []
    for name, values in groups.items():
        renders = {(helm, time): render(helm, chart, values) for helm in helms for time in ("first", "second")}
        first = renders[helms[0], "first"]
        found += [f"{name}: {helm}, the {time} time, differs from {helms[0]}, the first time"
                  for (helm, time), text in renders.items() if text != first]
    return found
