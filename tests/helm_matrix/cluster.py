"""The test cluster: commands that are run against it, and everything that is in it."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import time
from collections.abc import Iterator

from objects import Json, Key
from shared import APPS, CONFIGURATION, CORE, SYSTEM, Api, wait_for

# Events come and go, and the API server forgets them after an hour.
PASSING = {"events", "componentstatuses"}
PROGRAMS = ("shm-operator", "shm-operator-webhook")
AGGREGATED = ("view", "edit", "admin")


@dataclasses.dataclass(frozen=True)
class Ran:
    command: list[str]
    status: int
    out: str
    err: str
    seconds: float


class Cluster:
    def __init__(self, state: pathlib.Path, api: Api) -> None:
        self.api = api
        helm_home = {f"HELM_{kind}_HOME": str(state / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        self._environment = os.environ | helm_home | {"KUBECONFIG": str(state / "kubeconfig")}

    def run(self, command: list[str], given: str | None = None) -> Ran:
        began = time.monotonic()
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=self._environment,
                              timeout=480)
        return Ran(command, done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def everything(self) -> dict[Key, Json]:
        """All objects of all kinds, but those that pass."""
        found = {}
        for group, resource, path in self._resources():
            for item in self.api.must("GET", path, fine=(404, 405))["items"]:
                metadata = item["metadata"]
                found[Key(group, resource, metadata.get("namespace", ""), metadata["name"])] = item
        return found

    def _resources(self) -> Iterator[tuple[str, str, str]]:
        """Group, name and path of each kind that can be listed, in its preferred version."""
        bases = [("", "/api/v1")]
        for group in self.api.must("GET", "/apis")["groups"]:
            bases.append((group["name"], f"/apis/{group['preferredVersion']['groupVersion']}"))
        for group, base in bases:
            for resource in self.api.must("GET", base, fine=(404, 503)).get("resources", []):
                if "/" not in resource["name"] and "list" in resource["verbs"] and resource["name"] not in PASSING:
                    yield group, resource["name"], f"{base}/{resource['name']}"

    def aggregated_rules(self) -> dict[str, list[Json]]:
        """What Kubernetes' own roles hold, to which the chart adds while it is installed."""
        path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
        return {name: sorted(self.api.must("GET", path + name)["rules"], key=str) for name in AGGREGATED}

    def deployment(self, name: str) -> Json | None:
        return self.api.get(f"{APPS.format(SYSTEM, 'deployments')}/{name}")

    def configuration(self) -> Json | None:
        return self.api.get(CONFIGURATION)

    def bundles(self) -> list[str]:
        configuration = self.configuration() or {}
        return [entry["clientConfig"].get("caBundle", "") for entry in configuration.get("webhooks", [])]

    def own_pods(self, with_ending: bool = False) -> list[Json]:
        selector = "?labelSelector=app.kubernetes.io/name=shm-operator"
        items = self.api.must("GET", CORE.format(SYSTEM, "pods") + selector)["items"]
        return [pod for pod in items if with_ending or "deletionTimestamp" not in pod["metadata"]]

    def wait_until_installed(self) -> None:
        """Both programs rolled out, caBundle written."""
        for name in PROGRAMS:
            wait_for(f"the rollout of {name}", 180, lambda name=name: _rolled_out(self.deployment(name)))
        wait_for("caBundle", 60, lambda: bool(self.bundles()) and all(self.bundles()))

    def delete(self, path: str, seconds: float = 180) -> None:
        """Back when it is gone. Fine if it was never there."""
        self.api.must("DELETE", path, fine=(404,))
        wait_for(f"the end of {path}", seconds, lambda: self.api.get(path) is None)


def _rolled_out(deployment: Json | None) -> bool:
    if deployment is None:
        return False
    wanted, status = deployment["spec"]["replicas"], deployment.get("status", {})
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and all(
        status.get(field, 0) == wanted for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"))
