"""Creates pods from several workers at a bounded rate, looks at each answer, and deletes them again."""

from __future__ import annotations

import collections
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator

from client import CORE, Api, Away, GaveUp
from pace import Pace
from plan import NAMESPACES, Pod, manifest
from verdict import Outcome, is_broken_connection, judge, pattern_of, unsized_because

WORKERS = 6
DELETERS = 2
RETRY_SECONDS = 0.3
LONGEST_AWAY = 180.0


class Counts:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: collections.Counter[str] = collections.Counter()
        self.messages: collections.Counter[str] = collections.Counter()

    def add(self, what: str, message: str = "") -> None:
        with self._lock:
            self._counts[what] += 1
            if message:
                self.messages[f"{what}: {pattern_of(message)}"] += 1

    def __getitem__(self, what: str) -> int:
        with self._lock:
            return self._counts[what]


# What is counted, in the report's words.
SIZED = "admitted and sized"
UNSIZED = "admitted without its size"
REFUSED = "refused by admission"
AFTER_KILL = "refused by admission after the kill -9 of a webhook replica, and tried again"
AWAY = "tried again as the API server itself was away"
EXISTED = "found there, made by an attempt whose answer was lost"
OTHER = "refused by something else"


class Creator:
    """`replica_is_dead` says whether a webhook replica was killed and is not back yet, `under_way` which disturbance is."""

    def __init__(self, api: Api, pods: Iterator[Pod], rate: float, replica_is_dead: Callable[[], bool],
                 under_way: Callable[[], str]) -> None:
        self.counts = Counts()
        self._api = api
        self._pace = Pace(pods, rate)
        self._replica_is_dead = replica_is_dead
        self._under_way = under_way
        self._stop = threading.Event()
        self._made: queue.SimpleQueue[Pod | None] = queue.SimpleQueue()
        self._workers = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        self._deleters = [threading.Thread(target=self._delete_all) for _ in range(DELETERS)]
        self.problems: list[str] = []

    def start(self) -> None:
        for thread in self._workers + self._deleters:
            thread.start()

    def stop(self) -> None:
        """Back when every pod that was begun is through, and deleted."""
        self._stop.set()
        for thread in self._workers:
            thread.join()
        for _ in self._deleters:
            self._made.put(None)
        for thread in self._deleters:
            thread.join()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._create(self._pace.next())
        except GaveUp as error:
            self.problems.append(str(error))

    def _create(self, pod: Pod) -> None:
        """Until it is there: a client whose pod is refused by a webhook that fails tries again."""
        path, body = CORE.format(pod.namespace, "pods"), manifest(pod)
        deadline = time.monotonic() + LONGEST_AWAY
        while time.monotonic() < deadline:
            replica_was_dead = self._replica_is_dead()
            try:
                status, text = self._api.call("POST", path, body)
            except Away as error:
                self.counts.add(AWAY, str(error))
                self._wait_for_apiserver(deadline)
                continue
            document = json.loads(text)
            message = document.get("message", "")
            outcome = judge(status, message)
            if outcome is Outcome.EXISTS:
                self.counts.add(EXISTED)
                document = self._api.must("GET", f"{path}/{pod.name}")
            if outcome in (Outcome.ADMITTED, Outcome.EXISTS):
                return self._look_at(pod, document)
            self._count_failure(outcome, message, replica_was_dead or self._replica_is_dead())
            time.sleep(RETRY_SECONDS)
        raise GaveUp(f"{pod.name} could not be made within {LONGEST_AWAY:.0f} s")

    def _look_at(self, pod: Pod, document: dict) -> None:
        lacking = unsized_because(document, pod)
        self.counts.add(UNSIZED if lacking else SIZED, "; ".join(lacking))
        self._made.put(pod)

    def _count_failure(self, outcome: Outcome, message: str, replica_is_dead: bool) -> None:
        if outcome is Outcome.AWAY:
            self.counts.add(AWAY, message)
        elif outcome is Outcome.REFUSED:
            if replica_is_dead and is_broken_connection(message):
                self.counts.add(AFTER_KILL, message)
            else:
                self.counts.add(REFUSED, f"during {self._under_way()}: {message}")
                print(f"{time.strftime('%H:%M:%S')} refused during {self._under_way()}: {message}", flush=True)
        else:
            self.counts.add(OTHER, message)

    def _wait_for_apiserver(self, deadline: float) -> None:
        """As what balances load before API servers does: none that is not ready is asked."""
        while not self._api.ready() and time.monotonic() < deadline:
            time.sleep(RETRY_SECONDS)

    def _delete_all(self) -> None:
        try:
            while pod := self._made.get():
                self._api.must("DELETE", CORE.format(pod.namespace, "pods") + f"/{pod.name}?gracePeriodSeconds=0",
                               fine=(404,), seconds=LONGEST_AWAY)
        except GaveUp as error:
            self.problems.append(str(error))


def left_over(api: Api) -> int:
    """How many pods of the soak are still there."""
    return sum(len(api.must("GET", CORE.format(name, "pods"))["items"]) for name in NAMESPACES.values())
