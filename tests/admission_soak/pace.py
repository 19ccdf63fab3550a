"""Hands out pods at a bounded rate. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from plan import Pod


class Pace:
    """`rate`: pods a second, at most."""

    def __init__(self, pods: Iterator[Pod], rate: float) -> None:
        self._pods = pods
        self._pause = 1 / rate
        self._lock = threading.Lock()
        self._next_at = 0.0

    def next(self) -> Pod:
        """The next pod, when its time has come. What was missed while nothing went is not made up for."""
        with self._lock:
            self._next_at = max(self._next_at + self._pause, time.monotonic())
            at, pod = self._next_at, next(self._pods)
        time.sleep(max(0.0, at - time.monotonic()))
        return pod
