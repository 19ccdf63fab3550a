"""Runs the rounds: faults and operations side by side, then heals, waits until quiet, and compares."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any, Callable

import checker
import state
from api import GaveUp, Unreachable
from cluster import Cluster
from faults import Strike
from operations import Hands
from plan import Round

QUIET_SECONDS = 3.0
QUIET_DEADLINE = 180.0
COLLECTOR_SECONDS = 8.0  # for the garbage collector, before it is known to have missed something


@dataclasses.dataclass
class RoundResult:
    number: int
    faults: list[str]
    operations: int
    hurt_seconds: float  # until the last fault was healed and the last operation was through
    recovery_seconds: float  # from there until all was as wanted
    differences: list[str]
    broken: bool  # the faults or the operations themselves failed: what comes is not the plan's


class Soak:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.hands = Hands(cluster.api)
        self.collector_restarts = 0

    def run_round(self, turn: Round) -> RoundResult:
        began = time.monotonic()
        problems = self._hurt(turn, began)
        broken = bool(problems)
        healed = time.monotonic()
        problems += _guarded(self._cluster.wait_for_apiserver)
        settled, left = self._settle(turn)
        problems += left
        problems += state.program_differences(self._cluster)
        return RoundResult(turn.number, [fault.kind for fault in turn.faults], len(turn.operations),
                           healed - began, max(0.0, settled - healed), problems,
                           broken)

    def _hurt(self, turn: Round, began: float) -> list[str]:
        """Every fault and the operations in threads of their own; back when all are through."""
        problems: list[str] = []

        def run(work: Callable[[], Any]) -> None:
            problems.extend(_guarded(work))

        strikes = [Strike(self._cluster, fault) for fault in turn.faults]
        works = [lambda strike=strike: strike.run(began) for strike in strikes]
        works.append(lambda: self.hands.run(turn.operations, began))
        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return problems

    def _settle(self, turn: Round) -> tuple[float, list[str]]:
        """Waits until there is no difference and nothing but leases is written any more.

        Back with the moment from which both held, and with what still differs at the deadline.
        """
        began = time.monotonic()
        deadline = began + QUIET_DEADLINE
        restarts = self.collector_restarts
        versions: dict[str, str] = {}
        since = time.monotonic()
        found: list[str] = ["never looked at"]
        while time.monotonic() < deadline:
            try:
                seen = self._cluster.etcd_keys.versions()
                now_found = self._differences(turn)
            except (Unreachable, GaveUp) as error:
                seen, now_found = {}, [f"cannot be looked at: {error}"]
            if (now_found and time.monotonic() > began + COLLECTOR_SECONDS
                    and restarts == self.collector_restarts):
                self._help_collector()
            moved = sorted(key for key in versions.keys() | seen.keys()
                           if versions.get(key) != seen.get(key))
            if moved or now_found or found:
                since = time.monotonic()
            versions, found = seen, now_found
            if not found and time.monotonic() - since >= QUIET_SECONDS:
                return since, []
            time.sleep(0.3)
        return time.monotonic(), found or [f"is never quiet, written last: {', '.join(moved)}"]

    def _help_collector(self) -> None:
        """A new one sees by itself that an owner is gone: checker.missed_by_collector says why."""
        try:
            missed = checker.missed_by_collector(state.take_snapshot(self._cluster.api))
        except Unreachable:
            return
        if missed:
            print(f"the garbage collector missed {', '.join(missed)}: starting it again", flush=True)
            self._cluster.start_controllers()
            self.collector_restarts += 1

    def _differences(self, turn: Round) -> list[str]:
        cluster = self._cluster
        found = checker.differences(state.take_snapshot(cluster.api), turn.model)
        if not found:  # what costs more to look at
            found += state.operator_differences(cluster)
            found += state.pair_differences(cluster)
        return found


def _guarded(work: Callable[[], Any]) -> list[str]:
    """The lines that it returns, or what it broke off with."""
    try:
        return list(work() or [])
    except (GaveUp, Unreachable, RuntimeError, OSError, KeyError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]
