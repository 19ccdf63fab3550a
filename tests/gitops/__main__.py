"""`python3 tests/gitops`, as scripts/soak-gitops.sh starts it, on a test cluster with the image loaded and nothing installed."""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time
import traceback

sys.path.append(str(pathlib.Path(__file__).parents[1] / "admission_soak"))  # its client of the API server

import argocd
import certmanager
import flux
import modules
from client import Api
from flux_soak import FluxSoak
from kube import Program, kubectl
from ledger import Ledger
from report import commit, markdown

PARTS = ("flux", "argocd", "cert-manager")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=pathlib.Path, required=True, help="of the test cluster")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder for repositories and logs, made anew")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--renewals", type=int, default=5, help="of a certificate in each way")
    parser.add_argument("--out", type=pathlib.Path, help="where the report is written")
    return parser.parse_args()


class Soak:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._parts = arguments.parts.split(",")
        self._api = Api(arguments.state)
        self.ledger = Ledger()
        self._programs: list[Program] = []
        shutil.rmtree(arguments.work, ignore_errors=True)
        arguments.work.mkdir(parents=True)

    def run(self) -> None:
        work = self._arguments.work
        sources = flux.Sources(work / "artifacts")
        self._programs.append(flux.start(work, modules.flux_crds()))
        if "flux" in self._parts:
            soak = FluxSoak(self._api, self.ledger, sources, work / "rounds")
            soak.run()
            soak.remove()
        if "argocd" in self._parts:
            self._argocd()
        if "cert-manager" in self._parts:
            self._cert_manager(FluxSoak(self._api, self.ledger, sources, work / "certificates"), sources)
        for program in self._programs:
            program.must_run()
        sources.stop()

    def stop(self) -> None:
        for program in self._programs:
            program.stop()

    def _argocd(self) -> None:
        application, objects = argocd.install(self.ledger, self._api)
        argocd.compare(self.ledger, application, objects)
        argocd.health(self.ledger)
        argocd.remove(self.ledger, objects)

    def _cert_manager(self, soak: FluxSoak, sources: flux.Sources) -> None:
        programs = certmanager.start(self._arguments.work, modules.cert_manager_crds())
        self._programs += programs.values()
        mode = certmanager.Mode(self._api, self.ledger, programs["cainjector"], self._arguments.renewals)
        soak.prepare_repository()
        soak.shorten_times()
        mode.by_overlay(soak.operator, sources)
        soak.operator.delete()
        kubectl("wait", "--for=delete", "namespace/shm-system", "--timeout=120s")
        for issuer in ("", "authority"):
            if issuer:
                kubectl("create", "namespace", "shm-system")
                certmanager.apply(certmanager.authority(issuer))
            mode.by_helm(issuer)
            mode.remove_helm(issuer)
            kubectl("delete", "namespace/shm-system", "--timeout=120s")


def versions() -> dict[str, str]:
    found = {"Kubernetes": json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]}
    for name, tool, module in (("kustomize-controller", "kustomize-controller", "github.com/fluxcd/kustomize-controller"),
                               ("cert-manager", "cert-manager", "github.com/cert-manager/cert-manager")):
        found[name] = modules.version(tool, module)
    lua = subprocess.run(["lua5.1", "-v"], capture_output=True, text=True, check=False)
    found["Lua"] = (lua.stdout + lua.stderr).split()[1]
    return found


def main() -> int:
    arguments = parse()
    at = commit()  # what runs is this, whatever is committed meanwhile
    began = time.monotonic()
    soak = Soak(arguments)
    try:
        soak.run()
    except Exception as error:  # pylint: disable=broad-except
        traceback.print_exc()
        soak.ledger.check("the soak broke off", str(error) or type(error).__name__)
    finally:
        soak.stop()
    report = markdown(soak.ledger, at, versions(), time.monotonic() - began)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(report)
    print(f"\n{report.count('| NO: ')} of {len(soak.ledger.rows)} looks found something wrong")
    for problem in soak.ledger.problems:
        print(f"  {problem[:1000]}")
    return 1 if soak.ledger.problems else 0


if __name__ == "__main__":
    sys.exit(main())
