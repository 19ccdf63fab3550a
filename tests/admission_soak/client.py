"""The API server, as an ordinary client has it: one connection a thread, kept for as long as it lasts."""

from __future__ import annotations

import http.client
import json
import pathlib
import re
import ssl
import threading
import time
from typing import Any, Callable
from urllib.parse import urlsplit

Json = dict[str, Any]

SYSTEM = "shm-system"
CORE = "/api/v1/namespaces/{}/{}"
APPS = "/apis/apps/v1/namespaces/{}/{}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
SERVICES = "/apis/shm-operator.dev/v1alpha1/namespaces/{}/inferenceservices"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/shm-operator"

MERGE_PATCH = "application/merge-patch+json"
TRANSIENT = (429, 500, 503, 504)


class Away(Exception):
    """No answer came."""


class GaveUp(Exception):
    """Something did not become as it should in its time."""


class Api:
    """Thread-safe."""

    def __init__(self, state: pathlib.Path) -> None:
        kubeconfig = (state / "kubeconfig").read_text()
        address = urlsplit(re.search(r'server: "?([^",}\s]+)', kubeconfig)[1])
        self._host, self._port = address.hostname, address.port
        self._tls = ssl.create_default_context(cafile=str(state / "pki/ca.crt"))
        self._tls.load_cert_chain(str(state / "pki/admin.crt"), str(state / "pki/admin.key"))
        self._mine = threading.local()

    def call(self, method: str, path: str, body: Json | None = None,
             kind: str = "application/json") -> tuple[int, bytes]:
        """Status and body of the answer, whatever it is; Away where there is none."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = http.client.HTTPSConnection(self._host, self._port, timeout=20,
                                                                context=self._tls)
        connection = self._mine.connection
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()  # the next request opens it again
            raise Away(f"{type(error).__name__}: {error}") from error

    def must(self, method: str, path: str, body: Json | None = None, kind: str = "application/json",
             fine: tuple[int, ...] = (), seconds: float = 60) -> Json:
        """The document of an answer below 300, or with a status that is `fine`; tried again meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, text = self.call(method, path, body, kind)
                if status < 300 or status in fine:
                    return json.loads(text)
                problem = f"{status} {text[:300]!r}"
                final = status not in TRANSIENT
            except Away as error:
                problem, final = str(error), False
            if final or time.monotonic() > deadline:
                raise GaveUp(f"{method} {path}: {problem}")
            time.sleep(0.2)

    def get(self, path: str) -> Json | None:
        """None where it is not there."""
        document = self.must("GET", path, fine=(404,))
        return None if document.get("kind") == "Status" else document

    def text(self, path: str) -> str:
        """Empty where it cannot be had at the moment."""
        try:
            status, text = self.call("GET", path)
        except Away:
            return ""
        return text.decode(errors="replace") if status == 200 else ""

    def ready(self) -> bool:
        return self.text("/readyz") == "ok"


def wait_for(what: str, seconds: float, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise GaveUp(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
