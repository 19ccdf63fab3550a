"""What is there, what is left, what has changed. Pure: the objects come as the API server writes them."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Callable, Iterable

Json = dict


@dataclasses.dataclass(frozen=True, order=True)
class Key:
    group: str
    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


# What an uninstallation is documented to leave, and what Kubernetes itself makes of that.
CRD = frozenset({Key("apiextensions.k8s.io", "customresourcedefinitions", "", "inferenceservices.shm-operator.dev"),
                 Key("apiregistration.k8s.io", "apiservices", "", "v1alpha1.shm-operator.dev")})


def namespace_itself(namespace: str) -> frozenset[Key]:
    """A namespace with what Kubernetes puts into each."""
    return frozenset({Key("", "namespaces", "", namespace), Key("", "configmaps", namespace, "kube-root-ca.crt"),
                      Key("", "serviceaccounts", namespace, "default")})


def is_users(key: Key, content: Json, users: Iterable[str]) -> bool:
    """A namespace of users, what is in it, or the address of a Service there. Not what carries the labels that Helm's objects do."""
    if content.get("metadata", {}).get("labels", {}).get("helm.sh/chart"):
        return False
    parent = content.get("spec", {}).get("parentRef", {}).get("namespace") if key.resource == "ipaddresses" else None
    return key.namespace in users or parent in users or (key.resource == "namespaces" and key.name in users)


@dataclasses.dataclass
class Left:
    """What is there that was not there before the installation."""
    documented: list[Key]
    users: collections.Counter[str]  # by kind
    other: list[Key]


def left(before: dict[Key, Json], after: dict[Key, Json], documented: frozenset[Key], users: Iterable[str]) -> Left:
    found = Left([], collections.Counter(), [])
    for key in sorted(after.keys() - before.keys()):
        if is_users(key, after[key], users):
            found.users[key.resource] += 1
        elif key in documented:
            found.documented.append(key)
        else:
            found.other.append(key)
    return found


def gone(before: dict[Key, Json], after: dict[Key, Json]) -> list[Key]:
    """What an installation and its end took along that was there before."""
    return sorted(before.keys() - after.keys())


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Names whose resourceVersion is another one."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def owners(content: Json, is_it: Callable[[str, tuple[str, ...]], bool]) -> set[str]:
    """Managers of the fields that `is_it` holds of, asked with the last part of a field's path and those before it."""
    found = set()
    for entry in content.get("metadata", {}).get("managedFields", []):
        if any(is_it(path[-1], path[:-1]) for path in _paths(entry.get("fieldsV1", {}), ())):
            found.add(entry.get("manager", ""))
    return found


def _paths(fields: Json, path: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for name, below in fields.items():
        yield (*path, name)
        yield from _paths(below, (*path, name))


def bundle_owners(configuration: Json) -> set[str]:
    return owners(configuration, lambda name, _: name == "f:caBundle")


def speaks_of_conflict(printed: str) -> bool:
    """Helm and kubectl say "conflict with MANAGER", or that the object has been modified. The chart's notes name a flag."""
    return re.search(r"(?<!force-)\bconflicts?\b|has been modified", printed, re.IGNORECASE) is not None


def differing_lines(diff: str) -> list[str]:
    """Lines of what `kubectl diff` prints that are on one side alone."""
    return [line for line in diff.splitlines() if line[:1] in ("+", "-") and not line.startswith(("+++ ", "--- "))]


def is_kubectls_own(line: str) -> bool:
    """The annotation in which kubectl keeps what it applied, and the generation, which counts that of a Deployment as a change.

    `kubectl diff --server-side` shows both of whatever was applied client-side.
    """
    return re.fullmatch(r'[-+] +({"apiVersion":.*|generation: \d+)', line) is not None
