#!/usr/bin/env python3
"""A real API server takes all that we ship (tests/validation/sources.py), by a strict server-side dry run, and every pod that
comes of it passes Pod Security `restricted`. Needs helm and kubectl on the PATH, go for the CRDs of others, and a
KUBECONFIG (tests/cluster/apiserver run -- sets the first and the last)."""

import collections
import pathlib
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/validation"))

import schemas  # noqa: E402
import sources  # noqa: E402
import validate  # noqa: E402

ENFORCE = "pod-security.kubernetes.io/enforce"
LOOSE = "unrestricted"
# Whose pods restricted refuses, and why. They are refused, and taken where nothing is enforced.
UNRESTRICTED = {
    "chart, host-network": "the webhook shares the node's network",
    "README.md, block 1 of YAML": "it says the least; deploy/samples/quickstart-tp2.yaml has a securityContext",
}


def kubectl(*arguments, text=None):
    return subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True, check=False)


def apply(objects, *flags):
    text = yaml.safe_dump_all(objects)
    return kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", *flags, "-f", "-", text=text)


def must(done, what):
    assert done.returncode == 0, f"{what}: {done.stderr}"


def namespace(name, level):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {ENFORCE: level}}}


def prepare(manifests):
    """CRDs, ours and others', and all namespaces: restricted, but where a manifest says otherwise."""
    crds = [*sorted((ROOT / "crds").glob("*.yaml")), *sorted((schemas.folder() / "crds").iterdir())]
    for path in crds:
        must(apply([o for o in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if o]), path.name)
    # kubectl takes a CRD that has no status yet for a fault.
    deadline = time.monotonic() + 60
    while (done := kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")).returncode != 0:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.2)
    objects = [o for manifest in manifests for o in manifest.objects()]
    names = {o["metadata"].get("namespace", "default") for o in objects}
    own = [o for o in objects if o["kind"] == "Namespace"]
    names |= {o["metadata"]["name"] for o in own}
    # By another manager, whose label stays where a manifest has none.
    must(apply([namespace(name, "restricted") for name in sorted(names)] + [namespace(LOOSE, "privileged")],
               "--field-manager=enforcement"), "namespaces")
    for o in own:
        must(apply([o]), f"namespace {o['metadata']['name']}")
    return len(crds)


def gvk(o):
    return f"{o['apiVersion']}/{o['kind']}"


def check(manifest, skipped):
    """The number of objects that the API server looked at."""
    known = []
    for o in manifest.objects():
        if gvk(o) in validate.SKIPPED:
            skipped[gvk(o)] += 1
        else:
            known.append(o)
    if known:
        must(apply(known, "--dry-run=server"), manifest.name)
    return len(known)


def check_pods(manifest):
    pods = list(sources.pods_of(manifest))
    if not pods:
        return 0
    restricted = apply([pod for _, pod in pods], "--dry-run=server")
    if manifest.name in UNRESTRICTED:
        assert restricted.returncode != 0 and "violates PodSecurity" in restricted.stderr, f"{manifest.name} is restricted after all"
        pods = [(name, {**pod, "metadata": {**pod["metadata"], "namespace": LOOSE}}) for name, pod in pods]
        restricted = apply([pod for _, pod in pods], "--dry-run=server")
    must(restricted, "\n".join(name for name, _ in pods))
    return len(pods)


def check_samples():
    """Without its label the webhook does not see a namespace's selected pods."""
    for path in sorted((ROOT / "deploy/samples").glob("*.yaml")):
        objects = sources.Manifest(path.name, path.read_text()).objects()
        services = [o for o in objects if o["apiVersion"] == sources.OURS]
        assert services, f"{path}: no InferenceService"
        selects = any("selector" in service["spec"] for service in services)
        enabled = any(o["metadata"].get("labels", {}).get("shm-operator.dev/injection") == "enabled"
                      for o in objects if o["kind"] == "Namespace")
        assert selects == enabled, f"{path}: selects {selects}, namespace enabled {enabled}"


def check_strict():
    """That a fault would be seen."""
    service = yaml.safe_load((ROOT / "deploy/samples/quickstart-tp2.yaml").read_text().split("---\n")[1])
    service["spec"]["tensorParalelSize"] = 2
    done = apply([service], "--dry-run=server")
    assert done.returncode != 0 and "tensorParalelSize" in done.stderr, done.stderr
    service["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    done = apply([sources.deployment_of(service)], "--dry-run=server")
    assert done.returncode != 0 and "imagePullPolice" in done.stderr, done.stderr


def main():
    shipped = sources.shipped()
    crds = prepare(shipped)
    check_strict()
    check_samples()
    skipped = collections.Counter()
    looked_at = sum(check(manifest, skipped) for manifest in shipped + [d for m in shipped for d in sources.deployments_of(m)])
    pods = sum(check_pods(manifest) for manifest in shipped)
    print(f"{looked_at} objects of {len(shipped)} manifests are taken, with {crds} CRDs; of their {pods} pods "
          f"restricted refuses those of {', '.join(UNRESTRICTED)} alone")
    for kind, number in skipped.items():
        print(f"  skipped: {number} × {kind} ({validate.SKIPPED[kind]})")


if __name__ == "__main__":
    sys.exit(main())
