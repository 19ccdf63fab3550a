// What the reflector's tests share: objects and answers of a server, and a reflector among fakes.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube/reflector.h"
#include "kube/store.h"
#include "tests/unit/kube/fakes.h"

namespace shm::kube::testing {

using Json = nlohmann::json;
using Truth = std::map<std::string, std::string>;

inline Json Object(const std::string& name, const std::string& version, const std::string& value) {
  return {
      {"metadata",
       {{"name", name}, {"namespace", "ns"}, {"uid", "u-" + name}, {"resourceVersion", version}}},
      {"value", value}};
}
inline std::string List(const std::vector<Json>& items, const std::string& version,
                        const std::string& token = "") {
  Json list = {{"kind", "List"}, {"metadata", {{"resourceVersion", version}}}, {"items", items}};
  if (!token.empty()) list["metadata"]["continue"] = token;
  return list.dump();
}
inline std::string Event(const std::string& type, const Json& object) {
  return Json{{"type", type}, {"object", object}}.dump();
}
inline std::string Bookmark(const std::string& version) {
  return Event("BOOKMARK", {{"metadata", {{"resourceVersion", version}}}});
}
// The bookmark that ends a streamed list.
inline std::string EndMark(const std::string& version) {
  return Event(
      "BOOKMARK",
      {{"metadata",
        {{"resourceVersion", version}, {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}});
}
inline std::string Status(int code, const std::string& reason, const std::string& cause = "") {
  Json status = {{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", reason}};
  if (!cause.empty()) status["details"]["causes"] = {{{"reason", cause}}};
  return status.dump();
}
inline StreamResult Refused(int code, const std::string& body) {
  StreamResult result;
  result.response = {code, body, std::nullopt};
  return result;
}
inline StreamResult Broken(TransportFailure failure, bool truncated = false) {
  StreamResult result = ScriptedTransport::Ok();
  result.failure = failure;
  result.truncated = truncated;
  return result;
}

// A reflector between a scripted server and a store of the objects' values.
struct ReflectorWorld {
  FakeClock clock;
  ScriptedTransport transport{&clock};
  std::vector<std::string> changes;
  Store<std::string> store{[](const Json& object) -> Result<std::string> {
    if (object.value("value", "") == "bad") return Error{"value", "is bad"};
    return object.value("value", "");
  }};
  ReflectorOptions options;
  std::unique_ptr<Reflector> reflector;

  explicit ReflectorWorld(bool stream_lists = false) {
    options.type = InferenceServices();
    options.stream_lists = stream_lists;
    options.backoff.jitter = 0;
    store.AddListener([this](const ObjectKey& key, const auto& before, const auto& after) {
      changes.push_back((before ? (after ? "~" : "-") : "+") + key.name);
    });
  }
  // Runs the script to its end.
  void Run() {
    reflector = std::make_unique<Reflector>(transport, store, options,
                                            std::function<void(const ReflectorEvent&)>(), clock);
    reflector->Run(transport.stop.get_token());
    CHECK_FALSE(transport.mismatch);
  }
  Truth Held() const {
    Truth held;
    for (const auto& space : {"ns"}) {
      for (const char* name : {"a", "b", "c", "d"}) {
        if (const auto found = store.Get(space, name)) held[name] = *found;
      }
    }
    CHECK(held.size() == store.Size());
    return held;
  }
};

}  // namespace shm::kube::testing
