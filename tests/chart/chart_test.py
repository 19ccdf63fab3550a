#!/usr/bin/env python3
"""What the chart renders, and what it refuses. Needs helm on the PATH.

Golden renders are in golden/: of each group of values the documents that differ from those of the default
values. SHM_UPDATE_GOLDEN=1 writes them anew.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).parents[2]
OWN = "sized-system"
WATCHED = ["llm", "team-1"]
CLUSTER_SCOPED = {"namespaces", "mutatingwebhookconfigurations"}
# The values whose templates hold rights.
VARIANTS = [
    [],
    ["repair.restart=false"],
    ["resourceClaims.count=true"],
    ["certificates.mode=provided"],
    ["certificates.mode=cert-manager"],
    ["aggregateRoles=false", "fullnameOverride=other"],
]
HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "golden"
# Times of certificates that the programs would refuse at their start.
REFUSED_TIMES = [
    (["caLifetime=3599"], "minimum"),
    (["caLifetime=8760h"], "want integer"),
    (["caPropagation=0"], "minimum"),
    (["caLifetime=7775999"], "leafLifetime is longer than caLifetime"),
    (["leafLifetime=1889"], "longer than a third of leafLifetime"),
]


def helm(*settings, values=None, hooks=False, chart=ROOT / "charts/shm-operator"):
    """Renders with values of `--set`, and those of a mapping."""
    command = ["helm", "template", "sized", chart, "-n", OWN, "-f", "-"]
    if not hooks:
        command += ["--no-hooks"]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.run(command, input=yaml.safe_dump(values or {}), capture_output=True, text=True, check=False)


def render(*settings):
    done = helm(*settings)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(objects, kind, namespace=None):
    return [o for o in objects if o["kind"] == kind and o["metadata"].get("namespace") == namespace]


def by_name(objects):
    return {o["metadata"]["name"]: o for o in objects}


def rights(rules, scoped):
    """Each right as (group, resource, verb): of cluster-scoped resources, or of the others."""
    return {(group, resource, verb) for rule in rules for group in rule["apiGroups"]
            for resource in rule["resources"] for verb in rule["verbs"]
            if (resource in CLUSTER_SCOPED) == scoped}


def program_roles(objects, kind, namespace=None):
    """Roles that are bound to our service accounts, by name; those for users are not."""
    bound = {binding["roleRef"]["name"] for binding in of_kind(objects, kind + "Binding", namespace)
             if all(subject["kind"] == "ServiceAccount" and subject["namespace"] == OWN
                    for subject in binding["subjects"])}
    return {name: role for name, role in by_name(of_kind(objects, kind, namespace)).items() if name in bound}


def check_rights(variant):
    everywhere = program_roles(render(*variant), "ClusterRole")
    objects = render(*variant, "watchNamespaces={%s}" % ",".join(WATCHED))
    cluster = program_roles(objects, "ClusterRole")
    assert len(everywhere) == 2 and cluster.keys() == everywhere.keys(), cluster.keys()
    for name, role in cluster.items():
        for rule in role["rules"]:
            assert rule.get("resourceNames"), f"{name}: a rule for every name: {rule}"
            assert CLUSTER_SCOPED.issuperset(rule["resources"]), f"{name}: {rule}"
            if rule["resources"] == ["namespaces"]:
                assert rule["resourceNames"] == WATCHED, rule
                assert set(rule["verbs"]) == {"list", "watch"}, rule
    for namespace in WATCHED:
        roles = program_roles(objects, "Role", namespace)
        assert roles.keys() == everywhere.keys(), (namespace, roles.keys())
        for name, role in roles.items():
            # Nothing is lost, nothing won.
            assert rights(role["rules"], False) == rights(everywhere[name]["rules"], False), name
            assert not rights(role["rules"], True), name
    extra = {o["metadata"].get("namespace") for o in objects} - {None, OWN, *WATCHED}
    assert not extra, extra


def check_selectors():
    def selected(objects):
        configuration, = of_kind(objects, "MutatingWebhookConfiguration")
        return [[e["values"] for e in webhook["namespaceSelector"]["matchExpressions"]
                 if e["key"] == "kubernetes.io/metadata.name" and e["operator"] == "In"]
                for webhook in configuration["webhooks"]]
    assert selected(render()) == [[], []]
    assert selected(render("watchNamespaces={%s}" % ",".join(WATCHED))) == [[WATCHED], [WATCHED]]


def check_configuration():
    def read(objects):
        config, = of_kind(objects, "ConfigMap", OWN)
        marks = {d["spec"]["template"]["metadata"]["annotations"]["shm-operator.dev/config-checksum"]
                 for d in of_kind(objects, "Deployment", OWN)}
        return yaml.safe_load(config["data"]["config.yaml"]).get("watchNamespaces"), marks
    none, before = read(render())
    some, after = read(render("watchNamespaces={%s}" % ",".join(WATCHED)))
    assert none is None and some == WATCHED, (none, some)
    assert before.isdisjoint(after), "a change of the list restarts nothing"


def check_documented_rights():
    """docs/security.md has a row for each rule of the programs, and no other."""
    objects = render()
    rendered = [(("webhook" if name.endswith("-webhook") else "operator"), place, ", ".join(rule["resources"]), ", ".join(rule["verbs"]))
                for kind, place, namespace in (("ClusterRole", "cluster", None), ("Role", "own namespace", OWN))
                for name, role in program_roles(objects, kind, namespace).items() for rule in role["rules"]]
    rows = [tuple(cell.strip() for cell in line.split("|")[1:5])
            for line in (ROOT / "docs/security.md").read_text().splitlines() if re.match(r"\| (operator|webhook) \| (cluster|own) ?", line)]
    assert sorted(rows) == sorted(rendered), set(rows) ^ set(rendered)


def check_most():
    schema = yaml.safe_load((ROOT / "charts/shm-operator/values.schema.json").read_text())
    most = schema["properties"]["watchNamespaces"]["maxItems"]
    header = (ROOT / "runtime/config.h").read_text()
    assert re.search(rf"kMaxWatchNamespaces = {most};", header), "chart and programs differ in how many they take"


def render_twice(values):
    first, second = (helm(values=values, hooks=True) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout, f"two renders of {values} differ"
    return first.stdout


def split(text):
    """The documents of a render, without the comments that name the template."""
    documents = {}
    for document in text.split("\n---\n"):
        document = "\n".join(l for l in document.removeprefix("---\n").splitlines() if not l.startswith("# Source:")) + "\n"
        content = yaml.safe_load(document)
        if content:
            hook = content["metadata"].get("annotations", {}).get("helm.sh/hook", "")
            documents[content["kind"], content["metadata"].get("namespace", ""), content["metadata"]["name"], hook] = document
    return documents


def golden_of(documents, default):
    """All of the default values; of others what is new or differs, and a line for what is gone."""
    gone = [" ".join(filter(None, key)) for key in default if key not in documents]
    changed = [text for key, text in documents.items() if documents is default or default.get(key) != text]
    return "".join(f"# gone: {name}\n" for name in gone) + "---\n".join(changed)


def check_goldens():
    groups = yaml.safe_load((HERE / "groups.yaml").read_text())
    default = split(render_twice(groups["default"]))
    for name, values in groups.items():
        documents = default if name == "default" else split(render_twice(values))
        for key, text in documents.items():
            assert "caBundle:" not in text, f"{name}: {key} has a caBundle (trap C2)"
        rendered = golden_of(documents, default)
        path = GOLDEN / f"{name}.yaml"
        if os.environ.get("SHM_UPDATE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(rendered)
        assert path.exists() and path.read_text() == rendered, \
            f"{path} is not what the chart renders; SHM_UPDATE_GOLDEN=1 {__file__} writes it anew"
    known = {f"{name}.yaml" for name in groups}
    assert {path.name for path in GOLDEN.iterdir()} == known, "a golden file that belongs to no group"


def check_sources():
    """Argo CD renders without a cluster, and again and again (trap C3)."""
    for path in (ROOT / "charts/shm-operator/templates").rglob("*.*"):
        for action in re.findall(r"\{\{.*?\}\}", path.read_text(), re.DOTALL):
            found = re.search(r"\b(lookup|gen[A-Z]\w+|rand\w+|now|date\w*|uuidv4|Capabilities)\b", action)
            assert not found, f"{path.name}: {found.group()} is not the same from render to render"


def open_places(part, path):
    """Where the schema takes anything."""
    if isinstance(part, dict):
        if part.get("type") == "object" and "additionalProperties" not in part:
            yield path
        if part.get("type") == "array" and "items" not in part:
            yield path
        for key, value in part.items():
            yield from open_places(value, f"{path}/{key}")


def check_schema():
    """Every level refuses what it does not know, and values.yaml names every value. (Helm itself holds it to the schema.)"""
    chart = ROOT / "charts/shm-operator"
    schema = json.loads((chart / "values.schema.json").read_text())

    def missing(values, part, path):
        part = schema["definitions"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        for key, value in part.get("properties", {}).items():
            if key not in values:
                yield path + key
            elif isinstance(values[key], dict) and values[key]:
                yield from missing(values[key], value, f"{path}{key}.")

    assert list(open_places(schema, "")) == ["/properties/global"], list(open_places(schema, ""))
    unnamed = list(missing(yaml.safe_load((chart / "values.yaml").read_text()), schema, ""))
    assert unnamed == ["global", "operator.resources.claims", "webhook.resources.claims"], unnamed


def check_refused():
    cases = [(case["values"], case["says"]) for case in yaml.safe_load((HERE / "refused.yaml").read_text())]
    cases.append(({"watchNamespaces": ["a" * 64]}, "maxLength"))
    cases.append(({"watchNamespaces": [f"n{i}" for i in range(51)]}, "maxItems"))
    for values, message in cases:
        done = helm(values=values)
        assert done.returncode != 0, f"{values} is taken"
        assert message in done.stderr, f"{values}: {done.stderr}"


def check_owned_flags():
    """What the chart sets, by flags or in config.yaml for both programs to agree on, extraArgs cannot set against it."""
    schema = json.loads((ROOT / "charts/shm-operator/values.schema.json").read_text())["definitions"]
    # What one program may log otherwise than the other does.
    free = {"log-level", "log-format"}
    for settings in ([], ["resourceClaims.count=true", "resourceClaims.deviceClasses={x}", "webhook.healthPort=9080", "watchNamespaces={llm}"]):
        objects = render(*settings)
        config, = of_kind(objects, "ConfigMap", OWN)
        shared = {re.sub("([A-Z]+)", r"-\1", key).lower() for key in yaml.safe_load(config["data"]["config.yaml"])} - free
        for component in ("operator", "webhook"):
            deployment, = (d for d in of_kind(objects, "Deployment", OWN)
                           if d["metadata"]["labels"]["app.kubernetes.io/component"] == component)
            flags = {flag[2:].split("=")[0] for flag in deployment["spec"]["template"]["spec"]["containers"][0]["args"]}
            known, owned = schema[component + "Flags"]["items"]["allOf"]
            assert known == {"$ref": "#/definitions/flag"}
            for flag in flags | shared:
                for text in (f"--{flag}", f"--{flag}=x"):
                    assert re.search(owned["not"]["pattern"], text), f"{component}.extraArgs takes {text}, which the chart sets"
            for text in ("--listen-address=::", "--log-level=debug", *(f"--{flag}-x=1" for flag in flags)):
                assert not re.search(owned["not"]["pattern"], text), f"{component}.extraArgs refuses {text}"


def check_build_metadata():
    """A chart version with a + is in no label as it is, nor is the appVersion in the image's tag."""
    with tempfile.TemporaryDirectory() as directory:
        chart = pathlib.Path(directory) / "chart"
        shutil.copytree(ROOT / "charts/shm-operator", chart)
        file = chart / "Chart.yaml"
        file.write_text(re.sub(r"^(version|appVersion): .*$", r"\1: 1.2.3+meta.4", file.read_text(), flags=re.MULTILINE))
        objects = [o for o in yaml.safe_load_all(helm(chart=chart).stdout) if o]
    for o in objects:
        labels = o["metadata"]["labels"] | o.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
        assert labels["helm.sh/chart"] == "shm-operator-1.2.3_meta.4", labels
        assert labels["app.kubernetes.io/version"] == "1.2.3_meta.4", labels
    images = {d["spec"]["template"]["spec"]["containers"][0]["image"] for d in of_kind(objects, "Deployment", OWN)}
    assert images == {"shm-operator:1.2.3_meta.4"}, images


def operator_flags(*settings):
    deployment = by_name(of_kind(render(*settings), "Deployment", OWN))["sized"]
    flags = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return dict(flag[2:].split("=", 1) for flag in flags)


def check_certificates():
    """The times reach the operator as whole numbers, and only where it makes the certificates."""
    flags = operator_flags()
    times = {name: flags[name] for name in ("ca-lifetime", "leaf-lifetime", "ca-propagation", "ca-overlap")}
    assert list(times.values()) == ["31536000", "7776000", "30", "600"], times
    assert operator_flags("certificates.leafLifetime=1890")["leaf-lifetime"] == "1890"
    for mode in ("provided", "cert-manager"):
        assert times.keys().isdisjoint(operator_flags("certificates.mode=" + mode)), mode
    for values, message in REFUSED_TIMES:
        done = helm(*("certificates." + value for value in values))
        assert done.returncode != 0, f"{values} are taken"
        assert message in done.stderr, f"{values}: {done.stderr}"


def main():
    for variant in VARIANTS:
        check_rights(variant)
    check_selectors()
    check_configuration()
    check_most()
    check_documented_rights()
    check_sources()
    check_schema()
    check_refused()
    check_owned_flags()
    check_build_metadata()
    check_goldens()
    check_certificates()
    print("the chart: all passed")


if __name__ == "__main__":
    sys.exit(main())
