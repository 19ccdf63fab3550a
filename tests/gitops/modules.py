"""Where the Go modules' own files are, of which the test cluster's programs are built: their CRDs."""

from __future__ import annotations

import json
import pathlib
import subprocess

from client import GaveUp
from kube import ROOT


def _go(tool: str, *arguments: str) -> str:
    done = subprocess.run(["go", *arguments], capture_output=True, text=True, check=False, cwd=ROOT / "tests/cluster" / tool)
    if done.returncode:
        raise GaveUp(f"go {' '.join(arguments)}: {done.stderr or done.stdout}")
    return done.stdout


def folder(tool: str, module: str) -> pathlib.Path:
    return pathlib.Path(json.loads(_go(tool, "mod", "download", "-json", module))["Dir"])


def version(tool: str, module: str) -> str:
    return _go(tool, "list", "-m", "-f", "{{.Version}}", module).strip()


def flux_crds() -> list[pathlib.Path]:
    """kustomize-controller's, and source-controller's of the version whose API it was built with."""
    tool = "kustomize-controller"
    controller = folder(tool, "github.com/fluxcd/kustomize-controller")
    api = version(tool, "github.com/fluxcd/source-controller/api")
    source = folder(tool, f"github.com/fluxcd/source-controller@{api}")
    return [controller / "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
            source / "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
            source / "config/crd/bases/source.toolkit.fluxcd.io_externalartifacts.yaml",
            source / "config/crd/bases/source.toolkit.fluxcd.io_buckets.yaml",
            source / "config/crd/bases/source.toolkit.fluxcd.io_ocirepositories.yaml"]


def cert_manager_crds() -> list[pathlib.Path]:
    return sorted((folder("cert-manager", "github.com/cert-manager/cert-manager") / "deploy/crds").glob("*.yaml"))
