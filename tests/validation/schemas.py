#!/usr/bin/env python3
"""JSON schemas of all kinds that our manifests have, strict ones: a field that a schema does not know is an error.

They are made from what Kubernetes publishes of itself (api/openapi-spec/v3 of its Go module), in the oldest version
that we support and in the one of the test cluster, from our own CRD, and from the CRDs of crds.yaml. They, and copies
of the CRDs, are kept in ${XDG_CACHE_HOME:-~/.cache}/shm-operator/schemas, one folder for each state of the sources.

    schemas.py      makes them if need be, prints the folder
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).parents[2]
CRDS = pathlib.Path(__file__).parent / "crds.yaml"
CLUSTER = ROOT / "tests/cluster"
# Whose go.mod and go.sum pin the version of Kubernetes.
VERSIONS = {"oldest": CLUSTER / "kubernetes-oldest", "newest": CLUSTER / "kubernetes"}
KUBERNETES = "k8s.io/kubernetes"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
JUNCTORS = ("allOf", "anyOf", "oneOf")
# Said of a value and of no use to a validator, or wrong for it.
UNUSED = {"description", "example", "externalDocs", "title", "default", "nullable"}

Schema = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Module:
    path: str
    version: str
    sum: str

    def folder(self) -> pathlib.Path:
        """Where the module's files are; downloads it if need be, and refuses another than the pinned one."""
        with tempfile.TemporaryDirectory() as empty:  # no go.mod of ours has a say
            done = subprocess.run(["go", "mod", "download", "-json", f"{self.path}@{self.version}"], cwd=empty, text=True,
                                  env={**os.environ, "GOFLAGS": "", "GOWORK": "off"}, capture_output=True, check=False)
        said = json.loads(done.stdout or "{}")
        if done.returncode != 0 or "Dir" not in said:
            raise SystemExit(f"{self.path}@{self.version}: {said.get('Error', done.stderr)}")
        if said["Sum"] != self.sum:
            raise SystemExit(f"{self.path}@{self.version} has the checksum {said['Sum']}, and not {self.sum}")
        return pathlib.Path(said["Dir"])


def pinned_kubernetes(folder: pathlib.Path) -> Module:
    found = re.search(rf"^{re.escape(KUBERNETES)} (v\S+) (h1:\S+)$", (folder / "go.sum").read_text(), re.MULTILINE)
    assert found, f"{folder}/go.sum does not name {KUBERNETES}"
    return Module(KUBERNETES, *found.groups())


def strict(schema: Schema, closed: bool = True, crd: bool = False) -> Schema:
    """A JSON schema of an OpenAPI one. Where `closed`, an object takes the properties that it names, and no others."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    kept = {key: value for key, value in schema.items() if key not in UNUSED and not key.startswith("x-kubernetes-")}
    if "$ref" in kept:
        kept["$ref"] = kept["$ref"].replace("#/components/schemas/", "#/$defs/")
    for junctor in JUNCTORS:
        if junctor in kept:  # says something more of the same value, and not all of it
            kept[junctor] = [strict(part, closed=False, crd=crd) for part in kept[junctor]]
    if "not" in kept:
        kept["not"] = strict(kept["not"], closed=False, crd=crd)
    inside = closed or not crd
    for place in ("items", "additionalProperties"):
        if place in kept:
            kept[place] = strict(kept[place], closed=inside, crd=crd)
    if "properties" in kept:
        kept["properties"] = {name: strict(part, closed=inside, crd=crd) for name, part in kept["properties"].items()}
    if closed:
        close(kept, schema, crd)
    if schema.get("nullable") and "type" in kept:
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept:
            kept["enum"] = [*kept["enum"], None]
    return kept


def close(kept: Schema, schema: Schema, crd: bool) -> None:
    if schema.get("type") != "object" or "additionalProperties" in kept:
        return
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if schema.get("x-kubernetes-embedded-resource"):
        kept["properties"] = {"apiVersion": {}, "kind": {}, "metadata": {}, **kept.get("properties", {})}
    # In Kubernetes' own, an object without properties is any JSON (RawExtension, FieldsV1); in a CRD it is pruned.
    if "properties" in kept or crd:
        kept["additionalProperties"] = False


def references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(references, schema), set())
    if not isinstance(schema, dict):
        return set()
    found = {schema["$ref"].removeprefix("#/$defs/")} if isinstance(schema.get("$ref"), str) else set()
    return found.union(*(references(value) for value in schema.values()))


def with_definitions(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """The schema with all that it leads to."""
    needed: dict[str, Schema] = {}
    todo = references(schema)
    while todo:
        name = todo.pop()
        if name not in needed:
            needed[name] = definitions[name]
            todo |= references(definitions[name])
    return {**schema, "$defs": needed}


def file_of(group: str, version: str, kind: str) -> str:
    """As kubeconform's template {{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json has it; to it the core group is v1."""
    return f"{group or version}_{version}_{kind.lower()}.json"


def kinds_of_openapi(document: Schema) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Schemas by their files, and all definitions."""
    definitions = {name: strict(schema) for name, schema in document.get("components", {}).get("schemas", {}).items()}
    kinds = {}
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            if "metadata" in schema.get("properties", {}):
                kinds[file_of(gvk["group"], gvk["version"], gvk["kind"])] = {"$ref": f"#/$defs/{name}"}
    return kinds, definitions


def kinds_of_crd(crd: Schema) -> dict[str, Schema]:
    spec = crd["spec"]
    kinds = {}
    for version in spec["versions"]:
        schema = strict(version["schema"]["openAPIV3Schema"], crd=True)
        schema["properties"] = {**schema.get("properties", {}), "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                                "metadata": {"$ref": f"#/$defs/{OBJECT_META}"}}
        kinds[file_of(spec["group"], version["name"], spec["names"]["kind"])] = schema
    return kinds


def write_version(folder: pathlib.Path, openapi: list[pathlib.Path], crds: list[pathlib.Path]) -> None:
    folder.mkdir(parents=True)
    all_definitions: dict[str, Schema] = {}
    for path in openapi:
        kinds, definitions = kinds_of_openapi(json.loads(path.read_text()))
        all_definitions |= definitions
        for name, schema in kinds.items():
            (folder / name).write_text(json.dumps(with_definitions(schema, definitions)))
    for path in crds:
        for crd in filter(None, yaml.load_all(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
            for name, schema in kinds_of_crd(crd).items():
                (folder / name).write_text(json.dumps(with_definitions(schema, all_definitions)))


def foreign_crds() -> list[tuple[Module, list[str]]]:
    return [(Module(m["module"], m["version"], m["sum"]), m["files"]) for m in yaml.safe_load(CRDS.read_text())]


def make(folder: pathlib.Path) -> None:
    crds = folder / "crds"
    crds.mkdir()
    for module, files in foreign_crds():
        source = module.folder()
        for name in files:
            shutil.copyfile(source / name, crds / pathlib.Path(name).name)
    ours = sorted((ROOT / "crds").glob("*.yaml"))
    for name, pins in VERSIONS.items():
        openapi = sorted((pinned_kubernetes(pins).folder() / "api/openapi-spec/v3").glob("*_openapi.json"))
        assert openapi, f"no OpenAPI of Kubernetes {name}"
        write_version(folder / name, openapi, ours + sorted(crds.iterdir()))


def key() -> str:
    sources = [pathlib.Path(__file__), CRDS, *sorted((ROOT / "crds").glob("*.yaml")), *(pins / "go.sum" for pins in VERSIONS.values())]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def folder() -> pathlib.Path:
    """The folder with `oldest`, `newest` and `crds`; made once, however many ask for it at a time."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "shm-operator/schemas"
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / key()
    with open(cache / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            new = cache / f".new-{made.name}"
            shutil.rmtree(new, ignore_errors=True)  # of one that was cut off
            new.mkdir()
            make(new)
            new.rename(made)
    return made


if __name__ == "__main__":
    print(folder())
    sys.exit(0)
