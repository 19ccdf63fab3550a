#!/usr/bin/env python3
"""The pure part of the GitOps soak."""

import base64
import unittest

import compare

CONFIGURATION = {
    "metadata": {"managedFields": [
        {"manager": "kustomize-controller", "fieldsV1": {"f:webhooks": {'k:{"name":"a"}': {"f:clientConfig": {"f:service": {}}}}}},
        {"manager": "shm-operator", "fieldsV1": {"f:webhooks": {'k:{"name":"a"}': {"f:clientConfig": {"f:caBundle": {}}}}}},
        {"manager": "nobody"}]},
    "webhooks": [{"clientConfig": {"caBundle": base64.b64encode(b"authority").decode()}}, {"clientConfig": {}}]}


def pod(volume=None, mount="/dev/shm"):
    volumes = [{"name": compare.VOLUME, "emptyDir": volume}] if volume is not None else []
    return {"spec": {"volumes": volumes, "containers": [
        {"volumeMounts": [{"name": compare.VOLUME, "mountPath": mount}]}]}}


class CompareTest(unittest.TestCase):
    def test_an_inventory_names_objects_of_namespaces_and_of_the_cluster(self):
        entries = [{"id": "shm-system_shm-operator_apps_Deployment", "v": "v1"}, {"id": "_llm__Namespace", "v": "v1"}]
        self.assertEqual(compare.inventory({"status": {"inventory": {"entries": entries}}}),
                         {("apps", "Deployment", "shm-system", "shm-operator"), ("", "Namespace", "", "llm")})
        self.assertEqual(compare.inventory({}), set())

    def test_flux_labels_what_it_applies_and_replaces_images_by_name(self):
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {
            "template": {"spec": {"containers": [{"image": "shm-operator:0.1.0"}, {"image": "other:1"}]}}}}
        kustomization = {"metadata": {"name": "k", "namespace": "n"}, "spec": {
            "images": [{"name": "shm-operator", "newName": "registry/x", "newTag": "2"}]}}
        made, = compare.as_flux_applies([deployment], kustomization)
        self.assertEqual([one["image"] for one in compare.containers_of(made)], ["registry/x:2", "other:1"])
        self.assertEqual(made["metadata"]["labels"], {"kustomize.toolkit.fluxcd.io/name": "k",
                                                      "kustomize.toolkit.fluxcd.io/namespace": "n"})
        self.assertNotIn("labels", deployment["metadata"])

    def test_who_owns_a_bundle_is_told_by_managed_fields_at_any_depth(self):
        self.assertEqual(compare.managers_of_bundle(CONFIGURATION), {"shm-operator"})

    def test_an_entry_without_a_bundle_is_not_left_out(self):
        self.assertEqual(compare.bundles(CONFIGURATION), [b"authority", b""])

    def test_certificates_are_told_apart_whatever_is_between_them(self):
        one, other = (b"-----BEGIN CERTIFICATE-----\n" + text + b"\n-----END CERTIFICATE-----" for text in (b"a", b"b"))
        self.assertEqual(compare.certificates(one + b"\n\n" + other + b"\n"), {one, other})
        self.assertEqual(compare.certificates(b""), set())

    def test_shared_memory_is_a_size_only_where_it_is_memory_at_its_place(self):
        self.assertEqual(compare.shared_memory(pod({"medium": "Memory", "sizeLimit": "2Gi"})), "2Gi")
        self.assertEqual(compare.shared_memory(pod({"medium": "Memory"})), "unlimited")
        self.assertEqual(compare.shared_memory(pod({"sizeLimit": "2Gi"})), "on disk")
        self.assertEqual(compare.shared_memory(pod({"medium": "Memory"}, mount="/tmp")), "mounted at ['/tmp']")
        self.assertEqual(compare.shared_memory(pod()), "none")

    def test_what_came_went_or_changed_is_told_apart_from_what_stayed(self):
        def key(name):
            return "", "ConfigMap", "", name
        before = {key("stays"): "1", key("changes"): "1", key("goes"): "1"}
        after = {key("stays"): "1", key("changes"): "2", key("comes"): "1"}
        self.assertEqual(compare.changed(before, after), ["ConfigMap changes", "ConfigMap comes", "ConfigMap goes"])

    def test_text_of_any_kind_is_a_literal_of_lua(self):
        self.assertEqual(compare.lua('a"\n]'), '"a\\034\\010\\093"')
        self.assertEqual(compare.lua({"a": [1, True, None]}), '{["a"]={1,true,nil}}')

    def test_a_condition_that_is_not_there_is_empty(self):
        self.assertEqual(compare.condition({}, "Ready"), {})
        self.assertEqual(compare.condition({"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
                                           "Ready")["status"], "True")


if __name__ == "__main__":
    unittest.main()
