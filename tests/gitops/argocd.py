"""Argo CD does not build from its module, so its rules are applied by hand: deploy/gitops/argocd's, to objects of a cluster.

What it compares is, as with its ServerSideDiff, what a dry run of its apply would make of each object with what is there, both
without the fields of ignoreDifferences.
"""

from __future__ import annotations

import json
import pathlib
import tempfile
from typing import Any

import yaml

import engines
import probe
from client import Api
from compare import Json, bundles, condition, is_hook, key_of, lua, managers_of_bundle
from kube import (CONFIGURATION, ROOT, SYSTEM, apply, command, documents, get, kubectl, live, must_get, patch, wait_for)
from ledger import Ledger

MANAGER = "argocd-controller"
SERVICE = "inferenceservice.shm-operator.dev"
HERE = ROOT / "deploy/gitops/argocd"


class Application:
    def __init__(self) -> None:
        self._document, = documents((HERE / "application.yaml").read_text())
        self._spec = self._document["spec"]

    def objects(self) -> list[Json]:
        """As Argo CD renders them: hooks are none of the sync, and each carries the mark by which it is tracked."""
        helm = self._spec["source"]["helm"]
        values = {**helm["valuesObject"], "image": {"repository": "shm-operator", "tag": "dev", "pullPolicy": "Never"}}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            text = command("helm", "template", helm["releaseName"], str(ROOT / self._spec["source"]["path"]), "--include-crds",
                           "--namespace", self._spec["destination"]["namespace"], "--values", file.name)
        found = [one for one in documents(text) if not is_hook(one)]
        for one in found:
            group, kind, namespace, name = key_of(one)
            one["metadata"].setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = (
                f"{self._document['metadata']['name']}:{group}/{kind}:{namespace}/{name}")
        return found

    def _ignored(self, document: Json) -> list[str]:
        """Expressions of jq."""
        group, kind, _, name = key_of(document)
        return [expression for rule in self._spec.get("ignoreDifferences", [])
                if rule.get("group", "") in (group, "*") and rule["kind"] in (kind, "*") and rule.get("name", name) == name
                for expression in rule.get("jqPathExpressions", [])]

    def normalized(self, document: Json) -> Json:
        """Without what is ignored, nor what Argo CD never compares."""
        text = json.dumps(document)
        for expression in self._ignored(document):
            text = command("jq", f"del({expression})", text=text)
        made = json.loads(text)
        for name in ("resourceVersion", "generation", "managedFields"):
            made["metadata"].pop(name, None)
        made.pop("status", None)
        return made

    def out_of_sync(self, objects: list[Json]) -> list[str]:
        """Which objects a sync would change, by kind and name."""
        there = {key_of(one): one for one in live(objects)}
        text = kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", f"--field-manager={MANAGER}",
                       "-o", "json", "-f", "-", text=yaml.safe_dump_all(objects))
        predicted = {key_of(one): one for one in json.loads(text)["items"]}
        return sorted(f"{key[1]} {key[3]}" for key in predicted
                      if key not in there or self.normalized(predicted[key]) != self.normalized(there[key]))

    def sync(self, objects: list[Json]) -> None:
        """With ServerSideApply, CRDs first, as its waves of kinds have it."""
        crds = [one for one in objects if one["kind"] == "CustomResourceDefinition"]
        for some in (crds, [one for one in objects if one not in crds]):
            kubectl("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-f", "-",
                    text=yaml.safe_dump_all([self._as_applied(one) for one in some]))

    def _as_applied(self, document: Json) -> Json:
        """With RespectIgnoreDifferences, Argo CD puts what is ignored into what it applies, as it is there."""
        if "RespectIgnoreDifferences=true" not in self._spec["syncPolicy"]["syncOptions"] or not self._ignored(document):
            return document
        made = json.loads(json.dumps(document))
        entries = {entry["name"]: entry for one in live([document]) for entry in one["webhooks"]}
        for entry in made["webhooks"]:
            if bundle := entries.get(entry["name"], {"clientConfig": {}})["clientConfig"].get("caBundle"):
                entry["clientConfig"]["caBundle"] = bundle
        return made


class Health:
    """The Lua of argocd-cm-patch.yaml, by the Lua that Argo CD speaks (5.1)."""

    def __init__(self) -> None:
        data = yaml.safe_load((HERE / "argocd-cm-patch.yaml").read_text())["data"]
        self._lua = data["resource.customizations.health.shm-operator.dev_InferenceService"]

    def of(self, document: Json) -> str:
        text = f"obj = {lua(document)}\nlocal health = (function()\n{self._lua}\nend)()\nprint(health.status)\n"
        return command("lua5.1", "-", text=text).strip()


def install(ledger: Ledger, api: Api) -> tuple[Application, list[Json]]:
    ledger.part("Argo CD's rules: ignoreDifferences")
    application = Application()
    objects = application.objects()
    apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}, engines.namespace()])
    application.sync(objects)
    for name in ("shm-operator", "shm-operator-webhook"):
        kubectl("rollout", "status", f"deployment/{name}", "-n", SYSTEM, "--timeout=180s")
    wait_for("caBundle is there", 60, lambda: all(bundles(must_get(CONFIGURATION))))
    apply([engines.service("ready", 2)])
    ledger.equal("a new pod gets", probe.admitted(api, engines.NAMESPACE, probe.labelled("ready")), "2Gi")
    return application, objects


def compare(ledger: Ledger, application: Application, objects: list[Json]) -> None:
    ledger.check(f"none of {len(objects)} objects is out of sync", ", ".join(application.out_of_sync(objects)))
    before = must_get(CONFIGURATION)
    rendered = next(one for one in objects if one["kind"] == "MutatingWebhookConfiguration")
    ledger.equal("of caBundle the expression leaves", [one for one in bundles(application.normalized(before)) if one], [])
    stripped = json.loads(json.dumps(before))
    for entry in stripped["webhooks"]:
        del entry["clientConfig"]["caBundle"]
    ledger.check("the expression takes nothing else",
                 "" if application.normalized(before) == application.normalized(stripped) and
                 application.normalized(rendered)["webhooks"] == rendered["webhooks"] else "it does")
    application.sync(objects)
    after = must_get(CONFIGURATION)
    ledger.check("another sync leaves caBundle, byte by byte", "" if bundles(before) == bundles(after) else "it is another")
    ledger.equal("who owns caBundle", sorted(managers_of_bundle(after)), ["shm-operator"])
    _differences_show(ledger, application, objects)


def _differences_show(ledger: Ledger, application: Application, objects: list[Json]) -> None:
    """That the comparison finds what it should, and no more."""
    where = {"path": "/webhooks/0/failurePolicy", "op": "replace", "value": "Ignore"}
    patch(CONFIGURATION, [where], kind="json")
    ledger.equal("with a failurePolicy of somebody's, out of sync is", application.out_of_sync(objects),
                 ["MutatingWebhookConfiguration shm-operator"])
    application.sync(objects)
    ledger.equal("after a sync", application.out_of_sync(objects), [])


def health(ledger: Ledger) -> None:
    ledger.part("Argo CD's rules: health of live InferenceServices, by Lua")
    never = {"readinessProbe": {"exec": {"command": ["false"]}}}
    apply([engines.service("starting", 1, never), engines.service("scaled-to-zero", 1, replicas=0),
           engines.deployment("taken")])
    apply([engines.service("taken", 1), engines.service("no-pods", 1, gpuCount=1, selector={"matchLabels": {"app": "none"}})])
    look = Health()
    wanted = {"ready": ("True", "Available", "Healthy"), "no-pods": ("True", "NoPods", "Healthy"),
              "starting": ("False", "Progressing", "Progressing"), "scaled-to-zero": ("True", "ScaledToZero", "Suspended"),
              "taken": ("False", "NameTaken", "Degraded")}
    for name, (status, reason, said) in wanted.items():
        _wait_for_condition(name, status, reason)
        ledger.equal(f"{name}: Ready is {status}, {reason}; health", look.of(must_get(f"{SERVICE}/{name}", engines.NAMESPACE)), said)
    ready = must_get(f"{SERVICE}/ready", engines.NAMESPACE)
    ready["metadata"]["generation"] += 1  # as between an edit and the operator's answer
    ledger.equal("ready, with a newer generation than the status has seen; health", look.of(ready), "Progressing")
    del ready["status"]
    ledger.equal("ready, without a status; health", look.of(ready), "Progressing")


def _wait_for_condition(name: str, status: str, reason: str) -> None:
    def ready() -> Json:
        return condition(must_get(f"{SERVICE}/{name}", engines.NAMESPACE), "Ready")
    wait_for(f"{name} is {reason}", 120, lambda: (ready().get("status"), ready().get("reason")) == (status, reason),
             lambda: str(ready()))


def remove(ledger: Ledger, objects: list[Json]) -> None:
    """As an Application's removal prunes; the hook `pre-delete` takes the entries away first, as docs/gitops.md says."""
    kubectl("delete", f"{SERVICE}", "--all", "-n", engines.NAMESPACE)
    kubectl("delete", CONFIGURATION)
    rest = [one for one in objects if one["kind"] != "CustomResourceDefinition"]
    kubectl("delete", "--ignore-not-found", "-f", "-", text=yaml.safe_dump_all(rest))
    kubectl("delete", f"namespace/{SYSTEM}", f"namespace/{engines.NAMESPACE}", "--timeout=180s")
