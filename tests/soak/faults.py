"""The faults: what each does, how it is healed, and how it is known that it bit.

`strike` is called at the fault's time, `heal` when its seconds are over. A fault that had no effect
is an error of the soak, not a success of the operator: `heal` returns a line that says so.
"""

from __future__ import annotations

import base64
import functools
import pathlib
import time
from typing import Callable

import pki
from api import GaveUp, Unreachable
from cluster import Cluster
from plan import Fault
from programs import wait_until
from replica import OWN_SECRETS, Replica

REFUSED = ("rest_client_requests_total", 'code="401"')


class Strike:
    """One fault of a round on its way."""

    def __init__(self, cluster: Cluster, fault: Fault) -> None:
        self._cluster = cluster
        self.fault = fault
        self._replicas: list[Replica] = []
        self._refused: dict[str, float] = {}
        self._idle: list[str] = []

    def run(self, began: float) -> list[str]:
        """The whole of it; lines that say where it had no effect."""
        time.sleep(max(0.0, began + self.fault.at - time.monotonic()))
        name = self.fault.kind.replace("-", "_")
        strike: Callable[[], None] = getattr(self, f"_strike_{name}")
        heal: Callable[[], None] = getattr(self, f"_heal_{name}")
        strike()
        time.sleep(self.fault.seconds)
        heal()
        return [f"{self.fault.kind} had no effect: {line}" for line in self._idle]

    # kill -9.

    def _strike_kill_apiserver(self) -> None:
        self._cluster.apiserver.kill()

    def _heal_kill_apiserver(self) -> None:
        self._cluster.start_apiserver()

    def _strike_kill_etcd(self) -> None:
        self._cluster.etcd.kill()

    def _heal_kill_etcd(self) -> None:
        self._cluster.start_etcd()

    def _strike_kill_leader(self) -> None:
        self._kill("leader")

    def _strike_kill_both(self) -> None:
        self._kill("both")

    def _kill(self, who: str) -> None:
        self._replicas = self._cluster.struck(who)
        for replica in self._replicas:
            replica.program.kill()

    def _heal_kill_leader(self) -> None:
        for replica in self._replicas:
            replica.start(self.fault.detail["new_pod"])

    _heal_kill_both = _heal_kill_leader

    # Partition.

    def _strike_partition(self) -> None:
        self._replicas = self._cluster.struck(self.fault.detail["who"])
        for replica in self._replicas:
            replica.cut()

    def _heal_partition(self) -> None:
        for replica in self._replicas:
            replica.join()

    # Certificates that have ended.

    def _strike_apiserver_certificate_expired(self) -> None:
        """Killed and started, since connections that are there already outlive their certificate."""
        cluster = self._cluster
        cluster.pki.make_ending("bad", "/CN=kube-apiserver", cluster.apiserver_names, -60)
        cluster.apiserver.kill()
        cluster.use_serving_pair("bad")
        cluster.start_apiserver()
        deadline = time.monotonic() + 60
        while not self._says_expired():
            if time.monotonic() > deadline:
                self._idle.append("no client was told that the certificate has expired")
                return
            time.sleep(0.1)

    def _says_expired(self) -> bool:
        try:
            self._cluster.api.call("GET", "/readyz")
        except Unreachable as error:
            return "expired" in str(error)
        return False

    def _heal_apiserver_certificate_expired(self) -> None:
        self._cluster.use_serving_pair("good")

    def _strike_client_certificate_expired(self) -> None:
        """A pod that begins with a certificate that ends a few seconds later."""
        self._replicas = self._cluster.struck(self.fault.detail["who"])
        for replica in self._replicas:
            config = replica.expiring_kubeconfig(self.fault.detail["valid"])
            replica.start(new_pod=True, kubeconfig=config)

    def _heal_client_certificate_expired(self) -> None:
        """A kubeconfig is read once, so a new one is for a new process."""
        self._wait_for_refusals()
        for replica in self._replicas:
            replica.start(new_pod=True)

    # A token that is refused.

    def _strike_token_revoked(self) -> None:
        self._replicas = self._cluster.struck(self.fault.detail["who"])
        for replica in self._replicas:
            self._refused[replica.space] = replica.count(*REFUSED)
            replica.revoke_token()

    def _heal_token_revoked(self) -> None:
        """The file gets another token; the process goes on."""
        self._wait_for_refusals()
        for replica in self._replicas:
            replica.make_credentials()

    def _wait_for_refusals(self) -> None:
        """Healed before that, it would not have been a fault."""
        for replica in self._replicas:
            try:
                wait_until(60, "a request that is refused with 401",
                           functools.partial(self._was_refused, replica), pause=0.3)
            except GaveUp as error:
                self._idle.append(f"{replica.identity}: {error}")

    def _was_refused(self, replica: Replica) -> bool:
        return replica.count(*REFUSED) > self._refused.get(replica.space, 0)

    # The webhook's own pair.

    def _strike_webhook_pair_expired(self) -> None:
        """Nobody heals this one but the operator."""
        cluster, path = self._cluster, f"{OWN_SECRETS}/shm-operator-webhook-tls"
        if self.fault.detail["how"] == "deleted":
            cluster.api.insist("DELETE", path)
            return
        _, authority = cluster.api.insist("GET", f"{OWN_SECRETS}/shm-operator-ca")
        folder = cluster.folder / "webhook-pki"
        folder.mkdir(exist_ok=True)
        for suffix, field in (("crt", "tls.crt"), ("key", "tls.key")):
            (folder / f"ca.{suffix}").write_bytes(base64.b64decode(authority["data"][field]))
        pki.sign_ending(folder, "tls", "/CN=localhost", "DNS:localhost", -60)
        data = {f"tls.{suffix}": _base64(folder / f"tls.{suffix}") for suffix in ("crt", "key")}
        # Gone is what an earlier fault of this kind deleted, until the operator has made it anew.
        cluster.api.insist("PATCH", path + "?fieldManager=careless", {"data": data},
                           "application/merge-patch+json")

    def _heal_webhook_pair_expired(self) -> None:
        return


def _base64(path: pathlib.Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
