"""A chart as the next release might be: another version, and a CRD with a field more and other words."""

from __future__ import annotations

import copy
import pathlib
import re
import shutil

import yaml

FIELD = "matrixNote"
SENTENCE = "Described anew."


def next_versions(version: str) -> tuple[str, str]:
    """Of the chart, and of what is in it. The first has build metadata, which no label can hold as it is."""
    major, minor, _ = version.split(".", 2)
    following = f"{major}.{int(minor) + 1}.0"
    return following + "+matrix.1", following


def next_chart_file(text: str) -> str:
    version, app_version = next_versions(re.search(r"^version: (.+)$", text, re.MULTILINE)[1])
    text = re.sub(r"^version: .+$", f"version: {version}", text, flags=re.MULTILINE)
    return re.sub(r"^appVersion: .+$", f"appVersion: {app_version}", text, flags=re.MULTILINE)


def next_crd(crd: dict) -> dict:
    crd = copy.deepcopy(crd)
    for version in crd["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        schema["description"] = f"{schema.get('description', '')} {SENTENCE}".strip()
        schema["properties"]["spec"]["properties"][FIELD] = {
            "type": "string", "maxLength": 64, "description": "A field that the version before did not know."}
    return crd


def has_field(crd: dict) -> bool:
    return all(FIELD in version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
               for version in crd["spec"]["versions"])


def write(chart: pathlib.Path, target: pathlib.Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(chart, target)
    file = target / "Chart.yaml"
    file.write_text(next_chart_file(file.read_text()))
    for path in sorted((target / "crds").glob("*.yaml")):
        path.write_text(yaml.safe_dump(next_crd(yaml.safe_load(path.read_text())), sort_keys=False))


def app_version(text: str) -> str:
    return re.search(r"^appVersion: (.+)$", text, re.MULTILINE)[1]
