"""Carries out a round's operations, in their order: what users, and careless hands, do to a cluster."""

from __future__ import annotations

import collections
import time

import api
from api import Api, Json
from plan import Operation

API_VERSION = "shm-operator.dev/v1alpha1"
PREFIX = "shm-operator.dev/"
MERGE = "application/merge-patch+json"


class Hands:
    """Carries out operations. Each is insisted on until the API server has said something final, so
    that all have happened, once each, when the last one has."""

    def __init__(self, client: Api) -> None:
        self._api = client
        self.done: collections.Counter[str] = collections.Counter()
        # Hands that found nothing to tamper with, as the child was not there at that moment.
        self.without_target: collections.Counter[str] = collections.Counter()

    def run(self, operations: tuple[Operation, ...], began: float) -> None:
        for operation in operations:
            time.sleep(max(0.0, began + operation.at - time.monotonic()))
            self._carry_out(operation)
            self.done[operation.kind] += 1

    def _carry_out(self, operation: Operation) -> None:
        kind = operation.kind
        if kind == "create":
            self._create(operation)
        elif kind == "recreate":
            self._delete(operation, "Background")
            self._create(operation)
        elif kind == "change-replicas":
            self._scale(operation)
        elif kind.startswith("change-"):
            self._api.must("PATCH", self._service(operation) + "?fieldManager=soak",
                           [{"op": "replace", "path": "/spec", "value": operation.detail["spec"]}],
                           "application/json-patch+json")
        elif kind in ("delete-background", "delete-foreground", "delete-orphan"):
            self._delete(operation, kind.removeprefix("delete-").capitalize())
        elif kind == "remove-orphans":
            self._wait_while_going(operation)
            self._remove_child(api.DEPLOYMENTS, operation)
            self._remove_child(api.KUBE_SERVICES, operation)
        elif kind == "pods-ready":
            self._mark_pods_ready(operation)
        else:
            self._tamper(operation)

    def _service(self, operation: Operation) -> str:
        return f"{api.SERVICES.format(operation.namespace)}/{operation.name}"

    def _child(self, path: str, operation: Operation) -> str:
        return f"{path.format(operation.namespace)}/{operation.name}"

    def _create(self, operation: Operation) -> None:
        """One of that name that is on its way out, as a foreground deletion leaves it, is waited for."""
        path = api.SERVICES.format(operation.namespace) + "?fieldManager=soak"
        deadline = time.monotonic() + 120
        while True:
            status, answer = self._api.insist("POST", path, document(operation))
            if status < 300:
                return
            if status != 409:
                raise api.GaveUp(f"create {operation.namespace}/{operation.name}: {answer}")
            status, found = self._api.insist("GET", self._service(operation))
            # Ours, if the answer to an earlier try was lost.
            if status == 200 and "deletionTimestamp" not in found["metadata"]:
                return
            if time.monotonic() > deadline:
                raise api.GaveUp(f"{operation.namespace}/{operation.name} never goes: {found}")
            time.sleep(0.2)

    def _delete(self, operation: Operation, propagation: str) -> None:
        self._api.insist("DELETE", self._service(operation),
                         {"apiVersion": "v1", "kind": "DeleteOptions",
                          "propagationPolicy": propagation})

    def _wait_while_going(self, operation: Operation) -> None:
        """Children are orphans only when their owner has gone: until then they may be made again."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            status, found = self._api.insist("GET", self._service(operation))
            if status == 404 or "deletionTimestamp" not in found["metadata"]:
                return
            time.sleep(0.2)
        raise api.GaveUp(f"{operation.namespace}/{operation.name} never goes")

    def _scale(self, operation: Operation) -> None:
        self._api.must("PATCH", self._service(operation) + "/scale?fieldManager=soak",
                       {"spec": {"replicas": operation.detail["replicas"]}}, MERGE)

    def _remove_child(self, path: str, operation: Operation) -> None:
        status, _ = self._api.insist("DELETE", self._child(path, operation),
                                     {"apiVersion": "v1", "kind": "DeleteOptions",
                                      "propagationPolicy": "Background"})
        if status == 404:
            self.without_target[operation.kind] += 1

    def _tamper(self, operation: Operation) -> None:
        number = operation.detail["number"]
        if operation.kind == "delete-deployment":
            self._remove_child(api.DEPLOYMENTS, operation)
            return
        if operation.kind == "delete-service":
            self._remove_child(api.KUBE_SERVICES, operation)
            return
        path, patch = {
            "tamper-replicas": (api.DEPLOYMENTS, {"spec": {"replicas": number}}),
            "tamper-stamp": (api.DEPLOYMENTS, {"spec": {"template": {"metadata": {
                "annotations": {PREFIX + "shm-size": f"{number * 100}Mi"}}}}}),
            "tamper-label": (api.DEPLOYMENTS, {"metadata": {"labels": {PREFIX + "service": None}}}),
            "tamper-image": (api.DEPLOYMENTS, {"spec": {"template": {"spec": {"containers": [
                {"name": "engine", "image": f"example/tampered:{number}"}]}}}}),
            "tamper-port": (api.KUBE_SERVICES, {"spec": {"ports": [
                {"name": "http", "port": 7000 + number, "targetPort": 7000 + number}]}}),
        }[operation.kind]
        status, answer = self._api.insist(
            "PATCH", self._child(path, operation) + "?fieldManager=careless", patch, MERGE)
        if status == 404:
            self.without_target[operation.kind] += 1
        elif status >= 300:
            raise api.GaveUp(f"{operation}: {status} {answer}")

    def _mark_pods_ready(self, operation: Operation) -> None:
        """As kubelet would, which does not run here."""
        path = api.PODS.format(operation.namespace)
        pods = self._api.must("GET", f"{path}?labelSelector={PREFIX}service={operation.name}")
        if not pods["items"]:
            self.without_target[operation.kind] += 1
        for pod in pods["items"]:
            condition = {"type": "Ready", "status": "True"}
            status, answer = self._api.insist(
                "PATCH", f"{path}/{pod['metadata']['name']}/status?fieldManager=soak",
                {"status": {"phase": "Running", "conditions": [condition]}},
                "application/strategic-merge-patch+json")
            if status >= 300 and status != 404:
                raise api.GaveUp(f"{operation}: {status} {answer}")


def document(operation: Operation) -> Json:
    return {"apiVersion": API_VERSION, "kind": "InferenceService",
            "metadata": {"name": operation.name, "namespace": operation.namespace},
            "spec": operation.detail["spec"]}
