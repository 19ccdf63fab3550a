"""What an admission soak does, decided from its seed alone. Nothing here asks the cluster."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

# What changes around the webhook. Each block has every one of these once, in an order of its own.
DISTURBANCES = ("rolling-update", "scale", "kill-webhook", "rotate-authority", "rotate-authority-again",
                "renew-leaf", "kill-leader", "delete-leader", "kill-apiserver")

# Pods with the service's label, and pods that some InferenceService of an enabled namespace selects.
LABELLED, SELECTED = "labelled", "selected"
NAMESPACES = {LABELLED: "soak-labelled", SELECTED: "soak-selected"}
DEGREES = (1, 2, 4, 8)
GIB_PER_GPU = 2

SERVICE_LABEL = "shm-operator.dev/service"


@dataclasses.dataclass(frozen=True)
class Disturbance:
    kind: str
    pause: float  # quiet seconds before it, as a part of the longest pause: 0 to 1
    victim: int  # which of the replicas, where one is chosen: modulo how many there are


@dataclasses.dataclass(frozen=True)
class Pod:
    index: int
    kind: str
    degree: int

    @property
    def namespace(self) -> str:
        return NAMESPACES[self.kind]

    @property
    def name(self) -> str:
        return f"pod-{self.index}"

    @property
    def size_bytes(self) -> int:
        return self.degree * GIB_PER_GPU << 30


def schedule(seed: int) -> Iterator[Disturbance]:
    """Block after block, without end. The second rotation of a block never comes before the first."""
    rng = random.Random(f"schedule {seed}")
    while True:
        kinds = rng.sample(DISTURBANCES, len(DISTURBANCES))
        rotations = [at for at, kind in enumerate(kinds) if kind.startswith("rotate-authority")]
        kinds[rotations[0]], kinds[rotations[1]] = "rotate-authority", "rotate-authority-again"
        for kind in kinds:
            yield Disturbance(kind, round(rng.random(), 2), rng.randrange(1000))


def pods(seed: int) -> Iterator[Pod]:
    """Without end."""
    rng = random.Random(f"pods {seed}")
    index = 0
    while True:
        yield Pod(index, rng.choice((LABELLED, SELECTED)), rng.choice(DEGREES))
        index += 1


# Pod Security `restricted`, which every namespace of the test cluster enforces.
RESTRICTED = {"runAsNonRoot": True, "runAsUser": 65532, "allowPrivilegeEscalation": False,
              "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}


def service_name(degree: int) -> str:
    return f"tp{degree}"


def manifest(pod: Pod) -> dict[str, Any]:
    """One that no scheduler looks at, so that no kubelet has work with it."""
    label = SERVICE_LABEL if pod.kind == LABELLED else "app"
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod.name, "namespace": pod.namespace,
                         "labels": {label: service_name(pod.degree)}},
            "spec": {"schedulerName": "nobody", "terminationGracePeriodSeconds": 0,
                     "containers": [{"name": "engine", "image": "local/busybox:1",
                                     "command": ["sleep", "1000000"], "securityContext": RESTRICTED}]}}


def services(kind: str) -> list[dict[str, Any]]:
    """The InferenceServices of a namespace, one for each degree."""
    made = []
    for degree in DEGREES:
        spec: dict[str, Any] = {"tensorParallelSize": degree, "gpuCount": degree,
                                "sharedMemory": {"sizePerGPU": f"{GIB_PER_GPU}Gi"}}
        if kind == LABELLED:
            spec["replicas"] = 0
            spec["template"] = {"spec": {"containers": [{"name": "engine", "image": "local/busybox:1",
                                                          "securityContext": RESTRICTED}]}}
        else:
            spec["selector"] = {"matchLabels": {"app": service_name(degree)}}
        made.append({"apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
                     "metadata": {"name": service_name(degree), "namespace": NAMESPACES[kind]},
                     "spec": spec})
    return made
