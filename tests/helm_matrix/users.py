"""What users have on the cluster: namespaces, InferenceServices, pods of the stream, and one engine that runs."""

from __future__ import annotations

from cluster import Cluster
from next_chart import FIELD
from shared import APPS, CORE, LABELLED, MERGE_PATCH, NAMESPACES, RESTRICTED, SELECTED, SERVICES, Json, services, wait_for

ENGINE = {"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
          "metadata": {"name": "engine", "namespace": NAMESPACES[LABELLED]},
          "spec": {"tensorParallelSize": 2, "template": {"spec": {
              "terminationGracePeriodSeconds": 0,
              "containers": [{"name": "engine", "image": "local/busybox:1", "command": ["sleep", "1000000"],
                              "securityContext": RESTRICTED}]}}}}
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/inferenceservices.shm-operator.dev"
STRICT = "?fieldValidation=Strict"


class Users:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._api = cluster.api

    def come(self) -> None:
        """Back when the engine runs and each InferenceService has a status."""
        for kind, name in NAMESPACES.items():
            labels = {"shm-operator.dev/injection": "enabled"} if kind == SELECTED else {}
            self._api.must("POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
            account = CORE.format(name, "serviceaccounts") + "/default"
            wait_for(f"the service account of {name}", 60, lambda path=account: self._api.get(path) is not None)
            for service in services(kind):
                self._api.must("POST", SERVICES.format(name) + STRICT, service)
        self._api.must("POST", SERVICES.format(NAMESPACES[LABELLED]) + STRICT, ENGINE)
        wait_for("the engine", 120, lambda: len(self._running()) == 1)
        for name in NAMESPACES.values():
            wait_for(f"the statuses in {name}", 60, lambda path=SERVICES.format(name): all(
                "conditions" in one.get("status", {}) for one in self._api.must("GET", path)["items"]))

    def go(self) -> None:
        paths = [f"/api/v1/namespaces/{name}" for name in NAMESPACES.values()]
        for path in paths:
            self._api.must("DELETE", path, fine=(404,))
        for path in paths:
            self._cluster.delete(path)

    def untouched(self) -> Json:
        """What must be the same whatever is done to the installation."""
        namespace = NAMESPACES[LABELLED]
        deployments = self._api.must("GET", APPS.format(namespace, "deployments"))["items"]
        return {"pods of the engine": self._running(),
                "Deployments": {one["metadata"]["name"]: (one["metadata"]["uid"], one["spec"]["template"]) for one in deployments}}

    def _running(self) -> list[tuple[str, int]]:
        """Pods of the engine that run, each with how often it was restarted."""
        path = CORE.format(NAMESPACES[LABELLED], "pods") + "?labelSelector=shm-operator.dev/service=engine"
        return [(pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
                for pod in self._api.must("GET", path)["items"] if pod["status"].get("phase") == "Running"]

    def use_new_field(self) -> None:
        """Of the next version's CRD; the one before refuses it."""
        self._api.must("PATCH", f"{SERVICES.format(NAMESPACES[LABELLED])}/engine{STRICT}", {"spec": {FIELD: "new"}}, MERGE_PATCH)

    def keep_new_field(self) -> bool:
        return self._engine()["spec"].get(FIELD) == "new"

    def is_looked_at(self) -> bool:
        """Whether the operator has seen the engine as it is."""
        engine = self._engine()
        return engine.get("status", {}).get("observedGeneration") == engine["metadata"]["generation"]

    def _engine(self) -> Json:
        return self._api.must("GET", SERVICES.format(NAMESPACES[LABELLED]) + "/engine")
