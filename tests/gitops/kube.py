"""kubectl, as somebody at a terminal has it, and what else of the cluster the soak needs."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time
from typing import Any, Callable

import yaml

from client import GaveUp
from compare import Json, Key, key_of

ROOT = pathlib.Path(__file__).parents[2]
SYSTEM = "shm-system"
CONFIGURATION = "mutatingwebhookconfiguration/shm-operator"


def command(*arguments: str, text: str | None = None, fine: tuple[int, ...] = (0,)) -> str:
    """What a program prints; GaveUp, with what it complains of, where its status is not `fine`."""
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False)
    if done.returncode not in fine:
        raise GaveUp(f"{' '.join(arguments)[:200]}: {done.stderr.strip()[-1000:] or done.stdout.strip()[-1000:]}")
    return done.stdout


def kubectl(*arguments: str, text: str | None = None, fine: tuple[int, ...] = (0,)) -> str:
    return command("kubectl", *arguments, text=text, fine=fine)


def documents(text: str) -> list[Json]:
    return [document for document in yaml.safe_load_all(text) if document]


def get(what: str, namespace: str = "") -> Json | None:
    """`what` is KIND/NAME. None where it is not there."""
    text = kubectl("get", what, "--ignore-not-found", "--show-managed-fields", "-o", "json", *_in(namespace))
    return json.loads(text) if text else None


def must_get(what: str, namespace: str = "") -> Json:
    found = get(what, namespace)
    if found is None:
        raise GaveUp(f"{what} is not there")
    return found


def apply(objects: list[Json], manager: str = "kubectl") -> None:
    kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", text=yaml.safe_dump_all(objects))


def patch(what: str, change: Any, namespace: str = "", kind: str = "merge", subresource: str = "") -> None:
    kubectl("patch", what, f"--type={kind}", "-p", json.dumps(change), *_in(namespace),
            *([f"--subresource={subresource}"] if subresource else []))


def difference(objects: list[Json], manager: str, *flags: str) -> str:
    """What a server-side apply of the objects would change, as `diff` shows it; empty: nothing."""
    return kubectl("diff", "--server-side", f"--field-manager={manager}", *flags, "-f", "-",
                   text=yaml.safe_dump_all(objects), fine=(0, 1))


def live(objects: list[Json]) -> list[Json]:
    """As they are in the cluster, those that are there."""
    text = kubectl("get", "--ignore-not-found", "-o", "json", "-f", "-", text=yaml.safe_dump_all(objects))
    if not text:
        return []
    found = json.loads(text)
    return found["items"] if found["kind"] == "List" else [found]


def versions(objects: list[Json]) -> dict[Key, str]:
    return {key_of(one): one["metadata"]["resourceVersion"] for one in live(objects)}


def settled_versions(objects: list[Json], still: float = 5, seconds: float = 120) -> dict[Key, str]:
    """Once nothing has changed for a while: a status may follow what it is about."""
    deadline = time.monotonic() + seconds
    last = versions(objects)
    while True:
        time.sleep(still)
        now = versions(objects)
        if now == last:
            return now
        last = now
        if time.monotonic() > deadline:
            raise GaveUp(f"objects go on changing for {seconds:.0f} s")


def wait_for(what: str, seconds: float, holds: Callable[[], bool], why: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise GaveUp(f"not within {seconds:.0f} s: {what} {why()}".strip())
        time.sleep(0.5)


def built(folder: pathlib.Path) -> list[Json]:
    return documents(kubectl("kustomize", str(folder)))


def _in(namespace: str) -> list[str]:
    return ["-n", namespace] if namespace else []


class Program:
    """A controller that runs beside the cluster, as its administrator; what it logs is in FOLDER/NAME.log."""

    def __init__(self, folder: pathlib.Path, name: str, arguments: list[str], **variables: str) -> None:
        self.name = name
        self._log = (folder / f"{name}.log").open("ab")
        self._process = subprocess.Popen(arguments, stdout=self._log, stderr=subprocess.STDOUT,
                                         env={**os.environ, **variables})

    def must_run(self) -> None:
        if self._process.poll() is not None:
            raise GaveUp(f"{self.name} ended with {self._process.returncode}: see {self._log.name}")

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
