"""One operator: its process, its pod's name, its network and its credentials."""

from __future__ import annotations

import pathlib
import subprocess
from typing import Protocol

from api import Api
from pki import Pki
from programs import Program, run_ip

OWN_NAMESPACE = "shm-system"
ACCOUNT = f"/api/v1/namespaces/{OWN_NAMESPACE}/serviceaccounts"
OWN_SECRETS = f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets"
OPERATOR_USER = f"system:serviceaccount:{OWN_NAMESPACE}:shm-operator"
APISERVER_PORT, HEALTH_PORT = 6443, 8080


class Surroundings(Protocol):
    """What a replica needs of its cluster."""

    folder: pathlib.Path
    programs: pathlib.Path
    pki: Pki
    api: Api


class Replica:
    """One operator: its process, its pod's name, its namespace, its link and its credentials."""

    def __init__(self, cluster: Surroundings, letter: str, network: int) -> None:
        self._cluster = cluster
        self.letter = letter
        self.space = f"operator-{letter}"
        self.link = f"soak-{letter}"
        self.server = f"https://198.18.{network}.1:{APISERVER_PORT}"
        self.folder = cluster.folder / self.space
        self.folder.mkdir()
        self.token_file = self.folder / "token"
        self.program = Program(self.space, cluster.folder / "log" / f"{self.space}.log")
        self.pods = 0
        self._bound = ""  # the Secret that its token is bound to
        self._tokens = 0
        run_ip("netns", "add", self.space)
        run_ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        run_ip("addr", "add", f"198.18.{network}.1/30", "dev", self.link)
        run_ip("link", "set", self.link, "up")
        for words in (("addr", "add", f"198.18.{network}.2/30", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            run_ip("-n", self.space, *words)

    @property
    def identity(self) -> str:
        return f"{self.space}-{self.pods}"

    def start(self, new_pod: bool, kubeconfig: pathlib.Path | None = None) -> None:
        """A new pod has a new name; a container that starts again keeps it, and so its lease."""
        if new_pod or self.pods == 0:
            self.pods += 1
        self.program.start(
            ["ip", "netns", "exec", self.space, str(self._cluster.programs / "shm-operator"),
             "--kubeconfig", str(kubeconfig or self.folder / "kubeconfig"), "--namespace", OWN_NAMESPACE,
             "--health-port", str(HEALTH_PORT)], {"POD_NAME": self.identity})

    def make_credentials(self) -> None:
        """As in a pod: a file with a token of the ServiceAccount, written anew when there is another."""
        self._tokens += 1
        name = f"{self.space}-token-{self._tokens}"
        secret = self._cluster.api.must("POST", OWN_SECRETS, {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
            "boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": name,
                               "uid": secret["metadata"]["uid"]}}}
        answer = self._cluster.api.must("POST", f"{ACCOUNT}/shm-operator/token", asked)
        fresh = self.token_file.with_suffix(".new")
        fresh.write_text(answer["status"]["token"])
        fresh.rename(self.token_file)
        self._bound = name
        (self.folder / "kubeconfig").write_text(
            self._cluster.pki.token_kubeconfig(self.server, self.token_file))

    def revoke_token(self) -> None:
        """A token bound to an object that is gone is refused."""
        self._cluster.api.insist("DELETE", f"{OWN_SECRETS}/{self._bound}")

    def expiring_kubeconfig(self, seconds: float) -> pathlib.Path:
        name = f"{self.space}-client"
        self._cluster.pki.make_ending(name, f"/CN={OPERATOR_USER}", f"DNS:{self.space}", seconds)
        path = self.folder / "expiring-kubeconfig"
        path.write_text(self._cluster.pki.kubeconfig(self.server, name))
        return path

    def cut(self) -> None:
        """This side of the pair goes down: the replica sees no link go, its packets just vanish."""
        run_ip("link", "set", self.link, "down")

    def join(self) -> None:
        run_ip("link", "set", self.link, "up")

    def get(self, path: str) -> str:
        """What its health port answers, or ''."""
        done = subprocess.run(["ip", "netns", "exec", self.space, "curl", "-sf", "-m", "3",
                               f"http://127.0.0.1:{HEALTH_PORT}{path}"], capture_output=True,
                              text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def count(self, metric: str, label: str) -> float:
        """The sum of a metric's series that hold `label`."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics").splitlines()
                   if line.startswith(metric + "{") and label in line)
