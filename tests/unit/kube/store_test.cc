#include "kube/store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

Json Object(const std::string& version) {
  return {{"metadata", {{"uid", "u"}, {"resourceVersion", version}}}};
}

// Keeps the version; refuses "bad".
struct World {
  Store<std::string> store{[](const Json& object) -> Result<std::string> {
    const std::string version = object["metadata"]["resourceVersion"];
    if (version == "bad") return Error{"", "bad"};
    return version;
  }};
};

TEST_CASE("A store is not synced before its first list ends") {
  World world;
  world.store.BeginList();
  world.store.Upsert({"ns", "a"}, Object("1"));
  CHECK_FALSE(world.store.HasSynced());
  CHECK_FALSE(world.store.WaitForSync(0ms));
  CHECK(world.store.Get("ns", "a") == nullptr);
  world.store.EndList();
  CHECK(*world.store.Get("ns", "a") == "1");
  CHECK(world.store.WaitForSync(0ms));
}

TEST_CASE("A namespace's snapshot is sorted, shared until a change there, and kept by its holder") {
  World world;
  for (const char* name : {"b", "a"}) world.store.Upsert({"ns", name}, Object(name));
  world.store.Upsert({"other", "x"}, Object("x"));
  const auto before = world.store.List("ns");
  REQUIRE(before->size() == 2);
  CHECK(*(*before)[0] == "a");
  world.store.Upsert({"other", "x"}, Object("y"));
  CHECK(world.store.List("ns") == before);
  world.store.Remove({"ns", "a"});
  CHECK(world.store.List("ns")->size() == 1);
  CHECK(*(*before)[0] == "a");
  CHECK(world.store.List("nowhere")->empty());
  CHECK(world.store.All().size() == 2);
}

TEST_CASE("An unchanged version is no change, but the object counts as seen") {
  World world;
  int changes = 0;
  world.store.AddListener([&changes](const auto&, const auto&, const auto&) { ++changes; });
  world.store.BeginList();
  world.store.Upsert({"ns", "a"}, Object("1"));
  world.store.EndList();
  world.store.BeginList();
  world.store.Upsert({"ns", "a"}, Object("1"));
  world.store.EndList();
  CHECK(changes == 1);
  CHECK(world.store.Size() == 1);
}

TEST_CASE("A list becomes visible as a whole, and one that begins anew was never there") {
  World world;
  std::vector<std::string> changes;
  world.store.AddListener([&](const ObjectKey& key, const auto& before, const auto& after) {
    // Whoever is told of the first change sees all of them.
    changes.push_back((before ? (after ? "~" : "-") : "+") + key.name + "=" +
                      std::to_string(world.store.Size()));
  });
  world.store.BeginList();
  for (const char* name : {"a", "b"}) world.store.Upsert({"ns", name}, Object("1"));
  world.store.EndList();
  changes.clear();
  world.store.BeginList();
  world.store.Upsert({"ns", "x"}, Object("1"));
  world.store.BeginList();
  world.store.Upsert({"ns", "a"}, Object("2"));
  world.store.Upsert({"ns", "c"}, Object("3"));
  world.store.Upsert({"ns", "d"}, Object("4"));
  world.store.Upsert({"ns", "d"}, Object("5"));  // twice
  world.store.Upsert({"ns", "e"}, Object("6"));
  world.store.Remove({"ns", "e"});  // and gone before the list ended
  world.store.Remove({"ns", "never"});
  CHECK(changes.empty());
  CHECK(*world.store.Get("ns", "a") == "1");
  CHECK(world.store.Get("ns", "b") != nullptr);
  world.store.EndList();
  CHECK(changes == std::vector<std::string>{"~a=3", "+c=3", "+d=3", "-b=3"});
  CHECK(*world.store.Get("ns", "d") == "5");
  CHECK(world.store.Get("ns", "x") == nullptr);
}

TEST_CASE("A successor of the same name is a change even at the same version") {
  World world;
  int changes = 0;
  world.store.AddListener([&changes](const auto&, const auto&, const auto&) { ++changes; });
  world.store.Upsert({"ns", "a"}, Object("1"));
  Json successor = Object("1");
  successor["metadata"]["uid"] = "v";
  world.store.Upsert({"ns", "a"}, successor);
  CHECK(changes == 2);
}

TEST_CASE("Waiting for an object ends when it appears, or at the deadline") {
  World world;
  CHECK(world.store.WaitFor("ns", "a", 1ms) == nullptr);
  std::thread writer([&world] { world.store.Upsert({"ns", "a"}, Object("1")); });
  const auto found = world.store.WaitFor("ns", "a", 60s);
  writer.join();
  REQUIRE(found != nullptr);
  CHECK(*found == "1");
}

TEST_CASE("An object that is refused is not counted and not listed") {
  World world;
  world.store.Upsert({"ns", "a"}, Object("1"));
  world.store.Upsert({"ns", "a"}, Object("bad"));
  CHECK(world.store.Size() == 0);
  CHECK(world.store.List("ns")->empty());
  CHECK(world.store.All().empty());
  world.store.Upsert({"ns", "a"}, Object("2"));
  CHECK(world.store.Size() == 1);
  world.store.Remove({"ns", "a"});
  world.store.Remove({"ns", "a"});
  CHECK(world.store.Size() == 0);
}

void ListInto(ObjectSink& sink, const std::vector<ObjectKey>& keys, const std::string& version) {
  sink.BeginList();
  for (const ObjectKey& key : keys) sink.Upsert(key, Object(version));
  sink.EndList();
}

TEST_CASE("W2: a list of one namespace deletes nothing of another") {
  World world;
  std::vector<std::string> changes;
  world.store.AddListener([&changes](const ObjectKey& key, const auto& before, const auto& after) {
    changes.push_back((before ? (after ? "~" : "-") : "+") + key.ToString());
  });
  ObjectSink& a = world.store.Part({"a", ""});
  ObjectSink& b = world.store.Part({"b", ""});
  ListInto(a, {{"a", "x"}, {"a", "y"}}, "1");
  ListInto(b, {{"b", "x"}, {"b", "y"}}, "1");
  changes.clear();
  SECTION("not even an empty one") {
    ListInto(a, {}, "2");
    CHECK(changes == std::vector<std::string>{"-a/x", "-a/y"});
    CHECK(world.store.List("b")->size() == 2);
  }
  SECTION("nor one that is read while the other's is") {
    a.BeginList();
    b.BeginList();
    a.Upsert({"a", "y"}, Object("2"));
    b.Upsert({"b", "x"}, Object("1"));
    b.Remove({"b", "x"});
    a.EndList();
    CHECK(changes == std::vector<std::string>{"~a/y", "-a/x"});
    b.EndList();
    CHECK(world.store.List("b")->empty());
    CHECK(world.store.Size() == 1);
  }
  SECTION("and what it shows of another is not taken") {
    ListInto(a, {{"a", "x"}, {"a", "y"}, {"b", "z"}}, "1");
    a.Remove({"b", "x"});
    a.Upsert({"b", "x"}, Object("9"));
    CHECK(changes.empty());
    CHECK(*world.store.Get("b", "x") == "1");
  }
}

TEST_CASE("A part of one name deletes no object of another name") {
  World world;
  ObjectSink& a = world.store.Part({"", "a"});
  ObjectSink& b = world.store.Part({"", "b"});
  ListInto(a, {{"", "a"}}, "1");
  ListInto(b, {{"", "b"}}, "1");
  ListInto(a, {}, "2");
  CHECK(world.store.Get("", "a") == nullptr);
  CHECK(world.store.Get("", "b") != nullptr);
}

TEST_CASE("A store of parts is synced when each has listed, and knows which have") {
  World world;
  ObjectSink& a = world.store.Part({"a", ""});
  ObjectSink& b = world.store.Part({"b", ""});
  ListInto(a, {}, "1");
  ListInto(a, {}, "2");  // twice is not two parts
  CHECK_FALSE(world.store.HasSynced());
  CHECK(world.store.HasSynced({"a", ""}));
  CHECK(world.store.HasSynced({"a", "x"}));
  CHECK_FALSE(world.store.HasSynced({"b", ""}));
  ListInto(b, {}, "1");
  CHECK(world.store.HasSynced());
  CHECK_FALSE(world.store.HasSynced({"c", ""}));
  CHECK(world.store.Follows({"a", "x"}));
  CHECK_FALSE(world.store.Follows({"c", "x"}));
}

TEST_CASE("A store without parts, or with one of everything, follows everything") {
  World world;
  CHECK(world.store.Follows({"c", "x"}));
  CHECK_FALSE(world.store.HasSynced({"c", "x"}));
  ListInto(world.store, {}, "1");
  CHECK(world.store.HasSynced({"c", "x"}));
  World parted;
  ObjectSink& all = parted.store.Part({});
  CHECK(parted.store.Follows({"c", "x"}));
  ListInto(all, {}, "1");
  CHECK(parted.store.HasSynced());
  CHECK(parted.store.HasSynced({"", "x"}));
}

TEST_CASE("Parts are written from threads of their own") {
  World world;
  std::atomic<int> changes{0};
  world.store.AddListener([&changes](const auto&, const auto&, const auto&) { ++changes; });
  std::vector<std::thread> writers;
  for (const char* space : {"a", "b", "c"}) {
    ObjectSink& part = world.store.Part({space, ""});
    writers.emplace_back([&part, space] {
      for (int i = 0; i < 100; ++i) ListInto(part, {{space, "x"}}, std::to_string(i));
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(changes == 300);
  CHECK(world.store.HasSynced());
  for (const char* space : {"a", "b", "c"}) CHECK(*world.store.Get(space, "x") == "99");
}

}  // namespace
}  // namespace shm::kube
