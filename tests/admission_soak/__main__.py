"""`python3 tests/admission_soak`, as scripts/soak-admission.sh starts it, on a cluster with the chart installed."""

from __future__ import annotations

import argparse
import pathlib
import sys

from client import Api, GaveUp
from node import Node
from report import failures, markdown
from soak import Soak


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=pathlib.Path, required=True, help="of the test cluster")
    parser.add_argument("--pods", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="pods a second, at most")
    parser.add_argument("--longest-pause", type=float, required=True, help="seconds between two disturbances")
    parser.add_argument("--build", required=True, help="what the report calls our programs' build")
    parser.add_argument("--out", type=pathlib.Path, help="where the report is written")
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    api = Api(arguments.state)
    soak = Soak(api, Node(arguments.state), arguments.seed, arguments.rate, arguments.longest_pause)
    try:
        soak.prepare()
        soak.run(arguments.pods)
        soak.clean_up()
    except GaveUp as error:
        print(f"the soak broke off: {error}", file=sys.stderr)
        return 1
    report = markdown(soak, arguments.seed, arguments.pods, arguments.rate, arguments.build)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(report)
    print(report, flush=True)
    return 1 if failures(soak) else 0


if __name__ == "__main__":
    sys.exit(main())
