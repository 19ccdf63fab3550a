#!/usr/bin/env python3
"""The plan of the admission soak depends on its seed alone, and an answer means what it says."""

from __future__ import annotations

import copy
import itertools
import unittest

from plan import DISTURBANCES, LABELLED, SELECTED, Pod, manifest, pods, schedule, services
from verdict import Growth, Outcome, counters, is_handshake_failure, judge, pattern_of, unsized_because

CALL = 'Internal error occurred: failed calling webhook "labelled.pods.shm-operator.dev": failed to call webhook: '


def first(count, seed=1):
    return list(itertools.islice(schedule(seed), count))


class PlanTest(unittest.TestCase):
    def test_the_same_seed_gives_the_same_schedule_and_pods(self) -> None:
        self.assertEqual(first(40), first(40))
        self.assertNotEqual(first(40), first(40, seed=2))
        some = list(itertools.islice(pods(1), 100))
        self.assertEqual(some, list(itertools.islice(pods(1), 100)))
        self.assertNotEqual(some, list(itertools.islice(pods(2), 100)))

    def test_each_block_holds_every_disturbance_once(self) -> None:
        for seed in range(20):
            kinds = [one.kind for one in first(3 * len(DISTURBANCES), seed)]
            for at in range(0, len(kinds), len(DISTURBANCES)):
                block = kinds[at:at + len(DISTURBANCES)]
                self.assertEqual(sorted(block), sorted(DISTURBANCES))
                self.assertLess(block.index("rotate-authority"), block.index("rotate-authority-again"))

    def test_pods_of_both_entries_and_every_degree_are_mixed(self) -> None:
        some = list(itertools.islice(pods(1), 400))
        self.assertEqual({(one.kind, one.degree) for one in some},
                         set(itertools.product((LABELLED, SELECTED), (1, 2, 4, 8))))
        self.assertEqual(len({one.name for one in some}), 400)

    def test_a_pod_is_seen_by_the_entry_that_it_is_for(self) -> None:
        labelled, selected = (manifest(Pod(7, kind, 2))["metadata"] for kind in (LABELLED, SELECTED))
        self.assertEqual(labelled["labels"], {"shm-operator.dev/service": "tp2"})
        self.assertEqual(selected["labels"], {"app": "tp2"})
        names = {one["metadata"]["name"] for one in services(LABELLED)}
        self.assertIn("tp2", names)
        self.assertEqual({one["spec"]["selector"]["matchLabels"]["app"] for one in services(SELECTED)}, names)


class VerdictTest(unittest.TestCase):
    def test_what_an_answer_means(self) -> None:
        rows = [
            (201, "", Outcome.ADMITTED),
            (500, CALL + "connect: connection refused", Outcome.REFUSED),
            (500, CALL + "tls: failed to verify certificate: x509: unknown authority", Outcome.REFUSED),
            (503, CALL + "x", Outcome.REFUSED),
            (403, 'admission webhook "labelled.pods.shm-operator.dev" denied the request: x', Outcome.REFUSED),
            (409, 'pods "pod-1" already exists', Outcome.EXISTS),
            (409, "the object has been modified", Outcome.OTHER),
            (429, "too many requests", Outcome.AWAY),
            (503, "apiserver is shutting down", Outcome.AWAY),
            (403, 'pods "pod-1" is forbidden: not yet ready to handle request', Outcome.AWAY),
            (403, 'pods "pod-1" is forbidden: x', Outcome.OTHER),
            (500, "etcdserver: request timed out", Outcome.OTHER),
        ]
        for status, message, outcome in rows:
            self.assertIs(judge(status, message), outcome, f"{status} {message}")

    def test_a_log_tells_of_handshakes_with_the_webhook_and_of_others(self) -> None:
        failed = "W1128 dispatcher.go:225] Failed calling webhook, failing closed labelled.pods.shm-operator.dev: "
        rows = [
            (failed + "tls: failed to verify certificate: x509: certificate signed by unknown authority", True),
            (failed + "remote error: tls: handshake failure", True),
            (failed + "net/http: TLS handshake timeout", True),
            (failed + "connect: connection refused", False),
            ("http: TLS handshake error from 10.0.0.1:1: EOF", False),
            ("Loaded client CA certificate", False),
        ]
        for line, wanted in rows:
            self.assertEqual(is_handshake_failure(line), wanted, line)

    def test_each_missing_part_of_a_pod_is_found(self) -> None:
        wanted = Pod(1, LABELLED, 2)
        sized = manifest(wanted)
        sized["metadata"]["labels"]["shm-operator.dev/injected"] = "true"
        sized["spec"]["volumes"] = [{"name": "token"}, {
            "name": "shm-operator-dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "4Gi"}}]
        sized["spec"]["containers"][0] |= {
            "volumeMounts": [{"name": "token", "mountPath": "/t"},
                             {"name": "shm-operator-dshm", "mountPath": "/dev/shm"}],
            "resources": {"requests": {"nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}}}
        self.assertEqual(unsized_because(sized, wanted), [])
        self.assertEqual(len(unsized_because(manifest(wanted), wanted)), 5)

        def lacks(change) -> list[str]:
            pod = copy.deepcopy(sized)
            change(pod["metadata"]["labels"], pod["spec"], pod["spec"]["containers"][0])
            return unsized_because(pod, wanted)
        for change in (
                lambda labels, spec, container: labels.pop("shm-operator.dev/injected"),
                lambda labels, spec, container: spec["volumes"].pop(),
                lambda labels, spec, container: spec["volumes"][1]["emptyDir"].update(sizeLimit="2Gi"),
                lambda labels, spec, container: spec["volumes"][1]["emptyDir"].pop("medium"),
                lambda labels, spec, container: container["volumeMounts"].pop(),
                lambda labels, spec, container: container["resources"]["requests"].clear(),
                lambda labels, spec, container: container["resources"]["limits"].update({"nvidia.com/gpu": "1"})):
            self.assertEqual(len(lacks(change)), 1)

    def test_like_messages_are_one(self) -> None:
        self.assertEqual(pattern_of('pods "pod-17": dial tcp 10.244.0.9:8443: x'),
                         pattern_of('pods "pod-3": dial tcp 10.244.0.12:8443: x'))

    def test_counters_are_summed_over_processes_that_begin_again(self) -> None:
        growth = Growth()
        for process, value in (("a/0", 2), ("a/0", 5), ("b/0", 1), ("a/0", 1), ("a/0", 4)):
            grown = growth.see(process, counters(f'rejected{{reason="handshake"}} {value}\nother 9\n', ("rejected",)))
        self.assertEqual(grown, {'rejected{reason="handshake"}': 3.0})
        self.assertEqual(growth.total(), {'rejected{reason="handshake"}': 10.0})


if __name__ == "__main__":
    unittest.main()
