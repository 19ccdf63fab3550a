"""Whether what the cluster holds is what its InferenceServices say. Pure: lists in, differences out.

The wanted is worked out here anew from each spec, and not by the operator's own code. Each
difference is one line that names the object, what it holds and what it should.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator

from plan import Model
from wanted import bytes_of, gpus_of, size_of, strategy_of

Json = dict[str, Any]
Key = tuple[str, str]

PREFIX = "shm-operator.dev/"


@dataclasses.dataclass
class Snapshot:
    """What the namespaces of the soak hold, as the API server lists it."""

    services: list[Json]  # InferenceServices
    deployments: list[Json]
    kube_services: list[Json]
    replica_sets: list[Json]
    pods: list[Json]


def differences(snapshot: Snapshot, model: Model) -> list[str]:
    """`model` is what the operations left behind: InferenceServices, and orphans that may be there."""
    found = list(_population(snapshot, model))
    for service in snapshot.services:
        if "deletionTimestamp" in service["metadata"]:
            continue
        taken = [child for child in _named(snapshot, service) if _controller(child) is None]
        if "template" in service["spec"]:
            found += _children(snapshot, service, taken)
            found += _template_status(snapshot, service, taken)
        else:
            found += _no_children(snapshot, service)
            found += _selector_status(snapshot, service)
        found += _status(service)
    found += _ownership(snapshot, model)
    return found


def _population(snapshot: Snapshot, model: Model) -> Iterator[str]:
    """The InferenceServices are those of the operations, with their specs."""
    live = {key_of(service): service for service in snapshot.services}
    for key in sorted(model.services.keys() - live.keys()):
        yield f"InferenceService {_text(key)} is missing"
    for key, service in sorted(live.items()):
        if key not in model.services:
            yield f"InferenceService {_text(key)} should be gone: {service['metadata']}"
        elif "deletionTimestamp" in service["metadata"]:
            yield f"InferenceService {_text(key)} never goes: {service['metadata']}"
        elif service["spec"] != model.services[key]:
            yield (f"InferenceService {_text(key)} has another spec than it was given: "
                   f"{service['spec']}, not {model.services[key]}")


# Children.

def _children(snapshot: Snapshot, service: Json, taken: list[Json]) -> Iterator[str]:
    deployment = yield from _only_child(snapshot.deployments, "Deployment", service, taken)
    if deployment:
        yield from _deployment(deployment, service)
    child = yield from _only_child(snapshot.kube_services, "Service", service, taken)
    if child:
        yield from _kube_service(child, service)


def _only_child(objects: list[Json], kind: str, service: Json, taken: list[Json]) -> Any:
    """The one child of that kind; a generator that returns it, as its differences come on the way."""
    own = [one for one in objects if _controller(one) == service["metadata"]["uid"]]
    where = f"{kind} of InferenceService {_text(key_of(service))}"
    if len(own) > 1:
        names = [_text(key_of(one)) for one in own]
        yield f"{where} is there {len(own)} times: {', '.join(names)}"
        return None
    if not own:
        # An orphan of that name is in the way, and is to be left alone.
        if not taken:
            there = [one for one in objects if key_of(one) == key_of(service)]
            yield (f"{where} is missing; of that name there is: "
                   f"{[one['metadata'] for one in there] or 'nothing'}")
        return None
    if key_of(own[0]) != key_of(service):
        yield f"{where} is called {_text(key_of(own[0]))}"
    return own[0]


def _no_children(snapshot: Snapshot, service: Json) -> Iterator[str]:
    for child in snapshot.deployments + snapshot.kube_services:
        if _controller(child) == service["metadata"]["uid"]:
            yield f"{_describe(child)} belongs to a selector, which makes no children"


def _deployment(deployment: Json, service: Json) -> Iterator[str]:
    spec = service["spec"]
    template = deployment["spec"]["template"]
    stamps = template["metadata"].get("annotations", {})
    own = deployment["metadata"].get("annotations", {})
    labels = dict(spec["template"].get("metadata", {}).get("labels", {}))
    labels[PREFIX + "service"] = service["metadata"]["name"]
    container = template["spec"]["containers"][0]
    wanted_container = spec["template"]["spec"]["containers"][0]
    strategy = strategy_of(spec)
    facts = [
        ("replicas", deployment["spec"].get("replicas"), spec["replicas"]),
        ("stamped generation", own.get(PREFIX + "stamped-generation"),
         str(service["metadata"]["generation"])),
        ("stamped size", bytes_of(stamps.get(PREFIX + "shm-size", "0")), size_of(spec)),
        ("stamped GPUs", stamps.get(PREFIX + "gpu-count"), str(gpus_of(spec))),
        ("stamped TP", stamps.get(PREFIX + "tensor-parallel-size"),
         str(spec["tensorParallelSize"])),
        ("stamped PP", stamps.get(PREFIX + "pipeline-parallel-size"),
         str(spec["pipelineParallelSize"]) if "pipelineParallelSize" in spec else None),
        ("labels of pods", template["metadata"].get("labels", {}), labels),
        ("own label", deployment["metadata"].get("labels", {}).get(PREFIX + "service"),
         service["metadata"]["name"]),
        ("image", container["image"], wanted_container["image"]),
        ("environment", container.get("env", []), wanted_container.get("env", [])),
        ("containers", len(template["spec"]["containers"]), 1),
        ("strategy", {field: deployment["spec"]["strategy"].get(field) for field in strategy},
         strategy),
    ]
    yield from _compare(f"Deployment {_text(key_of(deployment))}", facts)


def _kube_service(child: Json, service: Json) -> Iterator[str]:
    port = service["spec"].get("port", 8000)
    ports = [(one["name"], one["port"], one["targetPort"]) for one in child["spec"]["ports"]]
    facts = [
        ("ports", ports, [("http", port, port)]),
        ("selector", child["spec"].get("selector"),
         {PREFIX + "service": service["metadata"]["name"]}),
        ("own label", child["metadata"].get("labels", {}).get(PREFIX + "service"),
         service["metadata"]["name"]),
    ]
    yield from _compare(f"Service {_text(key_of(child))}", facts)


# Status.

def _status(service: Json) -> Iterator[str]:
    status = service.get("status", {})
    generation = service["metadata"]["generation"]
    facts = [("observedGeneration", status.get("observedGeneration"), generation),
             ("size", bytes_of(status.get("sharedMemory", {}).get("size", "0")),
              size_of(service["spec"])),
             ("gpusPerPod", status.get("gpusPerPod"), gpus_of(service["spec"]))]
    for condition in status.get("conditions", []):
        facts.append((f"generation of {condition['type']}", condition.get("observedGeneration"),
                      generation))
    yield from _compare(f"status of InferenceService {_text(key_of(service))}", facts)


def _template_status(snapshot: Snapshot, service: Json, taken: list[Json]) -> Iterator[str]:
    status = service.get("status", {})
    key = key_of(service)
    pods = [pod for pod in snapshot.pods
            if pod["metadata"].get("labels", {}).get(PREFIX + "service") == key[1]
            and pod["metadata"]["namespace"] == key[0]]
    injected = [pod for pod in pods if pod["metadata"]["labels"].get(PREFIX + "injected") == "true"]
    counted = status.get("sharedMemory", {})
    facts = [("pods", counted.get("pods"), len(pods)),
             ("injected pods", counted.get("injected"), len(injected)),
             ("unsized pods", counted.get("unsized"), 0),
             ("reason of Ready", _reason(service, "Ready"),
              "NameTaken" if taken else _ready_reason(snapshot, service))]
    if not taken:
        facts += [("replicas", status.get("replicas"), service["spec"]["replicas"]),
                  ("readyReplicas", status.get("readyReplicas"), _ready(snapshot, service))]
    yield from _compare(f"status of InferenceService {_text(key)}", facts)


def _ready(snapshot: Snapshot, service: Json) -> int:
    """Of the present template, which the last ones of an unfinished rollout are not."""
    return sum(min(deployment.get("status", {}).get(count, 0)
                   for count in ("readyReplicas", "updatedReplicas"))
               for deployment in snapshot.deployments
               if _controller(deployment) == service["metadata"]["uid"])


def _ready_reason(snapshot: Snapshot, service: Json) -> str:
    replicas = service["spec"]["replicas"]
    if replicas == 0:
        return "ScaledToZero"
    return "Available" if replicas <= _ready(snapshot, service) else "Progressing"


def _selector_status(snapshot: Snapshot, service: Json) -> Iterator[str]:
    older = [other for other in snapshot.services if _is_older(other, service)
             and _labels(other).items() <= _labels(service).items()]
    wanted = "Conflict" if older else "NoPods"
    yield from _compare(f"status of InferenceService {_text(key_of(service))}",
                        [("reason of Ready", _reason(service, "Ready"), wanted)])


def _labels(service: Json) -> Json:
    return service["spec"].get("selector", {}).get("matchLabels", {})


def _is_older(other: Json, service: Json) -> bool:
    def age(one: Json) -> tuple[str, str]:
        return one["metadata"]["creationTimestamp"], one["metadata"]["name"]
    same_place = other["metadata"]["namespace"] == service["metadata"]["namespace"]
    return same_place and "selector" in other["spec"] and age(other) < age(service)


def _reason(service: Json, kind: str) -> str | None:
    for condition in service.get("status", {}).get("conditions", []):
        if condition["type"] == kind:
            return condition["reason"]
    return None


# Owners.

def _ownership(snapshot: Snapshot, model: Model) -> Iterator[str]:
    """Every child has a living owner, but what a deletion was told to leave behind."""
    alive = {one["metadata"]["uid"] for one in snapshot.services + snapshot.deployments
             + snapshot.replica_sets if "deletionTimestamp" not in one["metadata"]}
    children = snapshot.deployments + snapshot.kube_services + snapshot.replica_sets + snapshot.pods
    for child in children:
        owner = _controller(child)
        if owner is None:
            may_be = child.get("kind") in ("Deployment", "Service")
            if not (may_be and key_of(child) in model.orphans):
                yield f"{_describe(child)} is an orphan: {child['metadata']}"
        elif owner not in alive:
            yield f"{_describe(child)} has no living owner: {child['metadata']}"
        if "deletionTimestamp" in child["metadata"]:
            yield f"{_describe(child)} never goes: {child['metadata']}"


def missed_by_collector(snapshot: Snapshot) -> list[str]:
    """Children whose owner was deleted, whether or not another of its name lives now.

    Nobody but the garbage collector of Kubernetes deletes these, and it never does where an owner was deleted
    and made again while it had no watch: it takes the new one for an update of the old one, which stays in its
    graph, also when the new one goes, too (kubernetes/kubernetes
    pkg/controller/garbagecollector/graph_builder.go, UpdateFunc of controllerFor).
    """
    owners = snapshot.services + snapshot.deployments + snapshot.replica_sets
    alive = {owner["metadata"]["uid"] for owner in owners}
    return [_describe(child)
            for child in snapshot.deployments + snapshot.kube_services + snapshot.replica_sets + snapshot.pods
            if "deletionTimestamp" not in child["metadata"]
            and any(owner["uid"] not in alive for owner in child["metadata"].get("ownerReferences", []))]


def _named(snapshot: Snapshot, service: Json) -> list[Json]:
    return [child for child in snapshot.deployments + snapshot.kube_services
            if key_of(child) == key_of(service)]


def _controller(child: Json) -> str | None:
    for owner in child["metadata"].get("ownerReferences", []):
        if owner.get("controller"):
            return owner["uid"]
    return None


# Words.

def _compare(where: str, facts: list[tuple[str, Any, Any]]) -> Iterator[str]:
    for what, found, wanted in facts:
        if found != wanted:
            yield f"{where}: {what} is {found!r} and should be {wanted!r}"


def key_of(one: Json) -> Key:
    return one["metadata"]["namespace"], one["metadata"]["name"]


def _text(key: Key) -> str:
    return "/".join(key)


def _describe(child: Json) -> str:
    return f"{child.get('kind', 'object')} {_text(key_of(child))}"
