#!/usr/bin/env python3
"""Holds all manifests (sources.py) against strict schemas (schemas.py) of the oldest and the newest Kubernetes that we
support, by kubeconform. Needs helm, kubectl and kubeconform on the PATH, and go."""

from __future__ import annotations

import collections
import copy
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import yaml

import schemas
import sources
from sources import Manifest, Object

# Kinds without a schema, and why: nothing else is passed over.
SKIPPED = {
    "nvidia.com/v1beta1/DynamoGraphDeployment": "Dynamo publishes its CRD in no Go module that can be downloaded",
}


@dataclasses.dataclass(frozen=True)
class Finding:
    manifest: str
    object: str
    status: str
    message: str


def kubeconform(version: str, manifests: list[Manifest]) -> list[Finding]:
    """What it says of each object."""
    template = f"{schemas.folder() / version}/{{{{.Group}}}}_{{{{.ResourceAPIVersion}}}}_{{{{.ResourceKind}}}}.json"
    with tempfile.TemporaryDirectory() as directory:
        names = {}
        for number, manifest in enumerate(manifests):
            path = pathlib.Path(directory) / f"{number:04}.yaml"
            path.write_text(manifest.text)
            names[str(path)] = manifest.name
        done = subprocess.run(["kubeconform", "-strict", "-verbose", "-output", "json", "-schema-location", template,
                               "-skip", ",".join(SKIPPED), *names], capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return [Finding(names[r["filename"]], f"{r['version']}/{r['kind']} {r['name']}", r["status"],
                    r["msg"] + "".join(f"; {e['path']}: {e['msg']}" for e in r.get("validationErrors") or []))
            for r in json.loads(done.stdout)["resources"]]


def check(version: str, manifests: list[Manifest]) -> None:
    counts: collections.Counter[str] = collections.Counter()
    skipped: collections.Counter[str] = collections.Counter()
    bad = []
    for finding in kubeconform(version, manifests):
        counts[finding.status] += 1
        if finding.status == "statusSkipped":
            skipped[finding.object.split()[0]] += 1
        elif finding.status not in ("statusValid", "statusEmpty"):
            bad.append(f"{finding.manifest}: {finding.object}: {finding.message}")
    assert not bad, "\n".join([f"against Kubernetes {pinned(version)}:", *bad])
    print(f"Kubernetes {pinned(version)}: {counts['statusValid']} objects of {len(manifests)} manifests are valid")
    for kind, number in skipped.items():
        print(f"  skipped: {number} × {kind} ({SKIPPED[kind]})")


def pinned(version: str) -> str:
    return schemas.pinned_kubernetes(schemas.VERSIONS[version]).version.removeprefix("v")


def renamed(container: Object) -> None:
    container["imagePullPolice"] = container.pop("image")


def deployment(change: Callable[[Object], object]) -> Object:
    """A faultless one, changed."""
    o = sources.deployment_of({"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}}})
    o = copy.deepcopy(o)
    change(o)
    return o


def service(change: Callable[[Object], object]) -> Object:
    o = {"apiVersion": sources.OURS, "kind": "InferenceService", "metadata": {"name": "x"},
         "spec": {"tensorParallelSize": 2, "selector": {"matchLabels": {"app": "x"}}}}
    change(o)
    return o


# What must be refused, and a word of the message.
BROKEN: list[tuple[str, Object, str]] = [
    ("a misspelt field of a container", deployment(lambda o: renamed(o["spec"]["template"]["spec"]["containers"][0])), "imagePullPolice"),
    ("a number that is text", deployment(lambda o: o["spec"].update(replicas="two")), "replicas"),
    ("no selector", deployment(lambda o: o["spec"].pop("selector")), "selector"),
    ("a misspelt field of metadata", deployment(lambda o: o["metadata"].update(lables={})), "lables"),
    ("a kind that is not served", deployment(lambda o: o.update(apiVersion="apps/v2")), "could not find schema"),
    ("a misspelt field of an InferenceService", service(lambda o: o["spec"].update(tensorParalelSize=2)), "tensorParalelSize"),
    ("a degree out of range", service(lambda o: o["spec"].update(tensorParallelSize=0)), "tensorParallelSize"),
    ("a field that a foreign CRD does not have",
     {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": {"name": "x"},
      "spec": {"leaderWorkerTemplate": {"sise": 2, "workerTemplate": {"spec": {"containers": [{"name": "c"}]}}}}}, "sise"),
]
# Valid as it stands, but for a key that is there twice.
TWICE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1'}\ndata: {b: '2'}\n"


def check_refusals(version: str) -> None:
    """That a fault is seen; and that what the faulty ones were made of has none."""
    good = [deployment(lambda o: None), service(lambda o: None)]
    for finding in kubeconform(version, [Manifest("good", yaml.safe_dump_all(good))]):
        assert finding.status == "statusValid", finding
    broken = [Manifest(name, yaml.safe_dump(o)) for name, o, _ in BROKEN] + [Manifest("a key twice", TWICE)]
    words = [word for _, _, word in BROKEN] + ["already"]
    findings = {finding.manifest: finding for finding in kubeconform(version, broken)}
    for manifest, word in zip(broken, words, strict=True):
        finding = findings[manifest.name]
        assert finding.status in ("statusInvalid", "statusError") and word in finding.message, f"{manifest.name} is taken: {finding}"


def main() -> None:
    manifests = sources.everything()
    for version in schemas.VERSIONS:
        check_refusals(version)
        check(version, manifests)
    print(f"refused as they should be: {len(BROKEN) + 1} broken manifests")


if __name__ == "__main__":
    sys.exit(main())
