#!/usr/bin/env python3
"""What the matrix of installations runs is what is documented, and what it sees it judges rightly."""

from __future__ import annotations

import pathlib
import re
import sys
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import next_chart
import ways
from manifest_ways import with_image
from objects import (CRD, Key, bundle_owners, changed, differing_lines, gone, is_kubectls_own, left, namespace_itself,
                     speaks_of_conflict)
from phases import FINE, Fate, Phase, fate_of_refusal, laxer
from templates import compare, documents

ROOT = pathlib.Path(__file__).parents[2]
CHART = ROOT / "charts/shm-operator"
PLACES = ways.Places(pathlib.Path("/c/now"), pathlib.Path("/c/next"), "dev")


def documented_commands() -> str:
    """docs/install.md and docs/upgrading.md, with continued lines joined."""
    text = "".join((ROOT / "docs" / name).read_text() for name in ("install.md", "upgrading.md"))
    return re.sub(r"\\\n *", "", text)


class WaysTest(unittest.TestCase):
    def test_each_command_stands_in_the_docs(self) -> None:
        docs = documented_commands()
        for name, command in ways.DOCUMENTED.items():
            self.assertIn(command, docs, name)

    def test_each_helm_goes_through_a_whole_life(self) -> None:
        for way, helm in (("Helm 3", "helm"), ("Helm 4", "helm4")):
            steps = ways.WAYS[way]
            self.assertEqual({step.helm for step in steps}, {helm})
            self.assertEqual({step.name for step in steps},
                             {ways.INSTALL, ways.TEST, ways.UPGRADE, ways.ROLLBACK, ways.UNINSTALL, ways.INSTALL_OLDER, ways.REPLACE})

    def test_every_way_begins_with_an_installation_and_ends_with_its_end(self) -> None:
        for steps in (*ways.WAYS.values(), *ways.QUICK.values()):
            self.assertEqual((steps[0].name, steps[-1].name), (ways.INSTALL, ways.UNINSTALL))

    def test_an_upgrade_takes_the_next_chart_and_its_crds_first(self) -> None:
        crd, upgrade = ways.commands(ways.Step(ways.UPGRADE, "helm4", ("--server-side=true",)), PLACES)
        self.assertEqual(crd, ["kubectl", "apply", "--server-side", "--force-conflicts", "-f", "/c/next/crds/"])
        self.assertEqual(upgrade[:4], ["helm4", "upgrade", "shm-operator", "/c/next"])
        self.assertIn("image.tag=dev", upgrade)
        self.assertEqual(upgrade[-1], "--server-side=true")

    def test_a_replacement_is_an_end_and_a_beginning_with_the_next_chart(self) -> None:
        end, beginning = ways.commands(ways.Step(ways.REPLACE, "helm"), PLACES)
        self.assertEqual(end, ["helm", "uninstall", "shm-operator", "--namespace", "shm-system"])
        self.assertEqual(beginning[:4], ["helm", "install", "shm-operator", "/c/next"])

    def test_helm_4_leaves_the_crd_alone_where_it_is_newer_than_the_chart(self) -> None:
        for way, flags in (("Helm 3", []), ("Helm 4", ["--skip-crds"])):
            step, = (step for step in ways.WAYS[way] if step.name == ways.INSTALL_OLDER)
            command, = ways.commands(step, PLACES)
            self.assertIn("/c/now", command)
            self.assertEqual(command[command.index("--wait") + 1:], flags)

    def test_every_image_of_the_manifest_is_replaced(self) -> None:
        text = with_image((ROOT / "deploy/install.yaml").read_text(), "dev")
        images = [container["image"] for document in yaml.safe_load_all(text) if document["kind"] == "Deployment"
                  for container in document["spec"]["template"]["spec"]["containers"]]
        self.assertEqual(images, ["shm-operator:dev"] * 2)


class NextChartTest(unittest.TestCase):
    def test_the_next_version_is_higher_and_has_build_metadata(self) -> None:
        self.assertEqual(next_chart.next_versions("0.1.0"), ("0.2.0+matrix.1", "0.2.0"))
        self.assertEqual(next_chart.next_versions("1.9.3-rc.1"), ("1.10.0+matrix.1", "1.10.0"))

    def test_nothing_else_of_the_charts_file_changes(self) -> None:
        text = (CHART / "Chart.yaml").read_text()
        before, after = yaml.safe_load(text), yaml.safe_load(next_chart.next_chart_file(text))
        self.assertEqual({key for key in before if before[key] != after[key]}, {"version", "appVersion"})
        self.assertEqual(next_chart.app_version(next_chart.next_chart_file(text)), after["appVersion"])

    def test_the_next_crd_has_a_field_more(self) -> None:
        crd = yaml.safe_load((ROOT / "crds/inferenceservices.shm-operator.dev.yaml").read_text())
        self.assertFalse(next_chart.has_field(crd))
        following = next_chart.next_crd(crd)
        self.assertTrue(next_chart.has_field(following))
        self.assertFalse(next_chart.has_field(crd), "the original was changed")
        self.assertNotEqual(*(one["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"]
                              for one in (crd, following)))


class PhasesTest(unittest.TestCase):
    def test_where_it_is_installed_every_pod_is_sized(self) -> None:
        self.assertEqual(FINE[Phase.INSTALLED], {Fate.SIZED})

    def test_pods_are_refused_at_most_while_an_installation_is_under_way(self) -> None:
        for phase, fine in FINE.items():
            self.assertNotIn(Fate.REFUSED, fine)
            self.assertEqual(Fate.NOT_SERVING in fine, phase is Phase.INSTALLING)

    def test_a_creation_over_the_border_of_two_phases_is_held_to_the_laxer(self) -> None:
        rows = [
            (Phase.INSTALLED, Phase.INSTALLED, Phase.INSTALLED),
            (Phase.INSTALLING, Phase.INSTALLED, Phase.INSTALLING),
            (Phase.INSTALLED, Phase.UNINSTALLING, Phase.UNINSTALLING),
            (Phase.UNINSTALLING, Phase.ABSENT, Phase.UNINSTALLING),
            (Phase.ABSENT, Phase.INSTALLING, Phase.INSTALLING),
        ]
        for begun, ended, held_to in rows:
            self.assertIs(laxer(begun, ended), held_to, f"{begun} {ended}")

    def test_a_refusal_tells_whether_a_webhook_answered(self) -> None:
        rows = [
            ('Internal error occurred: failed calling webhook "labelled.pods.shm-operator.dev": connection refused',
             Fate.NOT_SERVING),
            ('admission webhook "labelled.pods.shm-operator.dev" denied the request: x', Fate.REFUSED),
            ('pods "pod-1" is forbidden: x', Fate.REFUSED),
        ]
        for message, fate in rows:
            self.assertIs(fate_of_refusal(message), fate)


def managed(**fields_by_manager: dict) -> dict:
    return {"metadata": {"managedFields": [{"manager": name, "fieldsV1": fields} for name, fields in fields_by_manager.items()]}}


def webhook_fields(*names: str) -> dict:
    return {"f:webhooks": {'k:{"name":"labelled"}': {"f:clientConfig": {name: {} for name in names}}}}


class ObjectsTest(unittest.TestCase):
    def test_what_is_left_is_told_apart(self) -> None:
        def key(resource: str, name: str, namespace: str = "", group: str = "") -> Key:
            return Key(group, resource, namespace, name)
        before = {key("namespaces", "default"): {}}
        kept = {one: {} for one in CRD | namespace_itself("shm-system")}
        users = {key("namespaces", "llm"): {}, key("services", "qwen", "llm"): {},
                 key("ipaddresses", "10.0.0.7", group="networking.k8s.io"): {"spec": {"parentRef": {"namespace": "llm"}}}}
        others = {key("secrets", "sh.helm.release.v1.x", "shm-system"): {}, key("clusterroles", "shm-operator"): {},
                  key("roles", "shm-operator", "llm"): {"metadata": {"labels": {"helm.sh/chart": "shm-operator-1"}}},
                  key("ipaddresses", "10.0.0.8", group="networking.k8s.io"): {"spec": {"parentRef": {"namespace": "shm-system"}}}}
        found = left(before, before | kept | users | others, CRD | namespace_itself("shm-system"), ["llm"])
        self.assertEqual(found.documented, sorted(kept))
        self.assertEqual(found.users, {"namespaces": 1, "services": 1, "ipaddresses": 1})
        self.assertEqual(found.other, sorted(others))
        self.assertEqual(left(before, before | kept, frozenset(), []).other, sorted(kept))

    def test_what_is_gone_is_seen(self) -> None:
        one, two = Key("", "secrets", "a", "x"), Key("", "secrets", "a", "y")
        self.assertEqual(gone({one: {}, two: {}}, {two: {}}), [one])

    def test_another_resource_version_is_a_change_and_so_is_an_object_that_comes_or_goes(self) -> None:
        self.assertEqual(changed({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4", "d": "5"}), ["b", "c", "d"])

    def test_owners_of_the_bundle_are_those_who_set_it_and_not_those_who_set_what_is_beside_it(self) -> None:
        self.assertEqual(bundle_owners(managed(helm=webhook_fields("f:service"), op=webhook_fields("f:caBundle"))), {"op"})
        self.assertEqual(bundle_owners(managed(helm=webhook_fields("f:service", "f:caBundle"), op=webhook_fields("f:caBundle"))),
                         {"helm", "op"})
        self.assertEqual(bundle_owners({}), set())

    def test_kubectls_own_annotation_is_told_apart_from_what_differs(self) -> None:
        diff = """diff -u -N /tmp/LIVE-1/apps.v1.Deployment /tmp/MERGED-1/apps.v1.Deployment
--- /tmp/LIVE-1/apps.v1.Deployment\t2026
+++ /tmp/MERGED-1/apps.v1.Deployment\t2026
@@ -4,9 +4,9 @@
     kubectl.kubernetes.io/last-applied-configuration: |
-      {"apiVersion":"apps/v1","metadata":{"annotations":{}}}
+      {"apiVersion":"apps/v1","metadata":{}}
-  generation: 1
+  generation: 2
-  replicas: 1
+  replicas: 2
"""
        self.assertEqual(len(differing_lines(diff)), 6)
        self.assertEqual([line for line in differing_lines(diff) if not is_kubectls_own(line)], ["-  replicas: 1", "+  replicas: 2"])

    def test_a_conflict_is_seen_in_what_was_printed(self) -> None:
        for text in ('Apply failed with 1 conflict: conflict with "helm" using v1: .spec', "Apply failed with 2 conflicts: x",
                     "Operation cannot be fulfilled: the object has been modified; please apply your changes"):
            self.assertTrue(speaks_of_conflict(text), text)
        for text in ("customresourcedefinition serverside-applied", (CHART / "templates/NOTES.txt").read_text()):
            self.assertFalse(speaks_of_conflict(text), text)


class TemplatesTest(unittest.TestCase):
    def test_documents_are_the_same_in_whatever_order_and_with_whatever_blank_lines(self) -> None:
        one = documents("---\n# Source: a\nkind: A\n---\n# Source: b\nkind: B\n")
        self.assertEqual(one, ["# Source: a\nkind: A", "# Source: b\nkind: B"])
        self.assertEqual(compare("x", one, documents("---\n# Source: a\nkind: A\n\n---\n# Source: b\nkind: B\n\n")), ([], False))
        self.assertEqual(compare("x", one, documents("---\n# Source: b\nkind: B\n---\n# Source: a\nkind: A\n")), ([], True))

    def test_a_document_that_differs_or_lacks_or_is_there_twice_is_a_fault(self) -> None:
        one = documents("---\n# Source: a\nkind: A\n---\n# Source: b\nkind: B\n")
        for other in ("---\n# Source: a\nkind: A \n---\n# Source: b\nkind: B\n", "---\n# Source: a\nkind: A\n",
                      "---\n# Source: a\nkind: A\n---\n# Source: b\nkind: B\n---\n# Source: b\nkind: B\n"):
            faults, order = compare("x", one, documents(other))
            self.assertEqual((len(faults), order), (1, False), other)


if __name__ == "__main__":
    unittest.main()
