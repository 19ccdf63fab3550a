"""The processes of the test cluster's node, as they are seen from outside, and what one of them logs."""

from __future__ import annotations

import os
import pathlib
import signal

from client import GaveUp


class Node:
    def __init__(self, state: pathlib.Path) -> None:
        self._state = state
        self._log = state / "log/kube-apiserver.log"
        self._read = self._log.stat().st_size

    def kill_in_pod(self, uid: str, program: str) -> None:
        """SIGKILL. A pod is told by its cgroup, since other clusters may run on this machine."""
        _kill_one(program, lambda process: uid in _text(process / "cgroup"))

    def kill_apiserver(self) -> None:
        _kill_one("kube-apiserver", lambda process: str(self._state / "pki") in _text(process / "cmdline"))

    def log_lines(self) -> list[str]:
        """What kube-apiserver has logged since the last call, whole lines."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        text = text[:text.rfind(b"\n") + 1]
        self._read += len(text)
        return text.decode(errors="replace").splitlines()


def _text(file: pathlib.Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""  # it has ended meanwhile


def _kill_one(program: str, is_it) -> None:
    found = [process for process in pathlib.Path("/proc").iterdir() if process.name.isdigit()
             and os.path.basename(_text(process / "cmdline").split("\0")[0]) == program and is_it(process)]
    if len(found) != 1:
        raise GaveUp(f"{len(found)} processes are {program}, wanted one")
    os.kill(int(found[0].name), signal.SIGKILL)
