#!/usr/bin/env python3
"""What the chart renders with watchNamespaces and for certificates, and what it refuses. Needs helm on the PATH."""

import pathlib
import re
import subprocess
import sys

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
REFUSED = [
    ("{%s}" % OWN, "never sized"),
    ("{kube-system}", "never sized"),
    ("{a,a}", "are equal"),
    ("{Team}", "does not match pattern"),
    ("{a.b}", "does not match pattern"),
    ("{%s}" % ("a" * 64), "maxLength"),
    ("{%s}" % ",".join(f"n{i}" for i in range(51)), "maxItems"),
    ("a", "want array"),
]
# Times of certificates that the programs would refuse at their start.
REFUSED_TIMES = [
    (["caLifetime=3599"], "minimum"),
    (["caLifetime=8760h"], "want integer"),
    (["caPropagation=0"], "minimum"),
    (["caLifetime=7775999"], "leafLifetime is longer than caLifetime"),
    (["leafLifetime=1889"], "longer than a third of leafLifetime"),
]


def helm(*settings):
    command = ["helm", "template", "sized", ROOT / "charts/shm-operator", "--no-hooks", "-n", OWN]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.run(command, capture_output=True, text=True, check=False)


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


def check_most():
    schema = yaml.safe_load((ROOT / "charts/shm-operator/values.schema.json").read_text())
    most = schema["properties"]["watchNamespaces"]["maxItems"]
    header = (ROOT / "runtime/config.h").read_text()
    assert re.search(rf"kMaxWatchNamespaces = {most};", header), "chart and programs differ in how many they take"


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
    check_certificates()
    for value, message in REFUSED:
        done = helm("watchNamespaces=" + value)
        assert done.returncode != 0, f"{value} is taken"
        assert message in done.stderr, f"{value}: {done.stderr}"
    print("the chart: all passed")


if __name__ == "__main__":
    sys.exit(main())
