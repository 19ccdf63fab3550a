"""Creates pods without end, at a bounded rate, looks at each answer, and deletes them again."""

from __future__ import annotations

import collections
import dataclasses
import json
import threading
from collections.abc import Iterator

from phases import FINE, Fate, Phase, fate_of_refusal, laxer
from shared import CORE, Api, Away, GaveUp, Outcome, Pace, Pod, judge, manifest, pattern_of, unsized_because

WORKERS = 3


@dataclasses.dataclass(frozen=True)
class Moment:
    """Of which step, in which phase. What is shown of a creation is the moment it is held to."""
    step: str
    phase: Phase


class Stream:
    """`at` is set by who runs the steps."""

    def __init__(self, api: Api, pods: Iterator[Pod], rate: float) -> None:
        self.at = Moment("", Phase.ABSENT)
        self.fates: dict[Moment, collections.Counter[Fate]] = collections.defaultdict(collections.Counter)
        self.messages: collections.Counter[str] = collections.Counter()
        self.faults: collections.Counter[str] = collections.Counter()
        self.problems: list[str] = []
        self._api = api
        self._pace = Pace(pods, rate)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._workers = [threading.Thread(target=self._work) for _ in range(WORKERS)]

    def start(self) -> None:
        for thread in self._workers:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._workers:
            if thread.is_alive():
                thread.join()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._create(self._pace.next())
        except (GaveUp, Away) as error:
            self.problems.append(f"creating pods: {type(error).__name__}: {error}")

    def _create(self, pod: Pod) -> None:
        """One attempt: whatever is refused stays so."""
        path = CORE.format(pod.namespace, "pods")
        begun = self.at
        status, text = self._api.call("POST", path, manifest(pod))
        ended = self.at
        document = json.loads(text)
        outcome = judge(status, document.get("message", ""))
        if outcome is Outcome.ADMITTED:
            lacking = unsized_because(document, pod)
            fate, message = (Fate.UNSIZED, "; ".join(lacking)) if lacking else (Fate.SIZED, "")
            self._api.must("DELETE", f"{path}/{pod.name}?gracePeriodSeconds=0", fine=(404,))
        else:
            message = document.get("message", "")
            fate = fate_of_refusal(message) if outcome is Outcome.REFUSED else Fate.REFUSED
        self._count(begun, ended, fate, f"{pod.kind} pod: {message}")

    def _count(self, begun: Moment, ended: Moment, fate: Fate, message: str) -> None:
        held_to = begun if laxer(begun.phase, ended.phase) is begun.phase else ended
        with self._lock:
            self.fates[held_to][fate] += 1
            if fate in (Fate.NOT_SERVING, Fate.REFUSED):
                self.messages[f"{held_to.phase.value}: {pattern_of(message)}"] += 1
            if fate not in FINE[held_to.phase]:
                self.faults[f"{held_to.step}, while {held_to.phase.value}: {fate.value}: {pattern_of(message)}"] += 1
