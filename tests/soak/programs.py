"""Child processes of the soak, and links between its networks."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
from typing import Callable

from api import GaveUp


def wait_until(seconds: float, what: str, holds: Callable[[], bool], pause: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise GaveUp(f"waited {seconds} s for {what}")
        time.sleep(pause)


class Program:
    """A child process of ours, known by its Popen: a number that was given again is never signalled."""

    def __init__(self, name: str, log: pathlib.Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.kill()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL, start_new_session=True,
                                             env={**os.environ, **(environment or {})})

    def kill(self) -> None:
        """SIGKILL, and back when it has ended."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended_by_itself(self) -> int | None:
        """Its exit status, where nobody here killed it."""
        return self._process.poll() if self._process is not None else None

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def run_ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr}")
