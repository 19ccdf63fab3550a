#include "core/owned_fields.h"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace shm {
namespace {

using nlohmann::json;

// `live` with an entry of shm-operator over `fields`, among those of others.
json Managed(const json& fields, json live) {
  live["metadata"]["managedFields"] = json::array(
      {{{"manager", "kubectl"}, {"operation", "Apply"}, {"fieldsV1", {{"f:spec", {}}}}},
       {{"manager", "shm-operator"}, {"operation", "Update"}, {"fieldsV1", {{"f:data", {}}}}},
       {{"manager", "shm-operator"},
        {"operation", "Apply"},
        {"subresource", "status"},
        {"fieldsV1", {{"f:status", {}}}}},
       {{"manager", "shm-operator"}, {"operation", "Apply"}, {"fieldsV1", fields}}});
  return live;
}

json OwnedOf(const char* fields, const char* spec) {
  const json live = {{"metadata", {{"name", "x"}}}, {"spec", json::parse(spec)}};
  const json owned = OwnedFields(Managed({{"f:spec", json::parse(fields)}}, live), "shm-operator");
  return owned.value("spec", json());
}

FieldsDigest DigestOfText(const std::string& text) { return DigestOf(json::parse(text)); }

}  // namespace

TEST_CASE("what we have applied is found by our entry of managedFields, with its live values") {
  struct Case {
    const char* what;
    const char* fields;
    const char* spec;
    const char* owned;
  };
  const Case cases[] = {
      {"a value", R"({"f:a": {}})", R"({"a": 1, "b": 2})", R"({"a": 1})"},
      {"an object owned as a whole", R"({"f:a": {}})", R"({"a": {"x": {"y": 1}}})",
       R"({"a": {"x": {"y": 1}}})"},
      {"a part of an object", R"({"f:a": {".": {}, "f:x": {}}})", R"({"a": {"x": 1, "y": 2}})",
       R"({"a": {"x": 1}})"},
      {"an object without what is within", R"({"f:a": {".": {}}})", R"({"a": {"y": 2}})",
       R"({"a": {}})"},
      {"a value that is not stored", R"({"f:a": {}, "f:b": {}})", R"({"b": 2})",
       R"({"a": null, "b": 2})"},
      {"items by their key, in live order",
       R"({"f:c": {"k:{\"name\":\"b\"}": {".": {}, "f:name": {}},
                   "k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:image": {}}}})",
       R"({"c": [{"name": "a", "image": "i", "tty": true}, {"name": "x"},
                 {"name": "b", "image": "k"}]})",
       R"({"c": [{"name": "a", "image": "i"}, {"name": "b"}]})"},
      {"items by two keys, of which a default fills one",
       R"({"f:p": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}})",
       R"({"p": [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80, "protocol": "TCP"}]})",
       R"({"p": [{"containerPort": 80}]})"},
      {"items that are values", R"({"f:s": {"v:\"b\"": {}, "v:2": {}}})", R"({"s": ["a", "b", 2]})",
       R"({"s": ["b", 2]})"},
      {"a key that is no JSON", R"({"f:c": {"k:{name": {}}})", R"({"c": [{"name": "a"}]})",
       R"({"c": []})"},
      {"fields of a list where an object stands", R"({"f:c": {"k:{\"name\":\"a\"}": {}}})",
       R"({"c": {"name": "a"}})", R"({"c": {}})"},
      {"a letter that Go's JSON escapes", R"({"f:c": {"k:{\"name\":\"a\\u003c\"}": {}}})",
       R"({"c": [{"name": "a<"}]})", R"({"c": [{"name": "a<"}]})"},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(OwnedOf(c.fields, c.spec) == json::parse(c.owned));
  }
}

TEST_CASE("without an entry of ours that can be read, nothing is owned") {
  for (const char* text :
       {R"({})", R"({"metadata": null})", R"({"metadata": {"managedFields": "x"}})",
        R"({"metadata": {"managedFields": [1, {}, {"manager": "shm-operator"}]}})",
        R"({"metadata": {"managedFields": [
                {"manager": "shm-operator", "operation": "Apply", "fieldsV1": "x"}]}})",
        R"({"metadata": {"managedFields": [
                {"manager": "other", "operation": "Apply", "fieldsV1": {"f:spec": {}}}]},
               "spec": {}})"}) {
    INFO(text);
    CHECK(OwnedFields(json::parse(text), "shm-operator").is_null());
  }
}

TEST_CASE("configurations that the API server stores alike have one digest") {
  struct Case {
    const char* applied;
    const char* stored;
  };
  const Case cases[] = {
      {R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "n", "namespace": "s"}})",
       R"({"metadata": {}})"},
      {R"({"a": null, "b": []})", R"({"a": null, "b": null})"},
      {R"({"resources": {"limits": {"nvidia.com/gpu": 2, "cpu": "1000m", "memory": "0.5Gi"}}})",
       R"({"resources": {"limits": {"nvidia.com/gpu": "2", "cpu": "1", "memory": "512Mi"}}})"},
      {R"({"emptyDir": {"sizeLimit": "1024Mi"}})", R"({"emptyDir": {"sizeLimit": "1Gi"}})"},
      {R"({"env": [{"name": "A", "value": ""}]})", R"({"env": [{"name": "A", "value": null}]})"},
      {R"({"volumeMounts": [{"readOnly": false}], "nodeSelector": {}})",
       R"({"volumeMounts": [{"readOnly": null}], "nodeSelector": null})"},
      {R"({"fieldRef": {"fieldPath": "status.podIP"}})",
       R"({"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}})"},
  };
  for (const Case& c : cases) {
    INFO(c.applied);
    CHECK(DigestOfText(c.applied) == DigestOfText(c.stored));
  }
}

TEST_CASE("configurations that differ have different digests") {
  const char* different[] = {
      R"({})",
      R"({"a": {}})",
      R"({"hostNetwork": false})",
      R"({"hostNetwork": true})",
      R"({"a": ""})",
      R"({"a": 1})",
      R"({"a": "1"})",
      R"({"a": false})",
      R"({"a": [[]]})",
      R"({"a": [{}]})",
      R"({"a": ["bc"]})",
      R"({"a": ["b", "c"]})",
      R"({"a": ["c", "b"]})",
      R"({"a": {"b": 1}, "c": 1})",
      R"({"a": {"b": 1, "c": 1}})",
      R"({"replicas": 0})",
      R"({"emptyDir": {}})",
      R"({"metadata": {"labels": {"name": "x"}}})",
      R"({"template": {"metadata": {"name": "x"}}})",
      R"({"template": {"kind": "x"}})",
      R"({"securityContext": {"allowPrivilegeEscalation": false}})",
      R"({"limits": {"memory": "1Gi"}})",
      R"({"limits": {"memory": "1G"}})",
      R"({"labels": {"sizeLimit": "1.0"}})",
      R"({"labels": {"sizeLimit": "1"}})",
  };
  std::map<FieldsDigest, std::string> seen;
  for (const char* text : different) {
    const auto [other, fresh] = seen.emplace(DigestOfText(text), text);
    INFO(text << " and " << other->second);
    CHECK(fresh);
  }
}

}  // namespace shm
