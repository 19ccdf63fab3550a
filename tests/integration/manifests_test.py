#!/usr/bin/env python3
"""A real API server takes what we ship: samples, kustomize overlays and what the chart renders, by a strict
server-side dry run. Needs kubectl on the PATH and a KUBECONFIG (tests/cluster/apiserver run -- sets both)."""

import pathlib
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).parents[2]
# Kinds of other projects, whose CRDs are not here.
FOREIGN = {"cert-manager.io/v1", "monitoring.coreos.com/v1", "serving.kserve.io/v1beta1", "nvidia.com/v1beta1",
           "leaderworkerset.x-k8s.io/v1"}
NAMESPACES = ["sized-system", "shm-system", "llm", "team-1"]


def kubectl(*arguments, text=None):
    return subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True, check=False)


def apply(objects, *flags):
    text = yaml.safe_dump_all(objects)
    return kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", *flags, "-f", "-", text=text)


def read(path):
    return [o for o in yaml.safe_load_all(path.read_text()) if o]


def check(name, objects):
    """The number of objects that the API server looked at."""
    known = [o for o in objects if o["apiVersion"] not in FOREIGN]
    namespaces = [o for o in known if o["kind"] == "Namespace"]
    if namespaces:
        assert apply(namespaces).returncode == 0, name
    if known:
        done = apply(known, "--dry-run=server")
        assert done.returncode == 0, f"{name}: {done.stderr}"
    return len(known)


def deployment_of(service):
    """As the operator makes it of a template: the CRD does not look into template.spec."""
    template = service["spec"]["template"]
    labels = {"app": service["metadata"]["name"]}
    metadata = {**template.get("metadata", {}), "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": service["metadata"],
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": metadata, "spec": template["spec"]}}}


def check_samples():
    samples = sorted((ROOT / "deploy/samples").glob("*.yaml"))
    assert samples
    for path in samples:
        objects = read(path)
        services = [o for o in objects if o["apiVersion"] == "shm-operator.dev/v1alpha1"]
        assert services, f"{path}: no InferenceService"
        check(path.name, objects + [deployment_of(service) for service in services if "template" in service["spec"]])
        # Without its label the webhook does not see a namespace's selected pods.
        selects = any("selector" in service["spec"] for service in services)
        enabled = any(o["metadata"].get("labels", {}).get("shm-operator.dev/injection") == "enabled"
                      for o in objects if o["kind"] == "Namespace")
        assert selects == enabled, f"{path}: selects {selects}, namespace enabled {enabled}"
    return len(samples)


def check_strict():
    """That a fault would be seen."""
    service = read(ROOT / "deploy/samples/quickstart-tp2.yaml")[1]
    service["spec"]["tensorParalelSize"] = 2
    done = apply([service], "--dry-run=server")
    assert done.returncode != 0 and "tensorParalelSize" in done.stderr, done.stderr
    service["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    done = apply([deployment_of(service)], "--dry-run=server")
    assert done.returncode != 0 and "imagePullPolice" in done.stderr, done.stderr


def check_installations():
    looked_at = 0
    for path in sorted((ROOT / "tests/chart/golden").glob("*.yaml")):
        looked_at += check(path.name, read(path))
    for overlay in sorted((ROOT / "deploy/overlays").iterdir()):
        looked_at += check(overlay.name, list(filter(None, yaml.safe_load_all(kubectl("kustomize", str(overlay)).stdout))))
    looked_at += check("install.yaml", read(ROOT / "deploy/install.yaml"))
    return looked_at


def main():
    for crd in sorted((ROOT / "crds").glob("*.yaml")):
        assert apply(read(crd)).returncode == 0
    assert kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s").returncode == 0
    for name in NAMESPACES:
        assert apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}]).returncode == 0
    check_strict()
    samples = check_samples()
    print(f"{samples} samples and {check_installations()} objects of installations are taken")


if __name__ == "__main__":
    sys.exit(main())
