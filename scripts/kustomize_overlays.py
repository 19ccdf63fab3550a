#!/usr/bin/env python3
"""Writes kustomize overlays that say what other values of the chart change.

    scripts/kustomize_overlays.py BASE VALUES RENDER OVERLAY

BASE and RENDER are files that the chart rendered, with its default values and with those of VALUES. The
directory OVERLAY gets a kustomization.yaml that makes the one into the other, and what it needs: new
objects in resources.yaml, and JSON patches, since a merge could not say that a list lost an element.
"""

import pathlib
import re
import sys

import yaml


def documents(text):
    found = {}
    for document in re.split(r"^---\n", text, flags=re.MULTILINE):
        content = yaml.safe_load(document)
        if content:
            found[content["apiVersion"], content["kind"], content["metadata"]["name"]] = (content, document)
    return found


def escaped(key):
    return str(key).replace("~", "~0").replace("/", "~1")


def missing(before, after):
    """Indices of the elements that `before` has and `after` lost, the last first; None where it is not as simple."""
    lost = []
    kept = iter(after)
    wanted = next(kept, None)
    for index, element in enumerate(before):
        if element == wanted:
            wanted = next(kept, None)
        else:
            lost.insert(0, index)
    return lost if wanted is None else None


def difference(before, after, path=""):
    """Operations of RFC 6902."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            if key not in after:
                yield {"op": "remove", "path": f"{path}/{escaped(key)}"}
        for key, value in after.items():
            if key not in before:
                yield {"op": "add", "path": f"{path}/{escaped(key)}", "value": value}
            else:
                yield from difference(before[key], value, f"{path}/{escaped(key)}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after)):
            yield from difference(*pair, f"{path}/{index}")
    elif isinstance(before, list) and isinstance(after, list) and (lost := missing(before, after)):
        for index in lost:
            yield {"op": "remove", "path": f"{path}/{index}"}
    else:
        yield {"op": "replace", "path": path, "value": after}


def target(key):
    group, _, version = key[0].rpartition("/")
    named = {"group": group, "version": version, "kind": key[1], "name": key[2]}
    return {name: value for name, value in named.items() if value}


def overlay(before, after):
    patches = []
    for key, (content, _) in before.items():
        if key not in after:
            delete = {"apiVersion": key[0], "kind": key[1], "metadata": {"name": key[2]}, "$patch": "delete"}
            patches.append((target(key), delete))
        elif operations := list(difference(content, after[key][0])):
            patches.append((target(key), operations))
    return patches


def kustomization(comments, new, patches):
    text = comments + "# Made from values.yaml by scripts/render-manifests.sh: do not edit.\n"
    resources = ["../../base"] + (["resources.yaml"] if new else [])
    text += yaml.safe_dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}, sort_keys=False)
    text += "resources:\n" + "".join(f"  - {name}\n" for name in resources)
    if patches:
        text += "patches:\n"
    for named, patch in patches:
        lines = yaml.safe_dump(patch, sort_keys=False, width=1000).splitlines()
        text += "  - target: {" + ", ".join(f"{k}: {v}" for k, v in named.items()) + "}\n    patch: |-\n"
        text += "".join(f"      {line}\n" for line in lines)
    return text


def main():
    base, values, render, out = map(pathlib.Path, sys.argv[1:])
    before, after = documents(base.read_text()), documents(render.read_text())
    new = [text for key, (_, text) in after.items() if key not in before]
    comments = "".join(line + "\n" for line in values.read_text().splitlines() if line.startswith("#"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "kustomization.yaml").write_text(kustomization(comments, new, overlay(before, after)))
    if new:
        (out / "resources.yaml").write_text("---\n".join(new))
    return 0


if __name__ == "__main__":
    sys.exit(main())
