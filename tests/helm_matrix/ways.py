"""The ways in which users install it: the documented commands, and in which order they are run. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import shlex

# As docs/install.md and docs/upgrading.md have them; matrix_test.py looks for each of them there.
DOCUMENTED = {
    "install": "helm install shm-operator charts/shm-operator --namespace shm-system --create-namespace "
               "--set image.repository=REGISTRY/shm-operator --set image.tag=TAG --wait",
    "test": "helm test shm-operator --namespace shm-system",
    "crd": "kubectl apply --server-side --force-conflicts -f charts/shm-operator/crds/",
    "upgrade": "helm upgrade shm-operator charts/shm-operator --namespace shm-system --reset-then-reuse-values "
               "--set image.tag=TAG --wait",
    "rollback": "helm rollback shm-operator --namespace shm-system",
    "uninstall": "helm uninstall shm-operator --namespace shm-system",
    "remove-configuration": "kubectl delete mutatingwebhookconfiguration shm-operator",
    "remove-namespace": "kubectl delete namespace shm-system",
    "remove-roles": "kubectl delete clusterrole,clusterrolebinding -l app.kubernetes.io/name=shm-operator",
    "remove-all": "kubectl delete -f deploy/install.yaml",
}
REMOVE_BY_KUBECTL = ("remove-configuration", "remove-namespace", "remove-roles")

INSTALL, TEST, UPGRADE, ROLLBACK, UNINSTALL = "install", "test", "upgrade", "rollback", "uninstall"
INSTALL_OLDER = "install a chart older than the CRD"
REPLACE = "uninstall, and install the next at once"
OF_NEXT = (UPGRADE, REPLACE)  # what ends with the next version


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    helm: str  # the program
    flags: tuple[str, ...] = ()


HELM3, HELM4 = "helm", "helm4"
# docs/upgrading.md: Helm 4 applies the CRD with each installation.
OLDER_FLAGS = {HELM3: (), HELM4: ("--skip-crds",)}


def _with(helm: str, *names: str) -> tuple[Step, ...]:
    return tuple(Step(name, helm, OLDER_FLAGS[helm] if name == INSTALL_OLDER else ()) for name in names)


LIFE = (INSTALL, TEST, UPGRADE, ROLLBACK, UNINSTALL, INSTALL_OLDER, REPLACE, UNINSTALL)
WAYS: dict[str, tuple[Step, ...]] = {
    "Helm 3": _with(HELM3, *LIFE),
    "Helm 4": _with(HELM4, *LIFE),
    "Helm 3, then Helm 4 server-side": (
        Step(INSTALL, HELM3), Step(UPGRADE, HELM4, ("--server-side=true",)), Step(ROLLBACK, HELM4),
        Step(UPGRADE, HELM4), Step(UNINSTALL, HELM4)),
    "Helm 3, then Helm 4 as it is": (
        Step(INSTALL, HELM3), Step(UPGRADE, HELM4), Step(ROLLBACK, HELM4), Step(UNINSTALL, HELM4)),
}
QUICK: dict[str, tuple[Step, ...]] = {"Helm 3": _with(HELM3, INSTALL, UNINSTALL)}


@dataclasses.dataclass(frozen=True)
class Places:
    """Where things are in this run."""
    chart: pathlib.Path
    next_chart: pathlib.Path
    tag: str  # of the image shm-operator, which the node has


def commands(step: Step, places: Places) -> list[list[str]]:
    """What a user types. REPLACE has two commands, an upgrade that of the CRD before Helm's own."""
    names = {UPGRADE: ["crd", "upgrade"], REPLACE: ["uninstall", "install"], INSTALL_OLDER: ["install"]}.get(step.name, [step.name])
    return [_command(name, step, places) for name in names]


def _command(name: str, step: Step, places: Places) -> list[str]:
    chart = places.next_chart if step.name in OF_NEXT else places.chart
    words = [word.replace("charts/shm-operator", str(chart)).replace("REGISTRY/shm-operator", "shm-operator")
             .replace("image.tag=TAG", f"image.tag={places.tag}") for word in shlex.split(DOCUMENTED[name])]
    if words[0] == "helm":
        words[0] = step.helm
        words += step.flags
        if name == "rollback":
            words.append("--wait")  # so that its end is known
    return words
