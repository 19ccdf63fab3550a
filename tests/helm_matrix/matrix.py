"""Takes one installation after the other through its life, and notes what was seen."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import next_chart
import ways
from cluster import Cluster, Ran
from objects import CRD, Left, bundle_owners, gone, left, namespace_itself, speaks_of_conflict
from phases import Phase
from shared import NAMESPACES, SYSTEM, GaveUp, pods, wait_for
from stream import Moment, Stream
from users import CRD as CRD_PATH
from users import Users
from ways import Places, Step

GONE_WITHIN = 120.0  # pods have 45 seconds to end in
QUIET = 10.0


@dataclasses.dataclass
class Did:
    """One command of a way."""
    way: str
    step: str
    ran: Ran


@dataclasses.dataclass
class Seen:
    """After an end of an installation."""
    way: str
    step: str
    left: Left
    seconds: float  # until nothing else was left


class Matrix:
    def __init__(self, cluster: Cluster, places: Places, rate: float) -> None:
        """A rate of 0: no pods are created meanwhile."""
        self.cluster = cluster
        self.places = places
        self.users = Users(cluster)
        self.did: list[Did] = []
        self.seen: list[Seen] = []
        self.problems: list[str] = []
        self.streams: list[Stream] = []
        self._pods = pods(1)  # each has a name of its own, over all streams
        self._rate = rate
        self._way = ""
        self._untouched: object = None
        self._upgraded = False

    def helm_way(self, way: str, steps: tuple[Step, ...]) -> None:
        with_fresh_cluster(self, way, lambda: self._live(steps))

    def _live(self, steps: tuple[Step, ...]) -> None:
        before, rules = self.cluster.everything(), self.cluster.aggregated_rules()
        for number, step in enumerate(steps, start=1):
            label = f"{number}. {step.name}"
            for command in ways.commands(step, self.places):
                self.run(label, command, *_phases(command))
            if step.name == ways.UNINSTALL:
                self.look_after_end(label, before, rules, CRD | namespace_itself(SYSTEM))
            else:
                self._look_at_installation(label, step)
            if number == 1:
                self.users_come()
            self.quiet()

    def run(self, step: str, command: list[str], during: Phase = Phase.INSTALLED, afterwards: Phase = Phase.INSTALLED,
            fine: tuple[int, ...] = (0,)) -> Ran:
        """The phase is that of the pods which are created meanwhile."""
        self.set_phase(step, during)
        ran = self.cluster.run(command)
        self.did.append(Did(self._way, step, ran))
        print(f"{self._way}: {step}: {' '.join(command)}: {ran.status}, {ran.seconds:.1f} s", flush=True)
        if speaks_of_conflict(ran.out + ran.err):
            self.problem(step, f"a conflict: {ran.err or ran.out}")
        if ran.status not in fine:
            raise GaveUp(f"{step}: {' '.join(command)} ended with {ran.status}: {ran.err}")
        self.set_phase(step, afterwards)
        return ran

    def set_phase(self, step: str, phase: Phase) -> None:
        if self.streams:
            self.streams[-1].at = Moment(f"{self._way}: {step}", phase)

    def problem(self, step: str, what: str) -> None:
        self.problems.append(f"{self._way}: {step}: {' '.join(what.split())}")
        print(f"PROBLEM: {self.problems[-1]}", flush=True)

    def users_come(self) -> None:
        """From here on pods are created."""
        self.users.come()
        self._untouched = self.users.untouched()
        if self._rate:
            self.streams.append(Stream(self.cluster.api, self._pods, self._rate))
            self.set_phase("1. install", Phase.INSTALLED)
            self.streams[-1].start()

    def forget_users(self) -> None:
        self._untouched = None

    def users_stop(self) -> None:
        if self.streams:
            self.streams[-1].stop()

    def quiet(self) -> None:
        """Some seconds in which only the pods of the stream come and go."""
        if self._rate:
            time.sleep(QUIET)

    def look_at_users(self, step: str) -> None:
        if self._untouched is not None and (now := self.users.untouched()) != self._untouched:
            self.problem(step, f"users' pods or Deployments were touched: {self._untouched} became {now}")

    def _look_at_installation(self, label: str, step: Step) -> None:
        self.cluster.wait_until_installed()
        if self._untouched is not None:
            self._look_at_crd(label, step.name)
            wait_for("the operator to look at the engine", 60, self.users.is_looked_at)
        self.look_at_bundle(label)
        self.look_at_users(label)
        wanted = self._version(step)
        versions = {pod["metadata"]["labels"]["app.kubernetes.io/version"] for pod in self.cluster.own_pods()}
        if versions != {wanted}:
            self.problem(label, f"pods of versions {sorted(versions)}, wanted {wanted}")

    def _look_at_crd(self, label: str, name: str) -> None:
        """From the first upgrade on it is the next version's, whatever is installed beside it, and prunes nothing."""
        if name == ways.UPGRADE:
            self.users.use_new_field()
            self._upgraded = True
        is_next = next_chart.has_field(self.cluster.api.must("GET", CRD_PATH))
        if is_next != self._upgraded or self._upgraded and not self.users.keep_new_field():
            self.problem(label, "the CRD is not that of its version, or what it knows is gone")

    def look_at_bundle(self, label: str) -> None:
        if (managers := bundle_owners(self.cluster.configuration() or {})) != {"shm-operator"}:
            self.problem(label, f"caBundle is owned by {sorted(managers)}")

    def _version(self, step: Step) -> str:
        chart = self.places.next_chart if step.name in ways.OF_NEXT else self.places.chart
        return next_chart.app_version((chart / "Chart.yaml").read_text())

    def look_after_end(self, step: str, before: dict, rules: dict, documented: frozenset) -> None:
        """Until nothing is left but what is documented and what users have."""
        began = time.monotonic()
        found: list[Left] = []

        def nothing_else() -> bool:
            found[:] = [left(before, self.cluster.everything(), documented, NAMESPACES.values())]
            return not found[0].other
        try:
            wait_for("the end of what was installed", GONE_WITHIN, nothing_else)
        except GaveUp:
            self.problem(step, f"left: {', '.join(map(str, found[0].other))}")
        self.seen.append(Seen(self._way, step, found[0], time.monotonic() - began))
        if lost := gone(before, self.cluster.everything()):
            self.problem(step, f"gone, although not ours: {', '.join(map(str, lost))}")
        try:
            wait_for("Kubernetes' own roles to be as before", 30, lambda: self.cluster.aggregated_rules() == rules)
        except GaveUp as error:
            self.problem(step, str(error))
        self.look_at_users(step)

    def begin(self, way: str) -> None:
        self._way, self._untouched, self._upgraded = way, None, False
        print(f"== {way}", flush=True)
        self.clean()

    def clean(self) -> None:
        """Nothing of ours or of the users is left, whoever made it. Pods go first: a namespace is slow to end with them."""
        self.cluster.run(["helm", "uninstall", "shm-operator", "--namespace", SYSTEM, "--ignore-not-found"])
        self.cluster.delete("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/shm-operator")
        self.cluster.run(["kubectl", "delete", "deployments", "--all", "--namespace", SYSTEM])
        wait_for("the end of the pods", GONE_WITHIN, lambda: not self.cluster.own_pods(with_ending=True))
        self.cluster.run(["kubectl", "delete", "clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/name=shm-operator"])
        self.users.go()
        self.cluster.delete(f"/api/v1/namespaces/{SYSTEM}")
        self.cluster.delete(CRD_PATH)


def with_fresh_cluster(matrix: Matrix, way: str, live: Callable[[], None]) -> None:
    """One way that breaks off does not keep the next from its turn."""
    matrix.begin(way)
    try:
        live()
    except (GaveUp, AssertionError) as error:
        matrix.problem("broke off", str(error))
    finally:
        matrix.users_stop()


def _phases(command: list[str]) -> tuple[Phase, Phase]:
    """While a command runs, and after it."""
    if command[1] == "install":
        return Phase.INSTALLING, Phase.INSTALLED
    if command[1] == "uninstall":
        return Phase.UNINSTALLING, Phase.ABSENT
    return Phase.INSTALLED, Phase.INSTALLED


def faults(matrix: Matrix) -> Iterator[str]:
    """Why it failed; nothing where it did not."""
    yield from matrix.problems
    for stream in matrix.streams:
        yield from stream.problems
        yield from (f"{times} pods: {fault}" for fault, times in stream.faults.items())
