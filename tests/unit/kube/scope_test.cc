// Reflectors of parts: what they ask for, and how a set of them fares when one is refused.
#include "kube/scope.h"

#include "kube/reflector_set.h"
#include "tests/unit/kube/reflector_world.h"

namespace shm::kube {
namespace {

using namespace testing;
using Scopes = std::vector<Scope>;

// Lists once what `answer` says, then stays silent. Runs on this thread.
std::unique_ptr<Reflector> Ran(ScriptedTransport& transport, ObjectSink& sink, FakeClock& clock,
                               Scope scope) {
  ReflectorOptions options;
  options.type = InferenceServices();
  options.scope = std::move(scope);
  options.stream_lists = false;
  auto reflector = std::make_unique<Reflector>(transport, sink, std::move(options),
                                               std::function<void(const ReflectorEvent&)>(), clock);
  reflector->Run(transport.stop.get_token());
  return reflector;
}

TEST_CASE("Without a list of namespaces there is one scope; else one for each") {
  CHECK(ScopesOf(Pods(), {}) == Scopes{{}});
  CHECK(ScopesOf(Namespaces(), {}) == Scopes{{}});
  CHECK(ScopesOf(Pods(), {"a", "b"}) == Scopes{{"a", ""}, {"b", ""}});
  CHECK(ScopesOf(Namespaces(), {"a", "b"}) == Scopes{{"", "a"}, {"", "b"}});
  CHECK(ScopesOf(MutatingWebhookConfigurations(), {"a", "b"}) == Scopes{{}});
}

TEST_CASE("A scope covers its namespace, or its name, and says which") {
  struct Row {
    Scope scope;
    bool a_x, a_y, b_x;
    const char* text;
  };
  const Row rows[] = {
      {{}, true, true, true, "all"},
      {{"a", ""}, true, true, false, "a"},
      {{"", "x"}, true, false, true, "x"},
      {{"a", "x"}, true, false, false, "a/x"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(row.scope.Covers({"a", "x"}) == row.a_x);
    CHECK(row.scope.Covers({"a", "y"}) == row.a_y);
    CHECK(row.scope.Covers({"b", "x"}) == row.b_x);
    CHECK(row.scope.ToString() == row.text);
  }
}

TEST_CASE("A Namespace is followed by its name, beside other field selectors") {
  ReflectorOptions options;
  options.type = Namespaces();
  options.scope = {"", "llm"};
  WatchAction watch;
  watch.kind = WatchAction::Kind::kWatch;
  const std::string path = "/api/v1/namespaces?fieldSelector=metadata.name%3Dllm";
  CHECK(ListPath(options, {}) == path + "&limit=500");
  CHECK_THAT(WatchPath(options, watch, std::chrono::seconds(9)),
             Catch::StartsWith(path + "&watch=true"));
  options.field_selector = "status.phase=Active";
  CHECK_THAT(ListPath(options, {}),
             Catch::Contains("fieldSelector=metadata.name%3Dllm%2Cstatus.phase%3DActive"));
}

TEST_CASE("A refusal stays known until the server answers well") {
  struct Row {
    int status;
    const char* reason;
    bool refusal;
  };
  for (const Row& row : {Row{403, "Forbidden", true}, Row{404, "NotFound", true},
                         Row{500, "InternalError", false}, Row{401, "Unauthorized", false}}) {
    CAPTURE(row.reason);
    ReflectorWorld world;
    world.transport.Answer(row.status, Status(row.status, row.reason));
    // What the network does meanwhile changes nothing of it.
    world.transport.Fail(TransportFailure::kUnreachable);
    world.Run();
    CHECK(world.reflector->Stats().refusal.has_value() == row.refusal);
  }
  ReflectorWorld world;
  world.transport.Answer(403, Status(403, "Forbidden"));
  world.transport.Answer(200, List({}, "10"));
  world.Run();
  CHECK_FALSE(world.reflector->Stats().refusal);
}

TEST_CASE("A watch that is refused after its list is a refusal too") {
  ReflectorWorld world;
  world.transport.Answer(200, List({}, "10"));
  world.transport.Stream({}, Refused(403, Status(403, "Forbidden")));
  world.Run();
  CHECK(world.reflector->Stats().refusal == ErrorReason::kForbidden);
  CHECK(world.reflector->HasSynced());
}

TEST_CASE("One namespace that is refused holds up neither readiness nor liveness of the others") {
  FakeClock clock;
  ScriptedTransport allowed(&clock);
  ScriptedTransport other(&clock);
  Store<std::string> store{[](const Json&) -> Result<std::string> { return std::string(); }};
  struct Row {
    const char* name;
    Scope scope;
    int status;
    const char* reason;
    bool fine;
  };
  const Row rows[] = {
      {"a namespace", {"b", ""}, 403, "Forbidden", true},
      {"everything", {}, 403, "Forbidden", false},
      {"a kind that is not served", {"b", ""}, 404, "NotFound", false},
      {"a failure", {"b", ""}, 500, "InternalError", false},
  };
  for (const Row& row : rows) {
    DYNAMIC_SECTION(row.name) {
      ReflectorSet set;
      allowed.Answer(200, List({}, "10"));
      other.Answer(row.status, Status(row.status, row.reason));
      set.Add(Ran(allowed, store.Part({"a", ""}), clock, {"a", ""}));
      auto reflector = Ran(other, store.Part(row.scope), clock, row.scope);
      clock.Advance(std::chrono::seconds(901));
      set.Add(std::move(reflector), ToleratedIn(row.scope));
      // The first is silent for too long by now, too: that is never tolerated.
      CHECK_FALSE(set.Alive());
      CHECK(set.HasSynced() == row.fine);
      CHECK(set.Refused() == (row.status < 500 ? 1 : 0));
      ReflectorSet alone;
      ScriptedTransport again(&clock);
      again.Answer(row.status, Status(row.status, row.reason));
      auto last = Ran(again, store.Part({"c", ""}), clock, row.scope);
      clock.Advance(std::chrono::seconds(901));
      alone.Add(std::move(last), ToleratedIn(row.scope));
      CHECK(alone.Alive() == row.fine);
    }
  }
}

}  // namespace
}  // namespace shm::kube
