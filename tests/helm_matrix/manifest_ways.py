"""`kubectl apply -f deploy/install.yaml`, client-side and server-side: applied again it changes nothing, and kubectl sees no difference."""

from __future__ import annotations

import json
import pathlib
import shlex
import time

import ways
from matrix import Matrix, with_fresh_cluster
from objects import CRD, changed, differing_lines, is_kubectls_own
from phases import Phase
from shared import GaveUp

SERVER_SIDE = ("--server-side",)
STABLE = 5.0


class ManifestWay:
    def __init__(self, matrix: Matrix, file: pathlib.Path, flags: tuple[str, ...], while_it_runs: float, quick: bool) -> None:
        """Quick: it is not removed, which takes half a minute."""
        self._matrix = matrix
        self._file = file
        self._flags = flags
        self._while_it_runs = while_it_runs
        self._quick = quick
        self._apply = ["kubectl", "apply", *flags, "-f", str(file)]

    def run(self) -> None:
        with_fresh_cluster(self._matrix, f"kubectl {' '.join(('apply', *self._flags))}", self._live)

    def _live(self) -> None:
        matrix = self._matrix
        before, rules = matrix.cluster.everything(), matrix.cluster.aggregated_rules()
        matrix.run("1. apply", self._apply, Phase.INSTALLING, Phase.INSTALLING)
        matrix.cluster.wait_until_installed()
        matrix.look_at_bundle("1. apply")
        matrix.users_come()
        time.sleep(self._while_it_runs)
        self._apply_again("2. apply again")
        self._no_difference("3. diff", ())
        self._no_difference("3. diff", SERVER_SIDE, but_kubectls_own=self._flags != SERVER_SIDE)
        if self._quick:
            return
        if self._flags != SERVER_SIDE:
            # Who began client-side goes over to what is documented.
            matrix.run("4. apply server-side", ["kubectl", "apply", *SERVER_SIDE, "-f", str(self._file)])
            matrix.look_at_bundle("4. apply server-side")
            self._no_difference("4. apply server-side", SERVER_SIDE)
            self._remove_without_crd("5. remove", before, rules)
        else:
            self._remove_all("4. remove", before, rules)

    def _apply_again(self, step: str) -> None:
        before = self._stable_versions()
        self._matrix.run(step, self._apply)
        if names := changed(before, self._stable_versions()):
            self._matrix.problem(step, f"changed: {', '.join(names)}")

    def _no_difference(self, step: str, flags: tuple[str, ...], but_kubectls_own: bool = False) -> None:
        ran = self._matrix.run(step, ["kubectl", "diff", *flags, "-f", str(self._file)], fine=(0, 1))
        lines = differing_lines(ran.out)
        if but_kubectls_own:
            lines = [line for line in lines if not is_kubectls_own(line)]
        elif ran.status and not lines:
            lines = ["objects that are not there, or of which nothing is shown"]
        if lines:
            self._matrix.problem(step, f"a difference: {'; '.join(lines)[:500]}")

    def _remove_without_crd(self, step: str, before: dict, rules: dict) -> None:
        for name in ways.REMOVE_BY_KUBECTL:
            self._matrix.run(step, shlex.split(ways.DOCUMENTED[name]), Phase.UNINSTALLING, Phase.ABSENT)
        self._matrix.look_after_end(step, before, rules, CRD)
        self._matrix.quiet()

    def _remove_all(self, step: str, before: dict, rules: dict) -> None:
        """With all InferenceServices, so that nobody creates pods meanwhile."""
        self._matrix.users_stop()
        command = [str(self._file) if word == "deploy/install.yaml" else word
                   for word in shlex.split(ways.DOCUMENTED["remove-all"])]
        self._matrix.run(step, command, Phase.UNINSTALLING, Phase.ABSENT)
        self._matrix.users.go()
        self._matrix.forget_users()
        self._matrix.look_after_end(step, before, rules, frozenset())

    def _versions(self) -> dict[str, str]:
        """resourceVersion of each object in the file."""
        ran = self._matrix.cluster.run(["kubectl", "get", "-f", str(self._file), "-o", "json"])
        if ran.status:
            raise GaveUp(f"reading what was applied: {ran.err}")
        metadata = [(item["kind"], item["metadata"]) for item in json.loads(ran.out)["items"]]
        return {f"{kind} {one['name']}": one["resourceVersion"] for kind, one in metadata}

    def _stable_versions(self) -> dict[str, str]:
        """Statuses have been written when they stay the same for some seconds."""
        deadline = time.monotonic() + 120
        last = self._versions()
        while time.monotonic() < deadline:
            time.sleep(STABLE)
            now = self._versions()
            if now == last:
                return now
            last = now
        raise GaveUp("objects of the installation change all the time")


def with_image(text: str, tag: str) -> str:
    """As docs/install.md has it by sed."""
    lines = [line.split("image: shm-operator:")[0] + f"image: shm-operator:{tag}" if "image: shm-operator:" in line else line
             for line in text.splitlines()]
    return "\n".join(lines) + "\n"
