"""`python3 tests/helm_matrix`, as scripts/soak-helm.sh starts it, on a test cluster that has the image loaded."""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import time

import yaml

import next_chart
import templates
import ways
from cluster import Cluster
from manifest_ways import SERVER_SIDE, ManifestWay, with_image
from matrix import Matrix, faults
from matrix_report import markdown, write
from shared import Api

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "charts/shm-operator"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=pathlib.Path, required=True, help="of the test cluster")
    parser.add_argument("--quick", action="store_true", help="an installation by Helm 3 and one by kubectl, and no pods meanwhile")
    parser.add_argument("--only", default="", help="ways whose name has this in it")
    parser.add_argument("--rate", type=float, default=10, help="pods a second, at most")
    parser.add_argument("--tag", default="dev", help="of the image shm-operator that the node has")
    parser.add_argument("--build", default="", help="what the report calls our programs' build")
    parser.add_argument("--out", type=pathlib.Path, help="where the report is written")
    return parser.parse_args()


def versions(helms: tuple[str, ...]) -> dict[str, str]:
    def said_by(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    server = yaml.safe_load(said_by("kubectl", "version", "-o", "yaml"))["serverVersion"]["gitVersion"]
    return {"Helm": " and ".join(said_by(helm, "version", "--template", "{{.Version}}") for helm in helms), "Kubernetes": server}


def main() -> int:
    arguments = parse()
    helms = (ways.HELM3,) if arguments.quick else (ways.HELM3, ways.HELM4)
    work = arguments.state / "helm-matrix"
    work.mkdir(exist_ok=True)
    next_chart.write(CHART, work / "next")
    manifest = work / "install.yaml"
    manifest.write_text(with_image((ROOT / "deploy/install.yaml").read_text(), arguments.tag))
    rate = 0.0 if arguments.quick else arguments.rate
    matrix = Matrix(Cluster(arguments.state, Api(arguments.state)), ways.Places(CHART, work / "next", arguments.tag), rate)
    began = time.monotonic()
    groups = yaml.safe_load((ROOT / "tests/chart/groups.yaml").read_text())
    rendered = templates.compare_all(helms, CHART, groups)
    matrix.problems += rendered.faults
    for name, steps in (ways.QUICK if arguments.quick else ways.WAYS).items():
        if arguments.only in name:
            matrix.helm_way(name, steps)
    for flags in (SERVER_SIDE,) if arguments.quick else ((), SERVER_SIDE):
        if arguments.only in "kubectl":
            ManifestWay(matrix, manifest, flags, 0 if arguments.quick else 30, arguments.quick).run()
    report = markdown(matrix, versions(helms), rendered, time.monotonic() - began, rate, arguments.build)
    if arguments.out:
        write(arguments.out, report)
    print(report, flush=True)
    return 1 if list(faults(matrix)) else 0


if __name__ == "__main__":
    sys.exit(main())
