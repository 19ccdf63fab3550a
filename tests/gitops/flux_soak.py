"""Three rounds of changes through Flux, and what is changed by hand in between."""

from __future__ import annotations

import hashlib
import pathlib
import re
import shutil
from dataclasses import dataclass

import engines
import flux
import probe
from client import Api
from compare import bundles, changed, inventory, key_of, managers_of_bundle
from kube import (CONFIGURATION, ROOT, SYSTEM, difference, get, kubectl, live, must_get,
                  settled_versions, versions, wait_for)
from ledger import Ledger

SELECTED = {"app": "selected"}
IMAGE = {"name": "shm-operator", "newName": "shm-operator", "newTag": "dev"}


@dataclass
class Drift:
    """Something of ours that is changed behind Flux's back."""
    what: str
    by: list[str]
    of_engines: bool = False


DRIFTS = [
    Drift("the webhook scaled to 1", ["scale", "deployment/shm-operator-webhook", "-n", SYSTEM, "--replicas=1"]),
    Drift("the webhook's Service deleted", ["delete", "service/shm-operator-webhook", "-n", SYSTEM]),
    Drift("an entry's failurePolicy patched to Ignore", [
        "patch", CONFIGURATION, "--type=json", "-p", '[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]']),
    Drift("a ClusterRole emptied", [
        "patch", "clusterrole/shm-operator-webhook", "--type=merge", "-p", '{"rules":[]}']),
    Drift("a setting edited", [
        "patch", "configmap/shm-operator", "-n", SYSTEM, "--type=merge", "-p", '{"data":{"config.yaml":"audit: true"}}']),
    Drift("the MutatingWebhookConfiguration deleted", ["delete", CONFIGURATION]),
    Drift("an InferenceService's degree patched to 8", [
        "patch", "inferenceservice.shm-operator.dev/tp2", "-n", engines.NAMESPACE, "--type=merge", "-p",
        '{"spec":{"tensorParallelSize":8}}'], of_engines=True),
    Drift("an InferenceService deleted", [
        "delete", "inferenceservice.shm-operator.dev/tp2", "-n", engines.NAMESPACE], of_engines=True),
]


class FluxSoak:
    def __init__(self, api: Api, ledger: Ledger, sources: flux.Sources, work: pathlib.Path) -> None:
        self._api, self._ledger, self._sources = api, ledger, sources
        tree = work / "operator"
        for name in ("charts", "deploy"):  # as `ignore` of source.yaml has it
            shutil.copytree(ROOT / name, tree / name)
        self._repository, = flux.shipped("source.yaml")
        document, = flux.shipped("with-kustomize.yaml")
        document["spec"]["images"] = [IMAGE]
        self.operator = flux.Kustomization(document, tree)
        self._engine_tree = engines.Tree(work / "engines")
        document, = flux.shipped("engines.yaml")
        self.engines = flux.Kustomization(document, self._engine_tree.root)
        self._bundle = b""

    def run(self) -> None:
        self._round_one()
        self._round_two()
        self._round_three()
        self._by_hand()

    def prepare_repository(self) -> None:
        flux.apply([self._repository,
                    dict(self._repository, metadata={"name": "engines", "namespace": flux.NAMESPACE})])

    def shorten_times(self) -> None:
        """Of the operator's own certificates: so long nothing else can be told of its rotation."""
        self._edit("deploy", "--ca-overlap=[0-9]+", "--ca-overlap=5")
        self._edit("deploy", "--ca-propagation=[0-9]+", "--ca-propagation=5")

    # The rounds.

    def _round_one(self) -> None:
        self._ledger.part("Round 1: all of it, at once")
        self.prepare_repository()
        self._engine_tree.write("namespace", engines.namespace())
        self._engine_tree.write("tp2", engines.service("tp2", 2))
        # Flux applies the Deployment before the InferenceService that selects its pods: the first may come too early.
        self._engine_tree.write("selected", engines.deployment("selected"), engines.service(
            "selected", 2, gpuCount=2, selector={"matchLabels": SELECTED}, repair="Restart"))
        # Before there is a CRD: what comes too early is tried again.
        self.engines.install()
        self.operator.install()
        self._push("v0.1.0", "v1")
        self._bundle = self._only_bundle()
        self._after_round({"tp2": "2Gi", "selected": "2Gi"})

    def _round_two(self) -> None:
        self._ledger.part("Round 2: another version, fewer replicas, more GPUs, a sample more")
        self._edit("deploy", 'app.kubernetes.io/version: "[0-9.]+"', 'app.kubernetes.io/version: "0.1.1"')
        self._edit("deploy/overlays/high-availability", r"(path: /spec/replicas\n +value: )3", r"\g<1>2")
        self._engine_tree.write("tp2", engines.service("tp2", 4))
        self._engine_tree.write("added", engines.service("added", 2))
        self._push("v0.1.1", "v2")
        self._ledger.equal("replicas of the webhook", self._replicas("deployment/shm-operator-webhook", SYSTEM), 2)
        self._after_round({"tp2": "4Gi", "selected": "2Gi", "added": "2Gi"})

    def _round_three(self) -> None:
        self._ledger.part("Round 3: a setting, replicas of an engine, a sample removed")
        self._edit("deploy/base", 'sizePerGPU: "1Gi"', 'sizePerGPU: "2Gi"')
        self._edit("deploy/base", "(config-checksum: )[0-9a-f]+", r"\g<1>" + hashlib.sha256(b"2Gi").hexdigest())
        self._engine_tree.write("tp2", engines.service("tp2", 4, replicas=2))
        self._engine_tree.remove("added")
        self._push("v0.1.2", "v3")
        self._ledger.equal("replicas of tp2's Deployment", self._replicas("deployment/tp2", engines.NAMESPACE), 2)
        wait_for("what was made of the removed sample is gone", 60,
                 lambda: get("deployment/added", engines.NAMESPACE) is None)
        self._ledger.equal("the removed sample is gone, with its Deployment",
                           get("inferenceservice.shm-operator.dev/added", engines.NAMESPACE), None)
        self._after_round({"tp2": "8Gi", "selected": "4Gi"})

    def _by_hand(self) -> None:
        self._ledger.part("By hand")
        for drift in DRIFTS:
            kustomization = self.engines if drift.of_engines else self.operator
            kubectl(*drift.by)
            # Somebody else owns now what was changed: as Flux, by force.
            seen = difference(kustomization.objects(), flux.MANAGER, "--force-conflicts")
            self._ledger.check(f"{drift.what}: it is seen", "" if seen else "no difference")
            kustomization.reconcile()
            left = difference(kustomization.objects(), flux.MANAGER)
            self._ledger.check(f"{drift.what}: it is put back", left)
            self._bundle_is_the_same()
        self._ledger.part("After all of that")
        self._after_round({"tp2": "8Gi", "selected": "4Gi"})

    def remove(self) -> None:
        self._ledger.part("Removal")
        applied = inventory(self.operator.state())
        objects = self.operator.objects()
        self.engines.delete()
        self._ledger.equal("InferenceServices after the engines' Kustomization", kubectl(
            "get", "inferenceservices.shm-operator.dev", "-A", "-o", "name"), "")
        self.operator.delete()
        wait_for("the namespace is gone", 120, lambda: get(f"namespace/{SYSTEM}") is None)
        left = {key_of(one) for one in live(objects)}
        self._ledger.equal(f"of {len(applied)} objects there is left", sorted(f"{key[1]} {key[3]}" for key in left),
                           ["CustomResourceDefinition inferenceservices.shm-operator.dev"])

    # What each round ends with.

    def _after_round(self, sizes: dict[str, str]) -> None:
        for kustomization in (self.operator, self.engines):
            self._nothing_is_out_of_sync(kustomization)
        self._bundle_is_the_same()
        self._ledger.equal("who owns caBundle", sorted(managers_of_bundle(must_get(CONFIGURATION))), ["shm-operator"])
        for service, size in sizes.items():
            document = probe.pod(SELECTED) if service == "selected" else probe.labelled(service)
            self._ledger.equal(f"a new pod of {service} gets", probe.admitted(self._api, engines.NAMESPACE, document), size)
        self._ledger.equal("df in a running pod of tp2", self._df("shm-operator.dev/service=tp2"),
                           f"{float(sizes['tp2'].removesuffix('Gi')):.1f}G")

    def _nothing_is_out_of_sync(self, kustomization: flux.Kustomization) -> None:
        name = kustomization.name
        objects = kustomization.objects()
        kustomization.wait_until_applied()
        self._ledger.equal(f"{name}: of what was built and what Flux says that it applied, one alone has",
                           sorted(inventory(kustomization.state()) ^ {key_of(one) for one in objects}), [])
        self._ledger.check(f"{name}: `kubectl diff` is empty", difference(objects, flux.MANAGER))
        before = settled_versions(objects)
        kustomization.reconcile()
        self._ledger.check(f"{name}: a further reconcile changes none of {len(before)} objects",
                           ", ".join(changed(before, versions(objects))))

    def _only_bundle(self) -> bytes:
        found = set(bundles(must_get(CONFIGURATION)))
        return found.pop() if len(found) == 1 else b""

    def _bundle_is_the_same(self) -> None:
        # Of a configuration that is made anew, the operator fills it in once it hears of it.
        wait_for("caBundle is there", 30, lambda: self._only_bundle() != b"")
        self._ledger.check("caBundle of both entries is what it was, byte by byte",
                           "" if self._bundle and self._only_bundle() == self._bundle else "it is another")

    def _df(self, selector: str) -> str:
        """In the youngest pod, which has what is true now; asked until one runs."""
        sizes: list[str] = []

        def runs() -> bool:
            pods = kubectl("get", "pods", "-n", engines.NAMESPACE, "-l", selector, "-o", "name", "--field-selector=status.phase=Running",
                           "--sort-by=.metadata.creationTimestamp").split()
            if pods:
                text = kubectl("exec", "-n", engines.NAMESPACE, pods[-1], "--", "df", "-h", "/dev/shm", fine=(0, 1))
                sizes.extend(line.split()[1] for line in text.splitlines()[1:])
            return bool(sizes)
        wait_for("a pod runs", 120, runs)
        return sizes[-1]

    # Helpers.

    def _push(self, operator_ref: str, engines_ref: str) -> None:
        self.operator.push(self._sources, operator_ref)
        self.engines.push(self._sources, engines_ref)
        for kustomization in (self.operator, self.engines):
            kustomization.wait_until_applied()
            self._ledger.note(f"{kustomization.name} is Ready at {kustomization.revision[:20]}…")

    def _edit(self, folder: str, pattern: str, text: str) -> None:
        """In every file of the repository's folder that has it; there must be one."""
        edited = 0
        for file in (self.operator.tree / folder).rglob("*.yaml"):
            before = file.read_text()
            after = re.sub(pattern, text, before)
            edited += after != before
            file.write_text(after)
        if not edited:
            raise AssertionError(f"{folder} has no {pattern}")

    @staticmethod
    def _replicas(what: str, namespace: str) -> int:
        return must_get(what, namespace)["spec"]["replicas"]
