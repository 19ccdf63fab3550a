#!/usr/bin/env python3
"""What becomes of OpenAPI and CRD schemas. (That kubeconform then refuses what is broken, validate.py shows.)"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import schemas  # noqa: E402
import sources  # noqa: E402

STRING = {"type": "string"}
A_STRING = {"type": "object", "properties": {"a": STRING}}
# Of Kubernetes' own OpenAPI, of a CRD, or of both: what is given, what is made.
CASES = [
    ("an object takes the properties that it names", "both", A_STRING, {**A_STRING, "additionalProperties": False}),
    ("a map takes any key", "both", {"type": "object", "additionalProperties": STRING}, {"type": "object", "additionalProperties": STRING}),
    ("an object inside a list is closed, too", "both", {"type": "array", "items": A_STRING},
     {"type": "array", "items": {**A_STRING, "additionalProperties": False}}),
    ("an object without properties is any JSON in Kubernetes' own", "openapi", {"type": "object"}, {"type": "object"}),
    ("and is pruned in a CRD", "crd", {"type": "object"}, {"type": "object", "additionalProperties": False}),
    ("a CRD's open object stays open", "crd", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"type": "object"}),
    ("an open object's named properties are held to", "crd",
     {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"b": A_STRING}},
     {"type": "object", "properties": {"b": {**A_STRING, "additionalProperties": False}}}),
    ("a rule beside the properties closes nothing", "crd", {"type": "object", "properties": {"a": STRING}, "anyOf": [A_STRING, {"required": ["b"]}]},
     {"type": "object", "properties": {"a": STRING}, "anyOf": [A_STRING, {"required": ["b"]}], "additionalProperties": False}),
    ("a number or a text", "both", {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, STRING]}, {"type": ["integer", "string"]}),
    ("a number or a text, as OpenAPI says it", "openapi", {"format": "int-or-string", "oneOf": [{"type": "integer"}, STRING]},
     {"type": ["integer", "string"]}),
    ("null where it is allowed", "crd", {"type": "string", "enum": ["x"], "nullable": True}, {"type": ["string", "null"], "enum": ["x", None]}),
    ("an embedded object has a kind", "crd", {"type": "object", "x-kubernetes-embedded-resource": True},
     {"type": "object", "properties": {"apiVersion": {}, "kind": {}, "metadata": {}}, "additionalProperties": False}),
    ("a reference leads to the file's own definitions", "openapi", {"allOf": [{"$ref": "#/components/schemas/x.Y"}], "default": {}},
     {"allOf": [{"$ref": "#/$defs/x.Y"}]}),
    ("a property may be called as a keyword is", "both", {"type": "object", "properties": {"default": STRING, "not": STRING}},
     {"type": "object", "properties": {"default": STRING, "not": STRING}, "additionalProperties": False}),
]


class Strict(unittest.TestCase):
    def test_each_schema_becomes_a_strict_one(self):
        for name, kind, given, made in CASES:
            for crd in {"openapi": [False], "crd": [True], "both": [False, True]}[kind]:
                with self.subTest(name, crd=crd):
                    self.assertEqual(schemas.strict(given, crd=crd), made)

    def test_a_schema_brings_all_that_it_leads_to_and_no_more(self):
        definitions = {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}, "c": STRING}
        self.assertEqual(schemas.with_definitions({"$ref": "#/$defs/a"}, definitions)["$defs"].keys(), {"a", "b"})

    def test_the_version_is_the_one_that_go_sum_pins(self):
        for name, folder in schemas.VERSIONS.items():
            pinned = schemas.pinned_kubernetes(folder)
            self.assertIn(f"k8s.io/kubernetes {pinned.version}", (folder / "go.mod").read_text(), name)


class Templates(unittest.TestCase):
    def test_pods_are_found_wherever_they_are_described(self):
        spec = {"containers": [{"name": "c"}]}
        objects = [
            {"kind": "Pod", "metadata": {"name": "p"}, "spec": spec},
            {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": spec}}},
            {"kind": "LeaderWorkerSet", "metadata": {"name": "l"},
             "spec": {"leaderWorkerTemplate": {"leaderTemplate": {"spec": spec}, "workerTemplate": {"spec": spec}}}},
            {"kind": "DynamoGraphDeployment", "metadata": {"name": "g"}, "spec": {"components": [{"podTemplate": {"spec": spec}}]}},
            {"kind": "Service", "metadata": {"name": "s"}, "spec": {}},
        ]
        self.assertEqual([(o["metadata"]["name"], path) for o, path, _ in sources.templates(objects)],
                         [("p", ""), ("d", "spec.template"), ("l", "spec.leaderWorkerTemplate.leaderTemplate"),
                          ("l", "spec.leaderWorkerTemplate.workerTemplate"), ("g", "spec.components[0].podTemplate")])


if __name__ == "__main__":
    unittest.main()
