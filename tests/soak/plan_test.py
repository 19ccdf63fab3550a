#!/usr/bin/env python3
"""The plan of the soak depends on its seed and nothing else."""

from __future__ import annotations

import unittest

from plan import FAULT_KINDS, fingerprint, make_plan


class PlanTest(unittest.TestCase):
    def test_the_same_seed_gives_the_same_faults_and_operations(self) -> None:
        self.assertEqual(make_plan(7, 20), make_plan(7, 20))
        self.assertEqual(fingerprint(make_plan(7, 20)), fingerprint(make_plan(7, 20)))

    def test_another_seed_gives_others(self) -> None:
        self.assertNotEqual(fingerprint(make_plan(7, 20)), fingerprint(make_plan(8, 20)))

    def test_a_longer_plan_begins_with_the_shorter_one(self) -> None:
        self.assertEqual(make_plan(7, 30)[:20], make_plan(7, 20))

    def test_five_rounds_hold_every_kind_of_fault(self) -> None:
        for seed in range(20):
            kinds = [fault.kind for turn in make_plan(seed, 5) for fault in turn.faults]
            self.assertEqual(sorted(kinds), sorted(FAULT_KINDS), f"seed {seed}")

    def test_some_partitions_outlive_the_lease_of_the_leader(self) -> None:
        long = [fault for turn in make_plan(1, 100) for fault in turn.faults
                if fault.kind == "partition" and fault.seconds > 15]
        self.assertTrue(any(fault.detail["who"] == "leader" for fault in long))
        self.assertTrue(any(fault.detail["who"] == "both" for fault in long))

    def test_no_change_is_made_to_what_is_not_there(self) -> None:
        for seed in range(20):
            there: set[tuple[str, str]] = set()
            for operation in (one for turn in make_plan(seed, 30) for one in turn.operations):
                key = (operation.namespace, operation.name)
                if operation.kind == "create":
                    self.assertNotIn(key, there)
                    there.add(key)
                elif operation.kind != "remove-orphans":
                    self.assertIn(key, there)
                if operation.kind in ("delete-background", "delete-foreground", "delete-orphan"):
                    there.remove(key)


if __name__ == "__main__":
    unittest.main()
