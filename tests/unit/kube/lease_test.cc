#include "kube/lease.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/kube/fake_api.h"
#include "tests/unit/kube/fakes.h"

namespace shm::kube {
namespace {

using testing::FakeApi;
using testing::FakeClock;
using Json = nlohmann::json;

const ObjectKey kLease{"shm-system", "shm-operator"};

// One candidate on a clock whose every sleep may change the world.
struct World {
  FakeApi api;
  FakeClock clock;
  std::vector<std::string> log;
  std::stop_source stop;
  ElectorOptions options{kLease, "me", {}, {}};
  std::function<void(int sleep)> at_sleep;  // counted from 1
  int sleeps = 0;

  Json Spec() const {
    const auto lease = api.Peek(Leases(), kLease);
    return lease ? (*lease)["spec"] : Json::object();
  }
  std::string Holder() const { return Spec().value("holderIdentity", "-"); }

  void Hold(const std::string& holder) {
    static_cast<void>(api.Apply(
        Leases(), kLease,
        {{"spec",
          {{"holderIdentity", holder}, {"leaseDurationSeconds", 15}, {"leaseTransitions", 4}}}},
        {}));
  }

  void Run(int until_sleep) {
    clock.on_sleep = [this, until_sleep] {
      if (at_sleep)
        at_sleep(++sleeps);
      else
        ++sleeps;
      if (sleeps >= until_sleep) stop.request_stop();
    };
    ElectorCallbacks callbacks;
    callbacks.on_started = [this] { log.push_back("start"); };
    callbacks.on_stopped = [this] { log.push_back("stop, held by " + Holder()); };
    callbacks.on_error = [this](const ApiError& error) {
      log.push_back(std::string(ErrorReasonName(error.reason)));
    };
    Elector elector(api, options, callbacks, clock);
    elector.Run(stop.get_token());
    CHECK_FALSE(elector.IsLeader());
  }
};

TEST_CASE("Without a lease a candidate creates it, leads, and renews by one write each time") {
  World world;
  world.options.owner = OwnerReference{"apps/v1", "Deployment", "shm-operator", "uid-1"};
  world.Run(4);
  CHECK(world.log == std::vector<std::string>{"start", "stop, held by me"});
  const std::string path = ObjectPath(Leases(), kLease);
  CHECK(world.api.Calls() == std::vector<std::string>{"get " + path, "create " + path,
                                                      "update " + path, "update " + path,
                                                      "update " + path, "update " + path});
  const auto lease = world.api.Peek(Leases(), kLease);
  CHECK((*lease)["metadata"]["ownerReferences"][0]["uid"] == "uid-1");
}

TEST_CASE("W7: the lease is released only after the work has stopped") {
  World world;
  world.Run(2);
  CHECK(world.log.back() == "stop, held by me");
  CHECK(world.Holder().empty());
  CHECK(world.Spec()["leaseDurationSeconds"] == 1);
}

TEST_CASE("W6: a lease that does not change is taken after its duration, one that does is not") {
  for (const bool alive : {true, false}) {
    World world;
    world.Hold("other");
    std::int64_t began = MonotonicMs(world.clock);
    std::int64_t led = 0;
    world.at_sleep = [&](int) {
      if (alive) world.Hold("other");
      if (led == 0 && world.Holder() == "me") led = MonotonicMs(world.clock) - began;
    };
    world.Run(12);
    INFO((alive ? "alive" : "dead"));
    CHECK((led > 0) == !alive);
    if (!alive) {
      CHECK(led >= 15'000);
      CHECK(led <= 15'000 + 2 * 4400);
      CHECK(world.Spec()["leaseTransitions"] == 5);
    }
  }
}

TEST_CASE("W6: a jump of the machine's date neither takes a lease nor loses one") {
  for (const std::chrono::seconds jump : {std::chrono::hours{24}, -std::chrono::hours{24}}) {
    World standby;
    standby.Hold("other");
    standby.at_sleep = [&](int sleep) {
      standby.clock.JumpWall(sleep % 2 == 0 ? jump : -jump);
      standby.Hold("other");
    };
    standby.Run(12);
    CHECK(standby.log.empty());
    CHECK(standby.api.Calls().size() ==
          1 + 12 + 12);  // a look each time; `other` renews by the test

    World leader;
    leader.at_sleep = [&](int) { leader.clock.JumpWall(jump); };
    leader.Run(6);
    CHECK(leader.log == std::vector<std::string>{"start", "stop, held by me"});
    CHECK(leader.api.Calls().size() == 1 + 6 + 1);  // a look, six writes, the release
  }
}

TEST_CASE("A leader that cannot renew stops at its deadline, before others may take over") {
  World world;
  std::int64_t stopped = 0;
  std::int64_t renewed = 0;
  world.at_sleep = [&](int sleep) {
    if (sleep == 1) renewed = MonotonicMs(world.clock) - 2000;
    world.api.FailNext(ErrorReason::kUnreachable);
    world.api.FailNext(ErrorReason::kUnreachable);
    if (stopped == 0 && world.log.back().find("stop") == 0) stopped = MonotonicMs(world.clock);
  };
  world.Run(10);
  REQUIRE(stopped > 0);
  CHECK(stopped - renewed >= 10'000);
  CHECK(stopped - renewed <= 10'000 + 4400);
}

TEST_CASE("A leader whose lease another has taken stops at once and does not release it") {
  World world;
  world.at_sleep = [&](int sleep) {
    if (sleep == 2) world.Hold("other");
  };
  world.Run(4);
  CHECK(world.log == std::vector<std::string>{"start", "Conflict", "stop, held by other"});
  CHECK(world.Holder() == "other");
}

TEST_CASE("A renewal whose answer was lost is read back and kept") {
  World world;
  world.at_sleep = [&](int sleep) {
    if (sleep == 1) world.api.FailNext(ErrorReason::kTimeout, /*after=*/true);
  };
  world.Run(4);
  CHECK(world.log == std::vector<std::string>{"start", "Timeout", "stop, held by me"});
}

TEST_CASE("A lease deleted under its leader is created again only after the work has stopped") {
  World world;
  world.at_sleep = [&](int sleep) {
    if (sleep == 1) static_cast<void>(world.api.Delete(Leases(), kLease, {}));
  };
  world.Run(4);
  CHECK(world.log == std::vector<std::string>{"start", "NotFound", "stop, held by -", "start",
                                              "stop, held by me"});
}

TEST_CASE("Of two candidates that create at once one loses and stands by") {
  World world;
  world.Hold("other");
  world.api.FailNext(ErrorReason::kNotFound);  // it was read before the other created it
  world.Run(3);
  CHECK(world.log.empty());
  CHECK(world.Holder() == "other");
}

}  // namespace
}  // namespace shm::kube
