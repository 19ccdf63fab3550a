#!/usr/bin/env python3
"""The checker of the soak finds each of the differences that it is there for, and no other."""

from __future__ import annotations

import copy
import unittest
from typing import Any, Callable

from checker import Snapshot, differences, missed_by_collector
from plan import Model

Json = dict[str, Any]
PREFIX = "shm-operator.dev/"
SPEC = {"replicas": 1, "tensorParallelSize": 2,
        "template": {"spec": {"containers": [{"name": "engine", "image": "example/engine:1"}]}}}


def child(kind: str, name: str, owner: str, of: str = "InferenceService", **more: Any) -> Json:
    owner_name = "a" if of == "InferenceService" else owner.removeprefix(f"{of}-")
    reference = {"controller": True, "kind": of, "name": owner_name, "uid": owner}
    return {"kind": kind, **more,
            "metadata": {"namespace": "n", "name": name, "uid": f"{kind}-{name}",
                         "labels": {PREFIX + "service": "a"}, "ownerReferences": [reference]}}


def deployment() -> Json:
    template = {"metadata": {"labels": {PREFIX + "service": "a"},
                             "annotations": {PREFIX + "shm-size": "2Gi", PREFIX + "gpu-count": "2",
                                             PREFIX + "tensor-parallel-size": "2"}},
                "spec": {"containers": [{"name": "engine", "image": "example/engine:1"}]}}
    made = child("Deployment", "a", "u", spec={
        "replicas": 1, "template": template,
        "strategy": {"type": "RollingUpdate",
                     "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}})
    made["metadata"]["annotations"] = {PREFIX + "stamped-generation": "3"}
    return made


def kube_service() -> Json:
    return child("Service", "a", "u", spec={
        "selector": {PREFIX + "service": "a"},
        "ports": [{"name": "http", "port": 8000, "targetPort": 8000}]})


def pod() -> Json:
    made = child("Pod", "a-1-x", "ReplicaSet-a-1", "ReplicaSet")
    made["metadata"]["labels"][PREFIX + "injected"] = "true"
    return made


def inference_service() -> Json:
    condition = {"type": "Ready", "status": "False", "reason": "Progressing",
                 "observedGeneration": 3}
    return {"metadata": {"namespace": "n", "name": "a", "uid": "u", "generation": 3,
                         "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": copy.deepcopy(SPEC),
            "status": {"observedGeneration": 3, "gpusPerPod": 2, "replicas": 1, "readyReplicas": 0,
                       "conditions": [condition],
                       "sharedMemory": {"size": "2Gi", "pods": 1, "injected": 1, "unsized": 0}}}


def selecting(name: str, created: str, labels: Json, reason: str) -> Json:
    made = inference_service()
    made["metadata"].update(name=name, uid=name, creationTimestamp=created)
    made["spec"] = {"replicas": 1, "tensorParallelSize": 2, "selector": {"matchLabels": labels}}
    made["status"]["conditions"][0]["reason"] = reason
    return made


def sound() -> Snapshot:
    return Snapshot([inference_service()], [deployment()], [kube_service()],
                    [child("ReplicaSet", "a-1", "Deployment-a", "Deployment")], [pod()])


def model_of(snapshot: Snapshot) -> Model:
    return Model({(one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"]
                  for one in copy.deepcopy(snapshot.services)})


def stamps(snapshot: Snapshot) -> Json:
    return snapshot.deployments[0]["spec"]["template"]["metadata"]["annotations"]


def disown(one: Json) -> None:
    del one["metadata"]["ownerReferences"]


def another(snapshot: Snapshot) -> None:
    twin = deployment()
    twin["metadata"].update(name="a-2", uid="Deployment-a-2")
    snapshot.deployments.append(twin)


# What is done to a sound cluster, and words that a difference of it must hold.
CASES: list[tuple[str, Callable[[Snapshot], Any], str]] = [
    ("a missing Deployment", lambda s: s.deployments.clear(),
     "Deployment of InferenceService n/a is missing"),
    ("a missing Service", lambda s: s.kube_services.clear(), "Service of InferenceService n/a is missing"),
    ("a duplicate", another, "is there 2 times"),
    ("an orphan", lambda s: s.kube_services.append(child("Service", "b", "gone")),
     "Service n/b has no living owner"),
    ("a child without owner", lambda s: disown(s.kube_services[0]), "Service n/a is an orphan"),
    ("a pod whose ReplicaSet is gone", lambda s: s.replica_sets.clear(), "Pod n/a-1-x has no living owner"),
    ("a child of an owner that is recreated",
     lambda s: s.services[0]["metadata"].update(uid="new"), "Deployment n/a has no living owner"),
    ("a stale status", lambda s: s.services[0]["metadata"].update(generation=4),
     "observedGeneration is 3 and should be 4"),
    ("a stale condition",
     lambda s: s.services[0]["status"]["conditions"][0].update(observedGeneration=2),
     "generation of Ready is 2 and should be 3"),
    ("no status", lambda s: s.services[0].pop("status"), "observedGeneration is None"),
    ("a wrong size in the status",
     lambda s: s.services[0]["status"]["sharedMemory"].update(size="1Gi"), "size is 1073741824"),
    ("a wrong count of pods in the status",
     lambda s: s.services[0]["status"]["sharedMemory"].update(pods=2), "pods is 2 and should be 1"),
    ("a wrong reason", lambda s: s.services[0]["status"]["conditions"][0].update(reason="NameTaken"),
     "reason of Ready is 'NameTaken'"),
    ("a wrong size in the Deployment", lambda s: stamps(s).update({PREFIX + "shm-size": "900Mi"}),
     "stamped size is 943718400 and should be 2147483648"),
    ("wrong GPUs", lambda s: stamps(s).update({PREFIX + "gpu-count": "4"}), "stamped GPUs is '4'"),
    ("a stamp of an older generation",
     lambda s: s.deployments[0]["metadata"]["annotations"].update(
         {PREFIX + "stamped-generation": "2"}), "stamped generation is '2'"),
    ("wrong replicas", lambda s: s.deployments[0]["spec"].update(replicas=5), "replicas is 5"),
    ("a wrong image",
     lambda s: s.deployments[0]["spec"]["template"]["spec"]["containers"][0].update(image="other"),
     "image is 'other'"),
    ("a wrong strategy", lambda s: s.deployments[0]["spec"].update(strategy={"type": "Recreate"}),
     "strategy is"),
    ("a label that was taken off", lambda s: s.deployments[0]["metadata"]["labels"].clear(),
     "own label is None"),
    ("a wrong port", lambda s: s.kube_services[0]["spec"]["ports"][0].update(port=9), "ports is"),
    ("a lost InferenceService", lambda s: s.services.clear(), "InferenceService n/a is missing"),
    ("one that should be gone", lambda s: s.services.append(selecting("z", "2", {"app": "z"}, "NoPods")),
     "InferenceService n/z should be gone"),
    ("a lost change", lambda s: s.services[0]["spec"].update(port=9000), "another spec"),
    ("one that never goes",
     lambda s: s.services[0]["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"),
     "InferenceService n/a never goes"),
]


class CheckerTest(unittest.TestCase):
    def test_a_sound_cluster_has_no_difference(self) -> None:
        self.assertEqual(differences(sound(), model_of(sound())), [])

    def test_each_difference_is_found(self) -> None:
        for name, spoil, words in CASES:
            with self.subTest(name):
                snapshot = sound()
                spoil(snapshot)
                found = differences(snapshot, model_of(sound()))
                self.assertTrue(any(words in line for line in found), f"{words!r} not in {found}")

    def test_an_orphan_is_allowed_where_a_deletion_left_it(self) -> None:
        snapshot = sound()
        snapshot.services.clear()
        disown(snapshot.deployments[0])
        disown(snapshot.kube_services[0])
        self.assertEqual(differences(snapshot, Model(orphans={("n", "a")})), [])
        self.assertEqual(len(differences(snapshot, Model())), 2)

    def test_an_orphan_in_the_way_is_left_alone_and_said(self) -> None:
        snapshot = sound()
        disown(snapshot.deployments[0])
        snapshot.kube_services.clear()
        model = model_of(snapshot)
        model.orphans.add(("n", "a"))
        self.assertIn("should be 'NameTaken'", "".join(differences(snapshot, model)))
        snapshot.services[0]["status"]["conditions"][0]["reason"] = "NameTaken"
        self.assertEqual(differences(snapshot, model), [])

    def test_children_of_an_owner_that_is_gone_are_told_apart(self) -> None:
        snapshot = sound()
        self.assertEqual(missed_by_collector(snapshot), [])
        snapshot.services[0]["metadata"]["uid"] = "new"
        self.assertEqual(missed_by_collector(snapshot), ["Deployment n/a", "Service n/a"])
        snapshot = sound()
        snapshot.deployments[0]["metadata"]["uid"] = "new"
        self.assertEqual(missed_by_collector(snapshot), ["ReplicaSet n/a-1"])
        snapshot = sound()
        snapshot.services.clear()
        self.assertEqual(missed_by_collector(snapshot), ["Deployment n/a", "Service n/a"])

    def test_the_older_of_two_overlapping_selectors_wins(self) -> None:
        older = selecting("b", "2026-01-01T00:00:00Z", {"app": "x"}, "NoPods")
        younger = selecting("a", "2026-01-01T00:00:01Z", {"app": "x", "tier": "p"}, "Conflict")
        snapshot = Snapshot([older, younger], [], [], [], [])
        self.assertEqual(differences(snapshot, model_of(snapshot)), [])
        younger["status"]["conditions"][0]["reason"] = "NoPods"
        self.assertIn("should be 'Conflict'", "".join(differences(snapshot, model_of(snapshot))))


if __name__ == "__main__":
    unittest.main()
