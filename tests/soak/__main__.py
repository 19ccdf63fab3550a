"""`python3 tests/soak`, as scripts/soak.sh starts it: as process 1 of namespaces of its own."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import time

from api import GaveUp
from cluster import Cluster
from plan import fingerprint, make_plan
from report import markdown
from soak import RoundResult, Soak

MOST_FAILED = 3  # rounds with differences, each of which takes its whole deadline


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="state and logs; empty")
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="of Kubernetes")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="ours")
    parser.add_argument("--build", default="dev", help="what the report calls our programs' build")
    parser.add_argument("--out", type=pathlib.Path, help="where the report is written")
    parser.add_argument("--most-seconds", type=float, default=float("inf"),
                        help="begin no round after that")
    return parser.parse_args()


def say(result: RoundResult) -> None:
    print(f"round {result.number}: {' + '.join(result.faults)}; {result.operations} operations; hurt for "
          f"{result.hurt_seconds:.1f} s, recovered in {result.recovery_seconds:.1f} s; "
          f"{len(result.differences)} differences", flush=True)
    for line in result.differences:
        print(f"  DIFFERENCE {line}", flush=True)


def main() -> int:
    if os.getpid() != 1:
        print("run scripts/soak.sh, which makes the namespaces for this", file=sys.stderr)
        return 2
    arguments = parse()
    plan = make_plan(arguments.seed, arguments.rounds)
    print(f"seed {arguments.seed}, {arguments.rounds} rounds, plan {fingerprint(plan)}", flush=True)
    cluster = Cluster(arguments.folder, arguments.binaries, arguments.programs)
    began = time.monotonic()
    try:
        cluster.up()
    except GaveUp as error:
        print(f"the cluster did not come up: {error}", file=sys.stderr)
        return 1
    print(f"up after {time.monotonic() - began:.1f} s", flush=True)
    soak = Soak(cluster)
    results: list[RoundResult] = []
    for turn in plan:
        if time.monotonic() - began > arguments.most_seconds:
            break
        results.append(soak.run_round(turn))
        say(results[-1])
        report = markdown(arguments.seed, fingerprint(plan[:len(results)]), results, arguments.rounds,
                          soak.hands, soak.collector_restarts, time.monotonic() - began, arguments.build)
        # Anew after each round: what was done is told even if the next one is cut off.
        if arguments.out:
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            arguments.out.write_text(report)
        if results[-1].broken or sum(bool(result.differences) for result in results) >= MOST_FAILED:
            break
    print(report, flush=True)
    return 1 if any(result.differences for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
