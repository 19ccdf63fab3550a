"""The cluster that is hurt: etcd with fsync, kube-apiserver, kube-controller-manager, the webhook, and two
replicas of the operator, each in a network namespace of its own.

All of it runs in the namespaces that scripts/soak.sh made for this process, which is process 1 there:
ports and addresses are nobody else's, and the kernel ends everything with it.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import threading

import pki
from api import Api, Etcd, GaveUp, Json, Unreachable
from plan import NAMESPACES
from programs import Program, run_ip, wait_until
from replica import ACCOUNT, APISERVER_PORT, OWN_NAMESPACE, Replica

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases/shm-operator"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/shm-operator"

ETCD_PORT, WEBHOOK_PORT, WEBHOOK_HEALTH_PORT = 2379, 9443, 9444
# The collector of pods ends what an API server that was killed had only begun to delete.
CONTROLLERS = ("garbage-collector-controller,deployment-controller,replicaset-controller,"
               "pod-garbage-collector-controller")


class Cluster:
    """Thread-safe as far as two faults of a round strike different parts of it."""

    def __init__(self, folder: pathlib.Path, binaries: pathlib.Path, programs: pathlib.Path) -> None:
        self.folder = folder
        self.binaries = binaries  # of Kubernetes
        self.programs = programs  # ours
        (folder / "log").mkdir(parents=True)
        self.pki = pki.Pki(folder / "pki")
        self.apiserver_names = "DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:198.18.1.1,IP:198.18.2.1"
        self.pki.make("good", "/CN=kube-apiserver", self.apiserver_names)
        self.pki.make("admin", "/O=system:masters/CN=admin", "DNS:admin")
        self.api = Api(APISERVER_PORT, str(self.pki.path("ca.crt")), str(self.pki.path("admin.crt")),
                       str(self.pki.path("admin.key")))
        self.etcd_keys = Etcd(ETCD_PORT)
        log = folder / "log"
        self.etcd = Program("etcd", log / "etcd.log")
        self.apiserver = Program("kube-apiserver", log / "kube-apiserver.log")
        self.controllers = Program("kube-controller-manager", log / "kube-controller-manager.log")
        self.webhook = Program("shm-webhook", log / "shm-webhook.log")
        self.replicas: list[Replica] = []
        self._last_leader = "operator-a-1"
        self._lock = threading.Lock()

    def up(self) -> None:
        run_ip("link", "set", "lo", "up")
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_text(self.pki.kubeconfig(f"https://127.0.0.1:{APISERVER_PORT}", "admin"))
        self.start_etcd()
        self.use_serving_pair("good")
        self.start_apiserver()
        self.wait_for_apiserver()
        self._install()
        self.start_controllers()
        self._start_webhook()
        self.replicas = [Replica(self, "a", 1), Replica(self, "b", 2)]
        for replica in self.replicas:
            replica.make_credentials()
            replica.start(new_pod=True)
        wait_until(60, "the webhook", self._webhook_serves)

    def start_etcd(self) -> None:
        """With fsync: what it has said to have stored survives a kill."""
        url = f"http://127.0.0.1:{ETCD_PORT}"
        self.etcd.start([str(self.binaries / "etcd"), "--data-dir", str(self.folder / "etcd"),
                         "--log-level", "warn", "--listen-client-urls", url,
                         "--advertise-client-urls", url])

    def start_apiserver(self) -> None:
        flags = pki.lib("ApiserverFlags", str(self.pki.folder), f"http://127.0.0.1:{ETCD_PORT}",
                        str(APISERVER_PORT)).splitlines()
        self.apiserver.start([str(self.binaries / "kube-apiserver"), *flags, "--bind-address=0.0.0.0",
                              "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
                              "--disable-admission-plugins=ServiceAccount"])

    def use_serving_pair(self, name: str) -> None:
        """The API server reads the two files again when they change."""
        for suffix in ("key", "crt"):
            fresh = self.pki.path(f"apiserver.{suffix}.new")
            fresh.write_bytes(self.pki.path(f"{name}.{suffix}").read_bytes())
            fresh.rename(self.pki.path(f"apiserver.{suffix}"))

    def apiserver_ready(self) -> bool:
        try:
            return self.api.call("GET", "/readyz")[0] == 200
        except Unreachable:
            return False

    def wait_for_apiserver(self, seconds: float = 90) -> None:
        wait_until(seconds, "the API server", self.apiserver_ready)

    def start_controllers(self) -> None:
        self.controllers.start([
            str(self.binaries / "kube-controller-manager"), f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false", f"--controllers={CONTROLLERS}",
            "--use-service-account-credentials=false"])

    def leader(self) -> Replica:
        """The one that holds the lease; the last one known where nobody does."""
        try:
            status, lease = self.api.call("GET", LEASE)
            holder = lease["spec"].get("holderIdentity", "") if status == 200 else ""
        except Unreachable:
            holder = ""
        with self._lock:
            self._last_leader = holder or self._last_leader
            known = self._last_leader
        return next((one for one in self.replicas if known.startswith(one.space)), self.replicas[0])

    def struck(self, who: str) -> list[Replica]:
        """The replicas that `leader`, `other` or `both` stand for at this moment."""
        leader = self.leader()
        return [one for one in self.replicas
                if who == "both" or (one is leader) == (who == "leader")]

    def kubectl(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run([str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig),
                               *arguments], input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise GaveUp(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def _install(self) -> None:
        """deploy/install.yaml but its workloads: the roles are those of an installation."""
        printed = self.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json",
                               "-f", "deploy/install.yaml")
        for manifest in _documents(printed):
            if manifest["kind"] in ("Deployment", "PodDisruptionBudget", "NetworkPolicy"):
                continue
            for webhook in manifest.get("webhooks", []):
                path = webhook["clientConfig"]["service"]["path"]
                webhook["clientConfig"] = {"url": f"https://localhost:{WEBHOOK_PORT}{path}"}
            self.kubectl("apply", "--server-side", "-f", "-", text=json.dumps(manifest))
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s",
                     "crd/inferenceservices.shm-operator.dev")
        for name in NAMESPACES:
            self.api.must("POST", "/api/v1/namespaces", {
                "apiVersion": "v1", "kind": "Namespace", "metadata": {
                    "name": name, "labels": {"shm-operator.dev/injection": "enabled"}}})

    def _start_webhook(self) -> None:
        token = self.folder / "webhook-token"
        answer = self.api.must("POST", f"{ACCOUNT}/shm-operator-webhook/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 24 * 3600}})
        token.write_text(answer["status"]["token"])
        config = self.folder / "webhook-kubeconfig"
        config.write_text(self.pki.token_kubeconfig(f"https://127.0.0.1:{APISERVER_PORT}", token))
        self.webhook.start([str(self.programs / "shm-webhook"), "--kubeconfig", str(config), "--namespace",
                            OWN_NAMESPACE, "--port", str(WEBHOOK_PORT), "--health-port",
                            str(WEBHOOK_HEALTH_PORT)])

    def _webhook_serves(self) -> bool:
        """A pod that is tied to an unknown InferenceService is refused by the webhook, and by it alone."""
        pod = {"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": "probe", "labels": {"shm-operator.dev/service": "none"}},
               "spec": {"containers": [{"name": "c", "image": "i"}]}}
        try:
            _, answer = self.api.call("POST", f"/api/v1/namespaces/{NAMESPACES[0]}/pods?dryRun=All", pod)
        except Unreachable:
            return False
        return "denied the request" in answer.get("message", "")


def _documents(text: str) -> list[Json]:
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        document, end = decoder.raw_decode(text, at)
        found.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found
