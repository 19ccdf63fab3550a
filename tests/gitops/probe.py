"""Pods that the webhook is asked about, by dry runs of their creation: none is made."""

from __future__ import annotations

import collections
import http.client
import json
import threading

from client import CORE, Api, Away
from compare import Json, shared_memory
from plan import RESTRICTED

PODS = CORE + "?dryRun=All"


def pod(labels: dict[str, str]) -> Json:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "probe-", "labels": labels},
            "spec": {"containers": [{"name": "engine", "image": "local/busybox:1", "securityContext": RESTRICTED}]}}


def labelled(service: str) -> Json:
    """Seen by the entry `labelled`."""
    return pod({"shm-operator.dev/service": service})


def admitted(api: Api, namespace: str, document: Json) -> str:
    """The size of its shared memory, or why it was refused."""
    try:
        status, text = api.call("POST", PODS.format(namespace, "pods"), document)
    except Away:  # the API server ends connections that were idle for a while
        status, text = api.call("POST", PODS.format(namespace, "pods"), document)
    answer = json.loads(text)
    return shared_memory(answer) if status == 201 else f"{status}: {answer.get('message', '')}"


class Stream:
    """Creations one after the other by several clients, while something else goes on."""

    def __init__(self, api: Api, namespace: str, document: Json, size: str, clients: int = 2) -> None:
        self._api, self._namespace, self._document, self._size = api, namespace, document, size
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.sized = 0
        self.others: collections.Counter[str] = collections.Counter()
        self._threads = [threading.Thread(target=self._create) for _ in range(clients)]

    def __enter__(self) -> Stream:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def counts(self) -> str:
        """Refused of all, and with what words."""
        refused = sum(self.others.values())
        words = "; ".join(f"{times} × {answer[-200:]}" for answer, times in self.others.most_common())
        return f"{refused} of {refused + self.sized}" + (f" ({words})" if words else "")

    def _create(self) -> None:
        while not self._stop.wait(0.02):
            try:
                answer = admitted(self._api, self._namespace, self._document)
            except (Away, http.client.HTTPException) as error:
                answer = f"no answer: {error}"
            with self._lock:
                if answer == self._size:
                    self.sized += 1
                else:
                    self.others[answer] += 1
