"""Carries the schedule out: one disturbance after the other, each until all is as it was before."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import ssl
import time

from client import APPS, CONFIGURATION, CORE, LEASES, MERGE_PATCH, SYSTEM, Api, Json, wait_for
from node import Node
from plan import Disturbance

WEBHOOK = "shm-operator-webhook"
OPERATOR = "shm-operator"
CA_SECRET = "shm-operator-ca"
TLS_SECRET = "shm-operator-webhook-tls"
REPLICAS = 2
DEADLINE = 180.0
ROTATION_DEADLINE = 300.0  # beside propagation and overlap


@dataclasses.dataclass
class Done:
    kind: str
    began: float  # seconds after the soak's begin
    seconds: float


class Disturber:
    def __init__(self, api: Api, node: Node) -> None:
        self._api = api
        self._node = node
        # Whether a webhook replica was killed and not all are back.
        self.replica_is_dead = False

    def run(self, disturbance: Disturbance) -> None:
        method = "_" + disturbance.kind.removesuffix("-again").replace("-", "_")
        getattr(self, method)(disturbance.victim)

    def wait_until_whole(self) -> None:
        for name, replicas in ((WEBHOOK, REPLICAS), (OPERATOR, REPLICAS)):
            self._wait_for_deployment(name, replicas)

    def _rolling_update(self, _: int) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self._patch_deployment(WEBHOOK, {"template": {"metadata": {"annotations": {
            "kubectl.kubernetes.io/restartedAt": now}}}})
        self._wait_for_deployment(WEBHOOK, REPLICAS)

    def _scale(self, _: int) -> None:
        for replicas in (1, 3, 1, REPLICAS):
            self._patch_deployment(WEBHOOK, {"replicas": replicas})
            self._wait_for_deployment(WEBHOOK, replicas)

    def _kill_webhook(self, victim: int) -> None:
        pods = self._pods("webhook")
        pod = pods[victim % len(pods)]
        restarts = _restarts(pod)
        self.replica_is_dead = True
        self._node.kill_in_pod(pod["metadata"]["uid"], "shm-webhook")
        wait_for("the killed replica's restart", DEADLINE, lambda: any(
            one["metadata"]["uid"] == pod["metadata"]["uid"] and _restarts(one) > restarts
            for one in self._pods("webhook")))
        self._wait_for_deployment(WEBHOOK, REPLICAS)
        time.sleep(1)  # for kube-proxy to hear of it
        self.replica_is_dead = False

    def _rotate_authority(self, _: int) -> None:
        """As docs/certificates.md has it; over when the old authority is trusted no more."""
        before = self._data(CA_SECRET)
        self._api.must("DELETE", CORE.format(SYSTEM, "secrets") + "/" + CA_SECRET)

        def over() -> bool:
            authority, leaf = self._data(CA_SECRET), self._data(TLS_SECRET)
            mine = authority.get("tls.crt")
            return (mine not in (None, before.get("tls.crt")) and not authority.get("old.crt")
                    and leaf.get("ca.crt") == mine and self._bundles() == {_ders(mine)})
        wait_for("the end of the rotation", ROTATION_DEADLINE, over)

    def _renew_leaf(self, _: int) -> None:
        before = self._data(TLS_SECRET)
        self._api.must("DELETE", CORE.format(SYSTEM, "secrets") + "/" + TLS_SECRET)
        wait_for("another serving certificate", DEADLINE, lambda: self._data(TLS_SECRET).get(
            "tls.crt") not in (None, before.get("tls.crt")))

    def _kill_leader(self, _: int) -> None:
        pod = self._leader()
        renewed = self._lease()["spec"]["renewTime"]
        self._node.kill_in_pod(pod["metadata"]["uid"], "shm-operator")
        restarts = _restarts(pod)
        wait_for("the killed operator's restart", DEADLINE, lambda: any(
            one["metadata"]["uid"] == pod["metadata"]["uid"] and _restarts(one) > restarts
            for one in self._pods("operator")))
        self._wait_for_deployment(OPERATOR, REPLICAS)
        wait_for("a leader", DEADLINE, lambda: self._lease()["spec"]["renewTime"] > renewed)

    def _delete_leader(self, _: int) -> None:
        name = self._leader()["metadata"]["name"]
        self._api.must("DELETE", CORE.format(SYSTEM, "pods") + "/" + name)
        wait_for("another leader", DEADLINE, lambda: self._lease()["spec"].get(
            "holderIdentity") not in (None, "", name))
        self._wait_for_deployment(OPERATOR, REPLICAS)

    def _kill_apiserver(self, _: int) -> None:
        self._node.kill_apiserver()
        wait_for("the API server", DEADLINE, self._api.ready)
        self.wait_until_whole()

    def _patch_deployment(self, name: str, spec: Json) -> None:
        self._api.must("PATCH", APPS.format(SYSTEM, "deployments") + "/" + name, {"spec": spec},
                       MERGE_PATCH)

    def _wait_for_deployment(self, name: str, replicas: int) -> None:
        def whole() -> bool:
            found = self._api.get(APPS.format(SYSTEM, "deployments") + "/" + name)
            status = found["status"]
            return (status.get("observedGeneration") == found["metadata"]["generation"] and all(
                status.get(field, 0) == replicas
                for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")))
        wait_for(f"{name} with {replicas} replicas", DEADLINE, whole)

    def _pods(self, component: str) -> list[Json]:
        """Those that do not go, by age."""
        selector = f"?labelSelector=app.kubernetes.io/component={component}"
        items = self._api.must("GET", CORE.format(SYSTEM, "pods") + selector)["items"]
        stay = [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]
        return sorted(stay, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def _lease(self) -> Json:
        return self._api.must("GET", LEASES.format(SYSTEM) + "/" + OPERATOR)

    def _leader(self) -> Json:
        holder = self._lease()["spec"].get("holderIdentity", "")
        return self._api.must("GET", CORE.format(SYSTEM, "pods") + "/" + holder)

    def _data(self, secret: str) -> dict[str, str]:
        """Decoded; empty where it is not there."""
        found = self._api.get(CORE.format(SYSTEM, "secrets") + "/" + secret) or {}
        return {key: base64.b64decode(value).decode() for key, value in found.get("data", {}).items()}

    def _bundles(self) -> set[frozenset[bytes]]:
        """What each entry trusts."""
        entries = self._api.must("GET", CONFIGURATION)["webhooks"]
        return {_ders(base64.b64decode(entry["clientConfig"].get("caBundle", "")).decode())
                for entry in entries}


def _restarts(pod: Json) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))


def _ders(bundle: str) -> frozenset[bytes]:
    end = "-----END CERTIFICATE-----"
    return frozenset(ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + end)
                     for part in bundle.split(end) if part.strip())
