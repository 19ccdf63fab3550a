"""Pods are created while what is around the webhook changes."""

from __future__ import annotations

import threading
import time

import create
import plan
from client import CORE, SERVICES, Api, GaveUp, wait_for
from create import Creator
from disturb import Disturber, Done
from node import Node
from watch import Watcher


class Soak:
    def __init__(self, api: Api, node: Node, seed: int, rate: float, longest_pause: float) -> None:
        self._api = api
        self._seed = seed
        self._longest_pause = longest_pause
        self._disturber = Disturber(api, node)
        self._watched_node = node
        self.creator = Creator(api, plan.pods(seed), rate, lambda: self._disturber.replica_is_dead,
                               lambda: self._under_way)
        self.watcher: Watcher | None = None
        self.done: list[Done] = []
        self.problems: list[str] = []
        self.seconds = 0.0
        self._under_way = "none"
        self._enough = threading.Event()

    def prepare(self) -> None:
        """Namespaces and InferenceServices; back when a pod of each kind comes out sized."""
        self._disturber.wait_until_whole()
        for kind, name in plan.NAMESPACES.items():
            labels = {"shm-operator.dev/injection": "enabled"} if kind == plan.SELECTED else {}
            self._api.must("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
            account = CORE.format(name, "serviceaccounts") + "/default"
            wait_for(f"the service account of {name}", 60, lambda path=account: self._api.get(path) is not None)
            for service in plan.services(kind):
                self._api.must("POST", SERVICES.format(name), service)
            wait_for(f"the statuses in {name}", 60, lambda path=SERVICES.format(name): all(
                "conditions" in one.get("status", {}) for one in self._api.must("GET", path)["items"]))

    def clean_up(self) -> None:
        for name in plan.NAMESPACES.values():
            self._api.must("DELETE", f"/api/v1/namespaces/{name}", fine=(404,))
        for name in plan.NAMESPACES.values():
            wait_for(f"the end of {name}", 120, lambda path=f"/api/v1/namespaces/{name}": self._api.get(path) is None)

    def run(self, pods: int) -> None:
        """Until that many pods were created and every disturbance was there once."""
        self.watcher = Watcher(self._api, self._watched_node, lambda: self._under_way)
        began = time.monotonic()
        schedule = threading.Thread(target=self._disturb, args=(began,))
        self.watcher.start()
        self.creator.start()
        schedule.start()
        while self.creator.counts[create.SIZED] < pods and not self._broken():
            time.sleep(0.5)
        self._enough.set()
        schedule.join()
        self.creator.stop()
        self.watcher.stop()
        self.seconds = time.monotonic() - began
        self.problems += self.creator.problems
        if left := create.left_over(self._api):
            self.problems.append(f"{left} pods were not deleted")

    def _broken(self) -> bool:
        return bool(self.problems or self.creator.problems)

    def _disturb(self, began: float) -> None:
        kinds = set(plan.DISTURBANCES)
        for disturbance in plan.schedule(self._seed):
            if self._broken() or self._enough.is_set() and not kinds:
                return
            time.sleep(disturbance.pause * self._longest_pause)
            at = time.monotonic()
            self._under_way = disturbance.kind
            try:
                self._disturber.run(disturbance)
            except (GaveUp, KeyError, ValueError, OSError) as error:
                self.problems.append(f"{disturbance.kind}: {type(error).__name__}: {error}")
                return
            self._under_way = "none"
            self.done.append(Done(disturbance.kind, at - began, time.monotonic() - at))
            print(f"{at - began:6.1f} s  {disturbance.kind}, {time.monotonic() - at:.1f} s; "
                  f"{self.creator.counts[create.SIZED]} pods sized", flush=True)
            kinds.discard(disturbance.kind)
