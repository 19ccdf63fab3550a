"""What objects of the cluster say about each other. Pure; tested by compare_test.py."""

from __future__ import annotations

import base64
import json
from typing import Any, Iterator

Json = dict[str, Any]
Key = tuple[str, str, str, str]  # group, kind, namespace, name

VOLUME = "shm-operator-dshm"
PROGRAM = "shm-operator"


def key_of(document: Json) -> Key:
    group = document["apiVersion"].rpartition("/")[0]
    metadata = document["metadata"]
    return group, document["kind"], metadata.get("namespace", ""), metadata["name"]


def inventory(kustomization: Json) -> set[Key]:
    """What Flux says that it applied: NAMESPACE_NAME_GROUP_KIND, where none of the four holds a `_`."""
    entries = kustomization.get("status", {}).get("inventory", {}).get("entries", [])
    found = set()
    for entry in entries:
        namespace, name, group, kind = entry["id"].split("_")
        found.add((group, kind, namespace, name))
    return found


def as_flux_applies(objects: list[Json], kustomization: Json) -> list[Json]:
    """With the labels by which Flux tells what is its own, and the images that the Kustomization names."""
    metadata = kustomization["metadata"]
    images = {image["name"]: f"{image['newName']}:{image['newTag']}"
              for image in kustomization["spec"].get("images", [])}
    made = json.loads(json.dumps(objects))
    for document in made:
        labels = document["metadata"].setdefault("labels", {})
        labels["kustomize.toolkit.fluxcd.io/name"] = metadata["name"]
        labels["kustomize.toolkit.fluxcd.io/namespace"] = metadata["namespace"]
        for container in containers_of(document):
            container["image"] = images.get(container["image"].split(":")[0], container["image"])
    return made


def containers_of(document: Json) -> list[Json]:
    """Of a Deployment alone; an InferenceService's template names images of its own."""
    if document["kind"] != "Deployment":
        return []
    return document["spec"]["template"]["spec"]["containers"]


def bundles(configuration: Json) -> list[bytes]:
    """The caBundle of each entry; empty bytes where there is none."""
    return [base64.b64decode(entry["clientConfig"].get("caBundle", "")) for entry in configuration["webhooks"]]


def certificates(bundle: bytes) -> set[bytes]:
    """One by one, whatever stands between them."""
    end = b"-----END CERTIFICATE-----"
    return {one.lstrip() + end for one in bundle.split(end) if one.strip()}


def managers_of_bundle(configuration: Json) -> set[str]:
    """Who owns a caBundle, as managedFields has it."""
    return {entry["manager"] for entry in configuration["metadata"].get("managedFields", [])
            if "f:caBundle" in set(_fields(entry.get("fieldsV1", {})))}


def _fields(tree: Json) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        yield from _fields(below)


def shared_memory(pod: Json) -> str:
    """The size of the volume at /dev/shm, or what is wrong with it."""
    volume = next((one for one in pod["spec"].get("volumes", []) if one["name"] == VOLUME), None)
    if volume is None:
        return "none"
    mounts = [one["mountPath"] for container in pod["spec"]["containers"]
              for one in container.get("volumeMounts", []) if one["name"] == VOLUME]
    if mounts != ["/dev/shm"]:
        return f"mounted at {mounts}"
    memory = volume.get("emptyDir", {})
    return memory.get("sizeLimit", "unlimited") if memory.get("medium") == "Memory" else "on disk"


def condition(document: Json, kind: str) -> Json:
    return next((one for one in document.get("status", {}).get("conditions", []) if one["type"] == kind), {})


def is_hook(document: Json) -> bool:
    """Of Helm: neither Argo CD's sync nor its comparison has it."""
    return "helm.sh/hook" in document["metadata"].get("annotations", {})


def lua(value: Any) -> str:
    """A literal of Lua, as Argo CD hands over the object."""
    if isinstance(value, dict):
        return "{" + ",".join(f"[{lua(str(name))}]={lua(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(map(lua, value)) + "}"
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    quoted = "".join(one if one.isascii() and one.isalnum() else "".join(f"\\{byte:03d}" for byte in one.encode())
                     for one in value)
    return f'"{quoted}"'


def changed(before: dict[Key, str], after: dict[Key, str]) -> list[str]:
    """Which objects have another resourceVersion, came or went, by kind and name."""
    return sorted(f"{key[1]} {key[3]}" for key in before.keys() | after.keys() if before.get(key) != after.get(key))
