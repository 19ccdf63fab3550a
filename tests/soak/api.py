"""The API server as the soak itself uses it, over the standard library's HTTP client."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from typing import Any

Json = dict[str, Any]

SERVICES = "/apis/shm-operator.dev/v1alpha1/namespaces/{}/inferenceservices"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
KUBE_SERVICES = "/api/v1/namespaces/{}/services"
PODS = "/api/v1/namespaces/{}/pods"
SECRETS = "/api/v1/namespaces/{}/secrets"


class Unreachable(Exception):
    """No answer, or one that says only that the server cannot at the moment."""


class GaveUp(Exception):
    """The server did not take it in time, though it was to be back by then."""


class Api:
    """Thread-safe: every call has a connection of its own."""

    def __init__(self, port: int, authority: str, certificate: str, key: str) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=authority)
        self._tls.load_cert_chain(certificate, key)

    def call(self, method: str, path: str, body: Json | list[Json] | None = None,
             kind: str = "application/json", timeout: float = 5) -> tuple[int, Json]:
        """The answer's status and document; Unreachable where there is none to be trusted."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, timeout=timeout,
                                                 context=self._tls)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": kind, "Accept": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(error)) from error
        finally:
            connection.close()
        try:
            document = json.loads(text)
        except ValueError:
            document = {"message": text.decode(errors="replace")}
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable(f"{answer.status}: {document.get('message', '')}")
        return answer.status, document

    def insist(self, method: str, path: str, body: Json | list[Json] | None = None,
               kind: str = "application/json", seconds: float = 90) -> tuple[int, Json]:
        """As call, tried again until the server says something final."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.call(method, path, body, kind)
            except Unreachable as error:
                if time.monotonic() > deadline:
                    raise GaveUp(f"{method} {path}: {error}") from error
                time.sleep(0.2)

    def must(self, method: str, path: str, body: Json | list[Json] | None = None,
             kind: str = "application/json") -> Json:
        status, document = self.insist(method, path, body, kind)
        if status >= 300:
            raise GaveUp(f"{method} {path}: {status} {document.get('message', '')}")
        return document

    def items(self, path: str) -> list[Json]:
        """One list, or Unreachable."""
        status, document = self.call("GET", path)
        if status != 200:
            raise Unreachable(f"{path}: {status} {document.get('message', '')}")
        return document.get("items", [])


class Etcd:
    """The keys of the API server's store, by etcd's JSON gateway: every write shows here."""

    def __init__(self, port: int) -> None:
        self._port = port

    def versions(self) -> dict[str, str]:
        """The revision in which each key but the leases was written last."""
        body = {"key": base64.b64encode(b"/registry/").decode(),
                "range_end": base64.b64encode(b"/registry0").decode(), "keys_only": True}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("POST", "/v3/kv/range", json.dumps(body))
            document = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unreachable(str(error)) from error
        finally:
            connection.close()
        found = {base64.b64decode(pair["key"]).decode(): pair["mod_revision"]
                 for pair in document.get("kvs", [])}
        return {key: revision for key, revision in found.items()
                if not key.startswith("/registry/leases/")}
