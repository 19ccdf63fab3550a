"""What a soak does, decided from its seed alone: the same seed gives the same rounds.

Nothing here asks the cluster. The plan keeps a model of which InferenceServices its own operations
leave behind, and that model is what the checker holds the cluster to at the end of each round.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from typing import Any

NAMESPACES = ("soak-a", "soak-b")
TEMPLATE_NAMES = tuple(f"t{i}" for i in range(7))
SELECTOR_NAMES = tuple(f"s{i}" for i in range(3))
POPULATION = 12  # InferenceServices that creations and deletions balance around
OPERATIONS_SECONDS = 7.0

# Each block of five rounds has every kind once: one that strikes the operators a round, and beside
# it, in four of the five, one that strikes something else. So no two faults of a round undo each
# other's work on the same process.
OPERATOR_FAULTS = ("kill-leader", "kill-both", "partition", "client-certificate-expired",
                   "token-revoked")
OTHER_FAULTS = ("kill-apiserver", "kill-etcd", "apiserver-certificate-expired",
                "webhook-pair-expired", None)
FAULT_KINDS = OPERATOR_FAULTS + tuple(kind for kind in OTHER_FAULTS if kind)


@dataclasses.dataclass(frozen=True)
class Operation:
    at: float  # seconds after the round's begin, at the earliest: one waits for those before it
    kind: str
    namespace: str
    name: str
    detail: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Fault:
    at: float
    seconds: float  # until it is healed
    kind: str
    detail: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Model:
    """What the operations done so far leave behind, by (namespace, name)."""

    services: dict[tuple[str, str], dict[str, Any]] = dataclasses.field(default_factory=dict)
    # Deployment and Service that a deletion left to nobody.
    orphans: set[tuple[str, str]] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(frozen=True)
class Round:
    number: int
    faults: tuple[Fault, ...]
    operations: tuple[Operation, ...]
    model: Model  # as it is to be at the round's end


def make_plan(seed: int, rounds: int) -> list[Round]:
    """A longer plan of the same seed begins with the shorter one."""
    rng = random.Random(seed)
    model = Model()
    operators: list[str] = []
    others: list[str | None] = []
    plan = []
    for number in range(1, rounds + 1):
        if not operators:
            operators = rng.sample(OPERATOR_FAULTS, len(OPERATOR_FAULTS))
            others = rng.sample(OTHER_FAULTS, len(OTHER_FAULTS))
        kinds = [kind for kind in (operators.pop(), others.pop()) if kind]
        faults = tuple(_fault(rng, kind) for kind in kinds)
        operations = tuple(_operations(rng, model))
        plan.append(Round(number, faults, operations, copy.deepcopy(model)))
    return plan


def fingerprint(plan: list[Round]) -> str:
    """Differs whenever faults or operations do."""
    text = json.dumps([[dataclasses.asdict(part) for part in turn.faults + turn.operations]
                       for turn in plan], sort_keys=True)
    return f"{random.Random(text).getrandbits(48):012x}"


def _fault(rng: random.Random, kind: str) -> Fault:
    at = round(rng.uniform(0.3, 3.0), 1)
    longest = {"kill-apiserver": 4, "kill-etcd": 3, "kill-leader": 10, "kill-both": 5,
               "partition": 15, "apiserver-certificate-expired": 6, "webhook-pair-expired": 0}
    seconds = round(rng.uniform(0, longest.get(kind, 0)), 1)
    detail: dict[str, Any] = {}
    if kind in ("kill-leader", "kill-both"):
        # A container that starts again keeps its pod's name, and so its lease.
        detail["new_pod"] = rng.random() < 0.5
    if kind == "partition":
        detail["who"] = rng.choice(("leader", "leader", "other", "both"))
        # Half of them outlive the lease (15 s): another takes it, or nobody can.
        seconds = round(rng.uniform(20, 40), 1) if rng.random() < 0.5 else max(seconds, 3.0)
    if kind == "apiserver-certificate-expired":
        seconds = max(seconds, 3.0)
    if kind == "client-certificate-expired":
        detail["who"] = rng.choice(("leader", "other"))
        detail["valid"] = 5
        seconds = round(rng.uniform(8, 14), 1)
    if kind == "token-revoked":
        # The API server remembers a token that it accepted for 10 s.
        detail["who"] = rng.choice(("leader", "both"))
        seconds = round(rng.uniform(12, 15), 1)
    if kind == "webhook-pair-expired":
        detail["how"] = rng.choice(("expired", "expired", "deleted"))
    return Fault(at, seconds, kind, detail)


def _operations(rng: random.Random, model: Model) -> list[Operation]:
    count = rng.randint(16, 26)
    # The first round begins with a cluster that is in use.
    operations = [] if model.services else [
        _create(rng, model, 0.0, (space, name)) for space in NAMESPACES
        for name in TEMPLATE_NAMES[:4] + SELECTOR_NAMES[:1]]
    for at in sorted(round(rng.uniform(0, OPERATIONS_SECONDS), 2) for _ in range(count)):
        operations.append(_operation(rng, model, at))
    return operations


CHANGES = ("change-parallelism", "change-size", "change-replicas", "change-template",
           "change-strategy", "change-port")
TAMPERINGS = ("tamper-replicas", "tamper-stamp", "tamper-label", "tamper-image", "tamper-port",
              "delete-deployment", "delete-service", "pods-ready")
DELETIONS = ("delete-background", "delete-foreground", "delete-orphan", "recreate")


def _operation(rng: random.Random, model: Model, at: float) -> Operation:
    everywhere = [(space, name) for space in NAMESPACES for name in TEMPLATE_NAMES + SELECTOR_NAMES]
    present = [key for key in everywhere if key in model.services]
    absent = [key for key in everywhere if key not in model.services]
    orphans = sorted(model.orphans)
    draw = rng.random()
    if orphans and draw < 0.06:
        key = rng.choice(orphans)
        model.orphans.discard(key)
        return Operation(at, "remove-orphans", *key)
    if absent and (not present or draw < 0.06 + 0.16 * POPULATION / (len(present) + 1)):
        return _create(rng, model, at, rng.choice(absent))
    key = rng.choice(present)
    if rng.random() < 0.25:
        return _delete(rng, model, at, key)
    return _change(rng, model, at, key)


def _create(rng: random.Random, model: Model, at: float, key: tuple[str, str]) -> Operation:
    spec = selector_spec(rng) if key[1] in SELECTOR_NAMES else template_spec(rng)
    model.services[key] = spec
    return Operation(at, "create", *key, {"spec": copy.deepcopy(spec)})


def _delete(rng: random.Random, model: Model, at: float, key: tuple[str, str]) -> Operation:
    kind = rng.choice(DELETIONS)
    if key[1] in SELECTOR_NAMES and kind == "delete-orphan":
        kind = "delete-background"
    # Of one whose children are another's already there is nothing to orphan.
    if kind == "delete-orphan" and key in model.orphans:
        kind = "delete-foreground"
    if kind == "recreate":
        return dataclasses.replace(_create(rng, model, at, key), kind=kind)
    del model.services[key]
    if kind == "delete-orphan":
        model.orphans.add(key)
    return Operation(at, kind, *key)


def _change(rng: random.Random, model: Model, at: float, key: tuple[str, str]) -> Operation:
    spec = model.services[key]
    if key[1] in SELECTOR_NAMES:
        kind = rng.choice(CHANGES[:2])
    elif key in model.orphans:
        kind = rng.choice(CHANGES)  # the children are not its own: nobody repairs them
    else:
        kind = rng.choice(CHANGES + TAMPERINGS)
    if kind in TAMPERINGS:
        return Operation(at, kind, *key, {"number": rng.randint(2, 9)})
    if kind == "change-parallelism":
        _parallelism(rng, spec)
    elif kind == "change-size":
        _size(rng, spec)
    elif kind == "change-replicas":
        spec["replicas"] = rng.randint(0, 3)
        return Operation(at, kind, *key, {"replicas": spec["replicas"]})
    elif kind == "change-template":
        spec["template"] = _template(rng)
    elif kind == "change-strategy":
        _strategy(rng, spec)
    elif kind == "change-port":
        spec["port"] = rng.randint(8000, 8999)
    return Operation(at, kind, *key, {"spec": copy.deepcopy(spec)})


def template_spec(rng: random.Random) -> dict[str, Any]:
    spec: dict[str, Any] = {"replicas": rng.randint(1, 3), "template": _template(rng)}
    _parallelism(rng, spec)
    _size(rng, spec)
    return spec


def selector_spec(rng: random.Random) -> dict[str, Any]:
    labels = {"app": rng.choice("xy")}
    if rng.random() < 0.5:
        labels["tier"] = rng.choice("pq")
    # The replicas are the CRD's default, which the scale subresource needs.
    spec: dict[str, Any] = {"replicas": 1, "selector": {"matchLabels": labels}}
    _parallelism(rng, spec)
    _size(rng, spec)
    return spec


def _template(rng: random.Random) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "engine", "image": f"example/engine:{rng.randint(1, 99)}"}
    if rng.random() < 0.5:
        container["env"] = [{"name": "STEP", "value": str(rng.randint(1, 99))}]
    template: dict[str, Any] = {"spec": {"containers": [container]}}
    if rng.random() < 0.3:
        template["metadata"] = {"labels": {"step": str(rng.randint(1, 99))}}
    return template


def _parallelism(rng: random.Random, spec: dict[str, Any]) -> None:
    for field in ("tensorParallelSize", "pipelineParallelSize", "gpuCount"):
        spec.pop(field, None)
    spec["tensorParallelSize"] = rng.choice((1, 2, 4, 8))
    if rng.random() < 0.3:
        spec["pipelineParallelSize"] = 2
    if rng.random() < 0.3:
        spec["gpuCount"] = 16
    _stay_above_nccl(spec)


def _size(rng: random.Random, spec: dict[str, Any]) -> None:
    spec.pop("sharedMemory", None)
    draw = rng.random()
    if draw < 0.3:
        spec["sharedMemory"] = {"size": f"{rng.randint(4, 64)}Gi"}
    elif draw < 0.6:
        spec["sharedMemory"] = {"sizePerGPU": f"{rng.randint(2, 8)}Gi"}
    _stay_above_nccl(spec)


def _stay_above_nccl(spec: dict[str, Any]) -> None:
    """With many GPUs NCCL needs more than the default gives; the checker has no model of that."""
    if "sharedMemory" not in spec and spec["tensorParallelSize"] * spec.get(
            "pipelineParallelSize", 1) > 4 or "gpuCount" in spec:
        spec.setdefault("sharedMemory", {"sizePerGPU": "2Gi"})


def _strategy(rng: random.Random, spec: dict[str, Any]) -> None:
    spec.pop("strategy", None)
    draw = rng.random()
    if draw < 0.3:
        spec["strategy"] = {"type": "Recreate"}
    elif draw < 0.5:
        spec["strategy"] = {"type": "RollingUpdate"}
    elif draw < 0.75:
        spec["strategy"] = {"type": "RollingUpdate",
                            "rollingUpdate": {"maxSurge": rng.randint(1, 2), "maxUnavailable": 0}}
