#!/usr/bin/env python3
"""Each kustomize overlay is what the chart makes of its values. Needs helm and kubectl on the PATH."""

import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
HELM_ONLY = {"helm.sh/chart", "app.kubernetes.io/managed-by"}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def objects(text):
    found = {}
    for o in filter(None, yaml.safe_load_all(text)):
        labels = o["metadata"].get("labels", {})
        o["metadata"]["labels"] = {key: value for key, value in labels.items() if key not in HELM_ONLY}
        found[o["kind"], o["metadata"]["name"]] = o
    return found


def check(overlay):
    built = objects(output("kubectl", "kustomize", overlay))
    rendered = objects(output("helm", "template", "shm-operator", ROOT / "charts/shm-operator", "-n", "shm-system",
                              "--no-hooks", "--include-crds", "-f", overlay / "values.yaml"))
    namespace = built.pop(("Namespace", "shm-system"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert built.keys() == rendered.keys(), built.keys() ^ rendered.keys()
    for key, expected in rendered.items():
        assert built[key] == expected, f"{overlay.name}: {key} differs from what the chart renders"


def main():
    overlays = sorted(path.parent for path in (ROOT / "deploy/overlays").glob("*/values.yaml"))
    assert len(overlays) == 3, overlays
    for overlay in overlays:
        check(overlay)
    print("the kustomize overlays: all passed")


if __name__ == "__main__":
    sys.exit(main())
