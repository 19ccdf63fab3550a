"""Flux's kustomize-controller on the cluster, and what stands in for its source-controller: a server of tarballs, and the
status of GitRepositories, which the soak writes."""

from __future__ import annotations

import datetime
import functools
import hashlib
import http.server
import io
import pathlib
import tarfile
import threading
import time

from compare import Json, as_flux_applies, condition
from kube import ROOT, Program, apply, built, documents, kubectl, must_get, patch, wait_for

NAMESPACE = "flux-system"
MANAGER = "kustomize-controller"
KUSTOMIZATION = "kustomizations.kustomize.toolkit.fluxcd.io"
REPOSITORY = "gitrepositories.source.toolkit.fluxcd.io"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Sources:
    """Serves what is pushed, as source-controller does its artifacts."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        handler = functools.partial(_Quiet, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def push(self, name: str, tree: pathlib.Path, ref: str) -> str:
        """The folder becomes what the GitRepository holds; its revision."""
        content = _tarball(tree)
        file = f"{name}-{hashlib.sha1(content).hexdigest()}.tar.gz"
        (self._folder / file).write_bytes(content)
        revision = f"{ref}@sha1:{hashlib.sha1(content).hexdigest()}"
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        generation = must_get(f"{REPOSITORY}/{name}", NAMESPACE)["metadata"]["generation"]
        patch(f"{REPOSITORY}/{name}", {"status": {
            "observedGeneration": generation,
            "artifact": {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}", "lastUpdateTime": now,
                         "path": file, "revision": revision, "size": len(content),
                         "url": f"http://127.0.0.1:{self._server.server_port}/{file}"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "lastTransitionTime": now,
                            "observedGeneration": generation, "message": f"stored artifact for revision {revision}"}],
        }}, NAMESPACE, subresource="status")
        return revision

    def stop(self) -> None:
        self._server.shutdown()


def _tarball(tree: pathlib.Path) -> bytes:
    """The same bytes for the same files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(tree.rglob("*")):
            entry = tar.gettarinfo(file, str(file.relative_to(tree)))
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if file.is_file():
                with file.open("rb") as stream:
                    tar.addfile(entry, stream)
            else:
                tar.addfile(entry)
    return content.getvalue()


def start(folder: pathlib.Path, crds: list[pathlib.Path]) -> Program:
    kubectl("apply", "--server-side", *(f"--filename={crd}" for crd in crds))
    kubectl("wait", "--for=condition=Established", f"crd/{KUSTOMIZATION}", f"crd/{REPOSITORY}", "--timeout=60s")
    apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    return Program(folder, MANAGER, [
        MANAGER, "--metrics-addr=0", "--health-addr=0", "--no-remote-bases", "--requeue-dependency=2s",
        "--interval-jitter-percentage=0"], RUNTIME_NAMESPACE=NAMESPACE)


def shipped(name: str) -> list[Json]:
    return documents((ROOT / "deploy/gitops/flux" / name).read_text())


class Kustomization:
    """One of deploy/gitops/flux, with what it builds from."""

    def __init__(self, document: Json, tree: pathlib.Path) -> None:
        self.document = document
        self.tree = tree
        self.name = document["metadata"]["name"]
        self.revision = ""

    def objects(self) -> list[Json]:
        """As they are applied."""
        return as_flux_applies(built(self.tree / self.document["spec"]["path"]), self.document)

    def install(self) -> None:
        apply([self.document])

    def push(self, sources: Sources, ref: str) -> None:
        self.revision = sources.push(self.document["spec"]["sourceRef"]["name"], self.tree, ref)

    def state(self) -> Json:
        return must_get(f"{KUSTOMIZATION}/{self.name}", NAMESPACE)

    def wait_until_applied(self, token: str = "", seconds: float = 420) -> None:
        """Ready, at the revision that was pushed; and, with a token, by a reconcile that began after it was given."""
        def holds() -> bool:
            state = self.state()
            status = state.get("status", {})
            return (condition(state, "Ready").get("status") == "True"
                    and condition(state, "Ready").get("observedGeneration") == state["metadata"]["generation"]
                    and status.get("lastAppliedRevision") == self.revision
                    and status.get("lastHandledReconcileAt", "") == (token or status.get("lastHandledReconcileAt", "")))
        wait_for(f"Kustomization {self.name} is Ready at {self.revision}", seconds, holds,
                 lambda: f"({condition(self.state(), 'Ready')})")

    def reconcile(self) -> None:
        """As `flux reconcile kustomization` asks for it."""
        token = str(time.time_ns())
        patch(f"{KUSTOMIZATION}/{self.name}", {"metadata": {"annotations": {
            "reconcile.fluxcd.io/requestedAt": token}}}, NAMESPACE)
        self.wait_until_applied(token)

    def delete(self, seconds: int = 180) -> None:
        """What it applied goes with it."""
        kubectl("delete", f"{KUSTOMIZATION}/{self.name}", "-n", NAMESPACE, f"--timeout={seconds}s")

