"""What kube-apiserver and the webhook themselves say of admission, followed while the soak runs."""

from __future__ import annotations

import base64
import collections
import hashlib
import threading
from collections.abc import Callable

from client import CORE, SYSTEM, Api, Away, GaveUp
from node import Node
from verdict import Growth, counters, is_handshake_failure, pattern_of

WEBHOOK_METRICS = ("shm_webhook_rejected_total", 'shm_webhook_requests_total{entry="labelled",outcome="error"',
                   'shm_webhook_requests_total{entry="namespace",outcome="error"')
APISERVER_METRICS = ("apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count")
HANDSHAKE = 'shm_webhook_rejected_total{reason="handshake"}'
PERIOD = 2.0
APISERVER_EVERY = 5  # periods: its metrics are long


class Watcher:
    """Looks every two seconds. A process that is killed takes what it counted since with it."""

    def __init__(self, api: Api, node: Node, under_way: Callable[[], str]) -> None:
        """`under_way` names the disturbance of the moment."""
        self._api = api
        self._node = node
        self._under_way = under_way
        self.webhook = Growth()
        self.apiserver = Growth()
        self.handshake_failures: collections.Counter[str] = collections.Counter()
        # What the webhook counts, by the disturbance that was under way when it was seen.
        self.rejected_during: collections.Counter[str] = collections.Counter()
        self.failed_calls = 0  # lines of kube-apiserver's log
        self.authorities: set[str] = set()
        self.leaves: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._look(with_apiserver=True)
        self.webhook.begin()
        self.apiserver.begin()
        self.rejected_during.clear()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._look(with_apiserver=True)

    def _follow(self) -> None:
        turn = 0
        while not self._stop.wait(PERIOD):
            turn += 1
            self._look(with_apiserver=turn % APISERVER_EVERY == 0)

    def _look(self, with_apiserver: bool) -> None:
        try:
            self._look_at_replicas()
            self._look_at_certificates()
        except (Away, GaveUp):
            pass  # the next look finds the rest
        if with_apiserver:
            self.apiserver.see("apiserver", counters(self._api.text("/metrics"), APISERVER_METRICS))
        for line in self._node.log_lines():
            if "failed calling webhook" in line.lower():
                self.failed_calls += 1
            if is_handshake_failure(line):
                self.handshake_failures[pattern_of(line.split("] ", 1)[-1])] += 1

    def _look_at_replicas(self) -> None:
        selector = "?labelSelector=app.kubernetes.io/component=webhook"
        pods = CORE.format(SYSTEM, "pods")
        for pod in self._api.must("GET", pods + selector, seconds=0)["items"]:
            name = pod["metadata"]["name"]
            text = self._api.text(f"{pods}/{name}:8080/proxy/metrics")
            grown = self.webhook.see(name, counters(text, WEBHOOK_METRICS))
            self.rejected_during[self._under_way()] += round(grown.get(HANDSHAKE, 0))

    def _look_at_certificates(self) -> None:
        for name, seen in (("shm-operator-ca", self.authorities), ("shm-operator-webhook-tls", self.leaves)):
            path = CORE.format(SYSTEM, "secrets") + "/" + name
            secret = self._api.must("GET", path, fine=(404,), seconds=0)
            certificate = secret.get("data", {}).get("tls.crt")
            if certificate:
                seen.add(hashlib.sha256(base64.b64decode(certificate)).hexdigest())
