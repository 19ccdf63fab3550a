"""Somebody's repository of InferenceServices. Busybox stands in for the model server."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml

from compare import Json
from plan import RESTRICTED

NAMESPACE = "llm"
CONTAINER = {"name": "engine", "image": "local/busybox:1", "imagePullPolicy": "Never", "command": ["sleep", "1000000"],
             "securityContext": RESTRICTED}


def namespace() -> Json:
    return {"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": {"shm-operator.dev/injection": "enabled"}}}


def service(name: str, degree: int, container: Json | None = None, **spec: Any) -> Json:
    """An InferenceService with a template; with a `selector`, without."""
    made = {"tensorParallelSize": degree, **spec}
    if "selector" not in spec:
        made["template"] = {"spec": {"terminationGracePeriodSeconds": 1, "containers": [{**CONTAINER, **(container or {})}]}}
    return {"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": made}


def deployment(name: str) -> Json:
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [CONTAINER]}}}}


class Tree:
    """The folder `engines`, a file for each object, and the kustomization.yaml that lists them."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._folder = root / "engines"
        self._folder.mkdir(parents=True)

    def write(self, name: str, *objects: Json) -> None:
        (self._folder / f"{name}.yaml").write_text(yaml.safe_dump_all(objects))
        self._list()

    def remove(self, name: str) -> None:
        (self._folder / f"{name}.yaml").unlink()
        self._list()

    def _list(self) -> None:
        files = sorted(file.name for file in self._folder.glob("*.yaml") if file.name != "kustomization.yaml")
        (self._folder / "kustomization.yaml").write_text(yaml.safe_dump({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": files}))
