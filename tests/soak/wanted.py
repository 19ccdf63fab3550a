"""What a spec wants, worked out anew and not by the operator's own code. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "": 1}


def gpus_of(spec: Json) -> int:
    product = 1
    for field in ("tensorParallelSize", "pipelineParallelSize", "dataParallelSize"):
        product *= spec.get(field, 1)
    return spec.get("gpuCount", product)


def size_of(spec: Json) -> int:
    """Bytes. NCCL's need is not looked at: the soak's specs are always above it."""
    memory = spec.get("sharedMemory", {})
    if "size" in memory:
        return bytes_of(memory["size"])
    return bytes_of(memory.get("sizePerGPU", "1Gi")) * gpus_of(spec)


def bytes_of(quantity: str) -> int:
    number = quantity.rstrip("KMGTi")
    return int(number) * UNITS[quantity[len(number):]]


def strategy_of(spec: Json) -> Json:
    return spec.get("strategy", {"type": "RollingUpdate",
                                 "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
