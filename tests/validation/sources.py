"""All manifests that we ship or describe, each with a name and its text: what validate.py holds against schemas, and
tests/integration/manifests_test.py against an API server. Needs helm and kubectl on the PATH."""

from __future__ import annotations

import copy
import dataclasses
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "charts/shm-operator"
OVERLAYS = ROOT / "deploy/overlays"
OURS = "shm-operator.dev/v1alpha1"
# YAML files of deploy/ that are no objects for an API server, and what they are.
NOT_OBJECTS = {
    "deploy/gitops/argocd/argocd-cm-patch.yaml": "a patch of a ConfigMap",
    "deploy/overlays/*/values.yaml": "values of the chart",
    "deploy/base/kustomization.yaml": "kustomize's own; the overlays are built",
    "deploy/overlays/*/kustomization.yaml": "kustomize's own; they are built",
}

Object = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Manifest:
    name: str
    text: str

    def objects(self) -> list[Object]:
        return [o for o in yaml.safe_load_all(self.text) if o]


def output(*command: str | pathlib.Path, text: str | None = None) -> str:
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def reason_not_an_object(path: str) -> str | None:
    return next((reason for pattern, reason in NOT_OBJECTS.items() if pathlib.PurePath(path).match(pattern)), None)


def files() -> Iterator[Manifest]:
    """Those of deploy/ and the CRDs, as they stand."""
    tracked = output("git", "ls-files", "--cached", "--others", "--exclude-standard",
                     "deploy/*.yaml", "crds/*.yaml", "charts/*/crds/*.yaml").split()
    assert tracked
    for path in tracked:
        if not reason_not_an_object(path):
            yield Manifest(path, (ROOT / path).read_text())


def overlays() -> Iterator[Manifest]:
    for path in sorted(OVERLAYS.iterdir()):
        yield Manifest(f"kustomize build {path.relative_to(ROOT)}", output("kubectl", "kustomize", path))


def rendered(values: dict[str, Any]) -> str:
    # The namespace is that of the Namespace that goes with it (deploy/base).
    return output("helm", "template", "shm-operator", CHART, "-n", "shm-system", "--include-crds", "-f", "-",
                  text=yaml.safe_dump(values))


def charts() -> Iterator[Manifest]:
    """The chart with its default values, each group of those that tests/chart tries, and those of the overlays."""
    groups = yaml.safe_load((ROOT / "tests/chart/groups.yaml").read_text())
    groups |= {f"deploy/overlays/{path.parent.name}": yaml.safe_load(path.read_text()) for path in sorted(OVERLAYS.glob("*/values.yaml"))}
    for name, values in groups.items():
        yield Manifest(f"chart, {name}", rendered(values or {}))


def documentation() -> Iterator[Manifest]:
    """Objects in fenced blocks of README.md and docs/."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for number, block in enumerate(re.findall(r"^```ya?ml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL), 1):
            content = next(yaml.safe_load_all(block))
            if isinstance(content, dict) and {"apiVersion", "kind"} <= content.keys():
                yield Manifest(f"{path.relative_to(ROOT)}, block {number} of YAML", block)


def templates(objects: list[Object]) -> Iterator[tuple[Object, str, Object]]:
    """The pod templates of objects, ours and others': the object, where it is in it, the template."""
    def inside(o: Object, part: Any, path: str) -> Iterator[tuple[Object, str, Object]]:
        if isinstance(part, dict):
            if isinstance(part.get("spec"), dict) and isinstance(part["spec"].get("containers"), list) and part is not o:
                yield o, path, part
                return
            for key, value in part.items():
                yield from inside(o, value, f"{path}.{key}" if path else key)
        elif isinstance(part, list):
            for index, value in enumerate(part):
                yield from inside(o, value, f"{path}[{index}]")
    for o in objects:
        if o["kind"] == "Pod":
            yield o, "", o
        elif o["kind"] != "CustomResourceDefinition":
            yield from inside(o, o, "")


def deployment_of(service: Object) -> Object:
    """As the operator makes it of a template: the CRD does not look into template.spec."""
    template = service["spec"]["template"]
    labels = {"app": service["metadata"]["name"]}
    metadata = {**template.get("metadata", {}), "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": service["metadata"],
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": metadata, "spec": template["spec"]}}}


def pods_of(manifest: Manifest) -> Iterator[tuple[str, Object]]:
    """A pod of each template, with a name for messages."""
    for number, (o, path, template) in enumerate(templates(manifest.objects())):
        metadata = {key: value for key, value in template.get("metadata", {}).items() if key in ("labels", "annotations")}
        namespace = o["metadata"].get("namespace", "default")
        yield (f"{manifest.name}: {o['kind']} {o['metadata']['name']}, {path or 'itself'}",
               {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "name": f"pod-{number}", "namespace": namespace},
                "spec": copy.deepcopy(template["spec"])})


def deployments_of(manifest: Manifest) -> Iterator[Manifest]:
    services = [o for o in manifest.objects() if o["apiVersion"] == OURS and "template" in o["spec"]]
    if services:
        yield Manifest(f"{manifest.name}: Deployments made of it", yaml.safe_dump_all(map(deployment_of, services)))


def made_of(manifest: Manifest) -> Iterator[Manifest]:
    """What the operator and others make of a manifest: Deployments of InferenceServices, pods of templates."""
    yield from deployments_of(manifest)
    pods = [pod for _, pod in pods_of(manifest)]
    if pods:
        yield Manifest(f"{manifest.name}: pods made of it", yaml.safe_dump_all(pods))


def shipped() -> list[Manifest]:
    return [*files(), *overlays(), *charts(), *documentation()]


def everything() -> list[Manifest]:
    found = shipped()
    return found + [made for manifest in found for made in made_of(manifest)]
