"""What is looked at after a round, beside the children: processes, lease, health, the webhook's pair."""

from __future__ import annotations

import base64
import subprocess
from typing import Iterator

import api
from api import Api
from checker import Snapshot
from cluster import LEASE, WEBHOOKS, Cluster
from plan import NAMESPACES
from replica import OWN_SECRETS

REPLICA_SETS = "/apis/apps/v1/namespaces/{}/replicasets"


def take_snapshot(client: Api) -> Snapshot:
    """Unreachable where any of the lists could not be had."""
    def everywhere(path: str, kind: str) -> list[api.Json]:
        found = [{**one, "kind": kind} for space in NAMESPACES
                 for one in client.items(path.format(space))]
        for one in found:
            one["metadata"].pop("managedFields", None)  # would only lengthen what is said
        return found
    return Snapshot(everywhere(api.SERVICES, "InferenceService"),
                    everywhere(api.DEPLOYMENTS, "Deployment"),
                    everywhere(api.KUBE_SERVICES, "Service"),
                    everywhere(REPLICA_SETS, "ReplicaSet"), everywhere(api.PODS, "Pod"))


def program_differences(cluster: Cluster) -> Iterator[str]:
    """Nothing ends but what a fault killed."""
    programs = [cluster.etcd, cluster.apiserver, cluster.controllers, cluster.webhook]
    for program in programs + [replica.program for replica in cluster.replicas]:
        status = program.ended_by_itself()
        if status is not None:
            yield f"{program.name} ended by itself with {status}:\n{program.tail()}"
        elif not program.running():
            yield f"{program.name} was not started again"


def operator_differences(cluster: Cluster) -> Iterator[str]:
    lease = cluster.api.must("GET", LEASE)
    holder = lease["spec"].get("holderIdentity", "")
    if holder not in [replica.identity for replica in cluster.replicas]:
        yield f"the lease is held by '{holder}', which does not run"
    leading = [replica.identity for replica in cluster.replicas
               if replica.count("leader_election_master_status", "") == 1]
    if leading != [holder]:
        yield f"these say that they lead: {leading}; the lease is held by '{holder}'"
    for replica in cluster.replicas:
        for path in ("/healthz", "/readyz"):
            if not replica.get(path):
                yield f"{replica.identity} does not answer {path}"


def pair_differences(cluster: Cluster) -> Iterator[str]:
    """The webhook's certificate has not ended, and is trusted by what each entry of it is called with."""
    status, secret = cluster.api.insist("GET", f"{OWN_SECRETS}/shm-operator-webhook-tls")
    if status != 200:
        yield f"the Secret of the webhook's pair: {secret.get('message')}"
        return
    leaf = cluster.folder / "seen-leaf.crt"
    leaf.write_bytes(base64.b64decode(secret["data"]["tls.crt"]))
    for webhook in cluster.api.must("GET", WEBHOOKS)["webhooks"]:
        bundle = cluster.folder / "seen-bundle.crt"
        bundle.write_bytes(base64.b64decode(webhook["clientConfig"].get("caBundle", "")))
        done = subprocess.run(["openssl", "verify", "-CAfile", str(bundle), str(leaf)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            yield f"the webhook's pair does not hold for {webhook['name']}: {done.stderr.strip()}"
