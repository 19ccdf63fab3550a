"""What an answer of the API server means for a pod that was to be created. Pure."""

from __future__ import annotations

import enum
import re
from typing import Any

from plan import Pod

VOLUME = "shm-operator-dshm"
GPU = "nvidia.com/gpu"
UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}


class Outcome(enum.Enum):
    ADMITTED = "admitted"
    EXISTS = "there already"  # an attempt whose answer was lost had made it
    REFUSED = "refused by admission"
    AWAY = "the API server was away"
    OTHER = "refused by something else"


def judge(status: int, message: str) -> Outcome:
    """Of an answer to a creation that had one."""
    if status == 201:
        return Outcome.ADMITTED
    # Before all else: whatever the status, a webhook was the reason.
    if "webhook" in message:
        return Outcome.REFUSED
    if status == 409 and "already exists" in message:
        return Outcome.EXISTS
    if status in (429, 503, 504) or "not yet ready to handle request" in message:
        return Outcome.AWAY
    return Outcome.OTHER


def is_broken_connection(message: str) -> bool:
    """What the API server says where the process that it spoke to, or was about to, has died."""
    return any(words in message for words in (
        "connection refused", "connection reset by peer", "broken pipe", "EOF"))


def is_handshake_failure(line: str) -> bool:
    """Whether a line of kube-apiserver's log says that it did not accept the webhook's certificate.

    Its own clients' handshakes ("http: TLS handshake error") are another matter.
    """
    return "webhook" in line and re.search(r"x509|tls:|TLS handshake|certificate", line) is not None


def unsized_because(pod: dict[str, Any], wanted: Pod) -> list[str]:
    """What is missing of the shared memory and the GPUs; nothing where all is as it should be."""
    found = []
    if pod.get("metadata", {}).get("labels", {}).get("shm-operator.dev/injected") != "true":
        found.append("no label injected")
    spec = pod.get("spec", {})
    volume = next((one for one in spec.get("volumes", []) if one["name"] == VOLUME), None)
    memory = (volume or {}).get("emptyDir", {})
    if memory.get("medium") != "Memory" or _bytes(memory.get("sizeLimit", "")) != wanted.size_bytes:
        found.append(f"volume {volume}, wanted {wanted.size_bytes} bytes of memory")
    container = (spec.get("containers") or [{}])[0]
    mounts = [one["mountPath"] for one in container.get("volumeMounts", []) if one["name"] == VOLUME]
    if mounts != ["/dev/shm"]:
        found.append(f"mounted at {mounts}")
    resources = container.get("resources", {})
    for which in ("requests", "limits"):
        if resources.get(which, {}).get(GPU) != str(wanted.degree):
            found.append(f"{which} {resources.get(which)}, wanted {wanted.degree} GPUs")
    return found


def _bytes(quantity: str) -> int | None:
    match = re.fullmatch(r"(\d+)([KMGT]i)?", quantity)
    return int(match[1]) * UNITS[match[2] or ""] if match else None


def pattern_of(message: str) -> str:
    """A message without what differs from pod to pod, so that like ones are counted together."""
    message = re.sub(r"\d+\.\d+\.\d+\.\d+(:\d+)?", "ADDRESS", message)
    return re.sub(r"pod-\d+", "POD", message)[:300]


def counters(text: str, names: tuple[str, ...]) -> dict[str, float]:
    """Samples of Prometheus' text format, of some metrics, by name and labels."""
    found = {}
    for line in text.splitlines():
        if line.startswith(names):
            sample, _, value = line.rpartition(" ")
            found[sample] = float(value)
    return found


class Growth:
    """How much counters grew over processes that come and go, each of which begins at 0.

    What a process counted after it was last looked at is lost.
    """

    def __init__(self) -> None:
        self._done: dict[str, float] = {}
        self._last: dict[tuple[str, str], float] = {}

    def see(self, process: str, samples: dict[str, float]) -> dict[str, float]:
        """By how much each of the samples grew."""
        grown_by = {}
        for sample, value in samples.items():
            before = self._last.get((process, sample), 0.0)
            # Less than before: another process under that name.
            grown = value - before if value >= before else value
            self._done[sample] = self._done.get(sample, 0.0) + grown
            self._last[process, sample] = value
            grown_by[sample] = grown
        return grown_by

    def begin(self) -> None:
        """What was counted until now is not ours."""
        self._done.clear()

    def total(self) -> dict[str, float]:
        return {sample: value for sample, value in sorted(self._done.items()) if value}
