"""cert-manager's controllers and injector against certificates.mode: cert-manager."""

from __future__ import annotations

import base64
import datetime
import pathlib
import re
import time

import engines
import flux
import probe
from client import Api
from compare import Json, bundles, certificates, changed, condition, managers_of_bundle
from kube import (CONFIGURATION, ROOT, SYSTEM, Program, apply, command, difference, get, kubectl, must_get, patch,
                  settled_versions, versions, wait_for)
from ledger import Ledger

WEBHOOK_NAME = "shm-operator-webhook"
TLS_SECRET = f"{WEBHOOK_NAME}-tls"
CERTIFICATE = f"certificate.cert-manager.io/{WEBHOOK_NAME}"
AUTHORITY = f"certificate.cert-manager.io/{WEBHOOK_NAME}-ca"
SECRET = f"secret/{TLS_SECRET}"
WEBHOOK = "app.kubernetes.io/name=shm-operator,app.kubernetes.io/component=webhook"
INJECTOR = "cert-manager-cainjector"
SIZE = "2Gi"


def start(work: pathlib.Path, crds: list[pathlib.Path]) -> dict[str, Program]:
    kubectl("apply", "--server-side", *(f"--filename={crd}" for crd in crds))
    kubectl("wait", "--for=condition=Established", "--timeout=60s",
            "crd/certificates.cert-manager.io", "crd/certificaterequests.cert-manager.io", "crd/issuers.cert-manager.io")
    return {role: Program(work, f"cert-manager-{role}", ["cert-manager", role]) for role in ("controller", "cainjector")}


class Mode:
    def __init__(self, api: Api, ledger: Ledger, injector: Program, renewals: int) -> None:
        self._api, self._ledger, self._injector, self._renewals = api, ledger, injector, renewals

    def prepare(self) -> None:
        """An InferenceService whose pods are asked for."""
        apply([engines.namespace()])
        apply([engines.service("tp2", 2)])

    def by_overlay(self, operator: flux.Kustomization, sources: flux.Sources) -> None:
        """From the operator's own certificates, whose times are as short as can be, and back."""
        self._ledger.part("cert-manager: deploy/overlays/cert-manager, by Flux")
        operator.push(sources, "v0.1.3")
        self._switch(operator, "self-signed")
        wait_for("caBundle is there", 60, lambda: all(bundles(must_get(CONFIGURATION))))
        self.prepare()
        self._switch_under_way(operator, "cert-manager")
        self._is_served()
        self._forget_what_was()
        objects = operator.objects()
        self._ledger.check("`kubectl diff` is empty", difference(objects, flux.MANAGER))
        before = settled_versions(objects)
        operator.reconcile()
        self._ledger.check(f"a further reconcile changes none of {len(before)} objects", ", ".join(changed(before, versions(objects))))
        self._renew_all("the chart's issuer")
        self._ledger.check("`kubectl diff` is empty after the renewals", difference(objects, flux.MANAGER))
        self._switch_under_way(operator, "self-signed")
        self._ledger.equal("who owns caBundle", sorted(managers_of_bundle(must_get(CONFIGURATION))), ["shm-operator"])
        self._ledger.equal("a new pod gets", probe.admitted(self._api, engines.NAMESPACE, probe.labelled("tp2")), SIZE)

    @staticmethod
    def _operators_alone() -> bool:
        data = (get("secret/shm-operator-ca", SYSTEM) or {"data": {}})["data"]
        own = base64.b64decode(data.get("tls.crt", ""))
        return all(certificates(one) == certificates(own) for one in bundles(must_get(CONFIGURATION)))

    def _switch(self, operator: flux.Kustomization, overlay: str) -> None:
        operator.document["spec"]["path"] = f"./deploy/overlays/{overlay}"
        operator.install()
        operator.wait_until_applied()
        self._ledger.note(f"overlay {overlay} is applied")

    def _switch_under_way(self, operator: flux.Kustomization, overlay: str) -> None:
        """While pods are created: that none is refused is not promised."""
        with probe.Stream(self._api, engines.NAMESPACE, probe.labelled("tp2"), SIZE) as stream:
            self._switch(operator, overlay)
            if overlay == "cert-manager":
                self._wait_until_injected()
            else:
                wait_for("the operator's authority is the only one in caBundle", 180, self._operators_alone)
        self._ledger.note("pods refused meanwhile, which may be", stream.counts())

    def by_helm(self, issuer: str) -> None:
        self._ledger.part(f"cert-manager: Helm, {issuer or 'the chart’s issuer'}")
        flags = ["--set", "certificates.mode=cert-manager"]
        if issuer:
            flags += ["--set", f"certificates.issuerRef.name={issuer}", "--set", "certificates.issuerRef.kind=Issuer"]
        for action in ("installed", "upgraded to the same"):
            command("helm", "upgrade", "--install", "shm-operator", str(ROOT / "charts/shm-operator"), "--namespace", SYSTEM,
                    "--create-namespace", "--set", "image.repository=shm-operator", "--set", "image.tag=dev",
                    "--set", "image.pullPolicy=Never", "--wait", "--timeout", "4m", *flags)
            self._ledger.note(action)
            self.prepare()
            self._is_served()
        self._renew_all(issuer or "the chart's issuer")

    def remove_helm(self, issuer: str) -> None:
        command("helm", "uninstall", "shm-operator", "--namespace", SYSTEM, "--wait", "--timeout", "3m")
        self._ledger.equal("after helm uninstall, of the webhook's configuration there is left", get(CONFIGURATION), None)
        secrets = kubectl("get", "secrets", "-n", SYSTEM, "-o", "jsonpath={.items[*].metadata.name}").split()
        self._ledger.equal("and of Secrets those that cert-manager made", sorted(secrets), sorted(
            [TLS_SECRET, issuer or f"{WEBHOOK_NAME}-ca"]))

    # What is looked at.

    def _is_served(self) -> None:
        kubectl("wait", "--for=condition=Ready", CERTIFICATE, "-n", SYSTEM, "--timeout=120s")
        self._ledger.equal("Certificate", condition(must_get(CERTIFICATE, SYSTEM), "Ready").get("message"),
                           "Certificate is up to date and has not expired")
        self._wait_until_injected()
        self._all_replicas_serve()
        self._ledger.equal("a new pod gets", probe.admitted(self._api, engines.NAMESPACE, probe.labelled("tp2")), SIZE)
        self._operator_keeps_out()

    def _operator_keeps_out(self) -> None:
        self._ledger.equal("who owns caBundle", sorted(managers_of_bundle(must_get(CONFIGURATION))), [INJECTOR])
        for verb in ("update", "patch"):
            said = kubectl("auth", "can-i", verb, CONFIGURATION, f"--as=system:serviceaccount:{SYSTEM}:shm-operator", fine=(0, 1))
            self._ledger.equal(f"may the operator {verb} it", said.strip(), "no")

    def _wait_until_injected(self) -> None:
        """It keeps what is there: since cert-manager 1.19 the injector adds."""
        def holds() -> bool:
            wanted = _authorities()
            return bool(wanted) and all(wanted <= certificates(one) for one in bundles(must_get(CONFIGURATION)))
        wait_for("both entries hold the Secret's ca.crt", 60, holds)

    def _forget_what_was(self) -> None:
        """As docs/certificates.md says how."""
        before = min(len(certificates(one)) for one in bundles(must_get(CONFIGURATION)))
        patch(CONFIGURATION, [{"op": "remove", "path": f"/webhooks/{entry}/clientConfig/caBundle"} for entry in (0, 1)], kind="json")
        self._wait_until_injected()
        after = [certificates(one) for one in bundles(must_get(CONFIGURATION))]
        self._ledger.check("after caBundle was removed by hand, it holds the Secret's ca.crt alone",
                           "" if all(one == _authorities() for one in after) else "it holds more", f"{len(after[0])} instead of {before}")

    def _all_replicas_serve(self) -> None:
        """The certificate that the Certificate speaks of."""
        def ends(pod: str) -> int:
            text = self._api.text(f"/api/v1/namespaces/{SYSTEM}/pods/{pod}:8080/proxy/metrics")
            found = re.search(r"^shm_webhook_certificate_not_after_seconds ([0-9.e+]+)$", text, re.MULTILINE)
            return int(float(found[1])) if found else 0

        def all_do() -> bool:
            not_after = must_get(CERTIFICATE, SYSTEM).get("status", {}).get("notAfter", "")
            if not not_after:
                return False
            wanted = int(datetime.datetime.fromisoformat(not_after.replace("Z", "+00:00")).timestamp())
            pods = kubectl("get", "pods", "-n", SYSTEM, "-l", WEBHOOK, "-o", "jsonpath={.items[*].metadata.name}").split()
            return bool(pods) and {ends(pod) for pod in pods} == {wanted}
        wait_for("every replica serves the Certificate's", 120, all_do)

    # Renewals.

    def _renew_all(self, issuer: str) -> None:
        for what, renew in (("as `cmctl renew` asks for it", _ask), ("by the Secret's deletion", _delete)):
            with probe.Stream(self._api, engines.NAMESPACE, probe.labelled("tp2"), SIZE) as stream:
                for _ in range(self._renewals):
                    self._renew(renew)
            self._refused(f"{self._renewals} renewals {what}, with {issuer}", stream)
        if get(AUTHORITY, SYSTEM):
            self._renew_authority()
        self._renew_without_injector()
        if get(AUTHORITY, SYSTEM):
            self._replace_authority()
        self._operator_keeps_out()

    def _renew(self, renew) -> None:
        self._issue(renew)
        self._wait_until_injected()
        self._all_replicas_serve()

    @staticmethod
    def _issue(renew, certificate: str = CERTIFICATE) -> None:
        before = must_get(certificate, SYSTEM)["status"]["revision"]
        time.sleep(1.1)  # the new one is to be told by the second of its end
        renew(certificate)
        wait_for("another certificate is issued", 120, lambda: _revision_and_idle(certificate) > before)

    def _renew_authority(self) -> None:
        """And then the webhook's certificate, which the new one signs."""
        with probe.Stream(self._api, engines.NAMESPACE, probe.labelled("tp2"), SIZE) as stream:
            self._issue(_ask, AUTHORITY)
            self._renew(_ask)
        self._refused("a renewal of the chart's authority, and of the certificate after it", stream)

    def _replace_authority(self) -> None:
        """By one with another key: what is to be believed changes, and for a moment calls may fail."""
        before = _authorities()
        with probe.Stream(self._api, engines.NAMESPACE, probe.labelled("tp2"), SIZE) as stream:
            self._issue(_delete, AUTHORITY)
            self._renew(_ask)
        self._ledger.check("after the authority's Secret was deleted and the certificate renewed, the authority is another",
                           "it is the same" if before == _authorities() else "")
        self._ledger.note("pods refused meanwhile, which may be", stream.counts())
        self._ledger.equal("a new pod gets", probe.admitted(self._api, engines.NAMESPACE, probe.labelled("tp2")), SIZE)

    def _renew_without_injector(self) -> None:
        """Replicas that are replaced meanwhile make the API server shake hands anew."""
        self._injector.freeze()
        try:
            with probe.Stream(self._api, engines.NAMESPACE, probe.labelled("tp2"), SIZE) as stream:
                self._issue(_ask)
                self._all_replicas_serve()
                kubectl("rollout", "restart", "deployment/shm-operator-webhook", "-n", SYSTEM)
                kubectl("rollout", "status", "deployment/shm-operator-webhook", "-n", SYSTEM, "--timeout=180s")
                self._all_replicas_serve()
        finally:
            self._injector.thaw()
        self._refused("a renewal, and new replicas, while the injector stands still", stream)
        self._wait_until_injected()

    def _refused(self, what: str, stream: probe.Stream) -> None:
        self._ledger.check(f"{what}: pods refused", stream.counts() if stream.others else "", stream.counts())


def _authorities() -> set[bytes]:
    """The Secret's ca.crt; empty while it is not there."""
    data = (get(SECRET, SYSTEM) or {"data": {}})["data"]
    return certificates(base64.b64decode(data.get("ca.crt", "")))


def _revision_and_idle(name: str) -> int:
    """0 while one is being issued."""
    certificate = must_get(name, SYSTEM)
    idle = condition(certificate, "Issuing").get("status") != "True" and condition(certificate, "Ready").get("status") == "True"
    return certificate["status"].get("revision", 0) if idle else 0


def _ask(name: str) -> None:
    certificate = must_get(name, SYSTEM)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions: list[Json] = [one for one in certificate["status"]["conditions"] if one["type"] != "Issuing"]
    conditions.append({"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "lastTransitionTime": now,
                       "message": "Certificate re-issuance manually triggered",
                       "observedGeneration": certificate["metadata"]["generation"]})
    patch(name, {"status": {"conditions": conditions}}, SYSTEM, subresource="status")


def _delete(name: str) -> None:
    kubectl("delete", f"secret/{must_get(name, SYSTEM)['spec']['secretName']}", "-n", SYSTEM)


def authority(name: str) -> list[Json]:
    """An authority of cert-manager's own, as somebody may have one, that outlives the webhook's certificate."""
    api = "cert-manager.io/v1"
    return [
        {"apiVersion": api, "kind": "Issuer", "metadata": {"name": f"{name}-root", "namespace": SYSTEM}, "spec": {"selfSigned": {}}},
        {"apiVersion": api, "kind": "Certificate", "metadata": {"name": name, "namespace": SYSTEM}, "spec": {
            "isCA": True, "commonName": name, "secretName": name, "duration": "87600h",
            "privateKey": {"algorithm": "ECDSA", "size": 256}, "issuerRef": {"name": f"{name}-root", "kind": "Issuer"}}},
        {"apiVersion": api, "kind": "Issuer", "metadata": {"name": name, "namespace": SYSTEM}, "spec": {"ca": {"secretName": name}}},
    ]
