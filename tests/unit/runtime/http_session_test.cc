// Who may come where all places of a listener are taken. Without sockets: sessions do what they are
// told to.
#include "runtime/http_session.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <vector>

namespace shm::runtime::internal {
namespace {

using std::chrono::milliseconds;

class FakeSession final : public Session {
 public:
  explicit FakeSession(Hub& hub) : hub_(hub) {}
  ~FakeSession() override { hub_.Remove(this); }

  void Start() override {}
  const Request& request() const override { return request_; }
  void Respond(Response) override {}
  void EnforceDeadline() override {}
  void LeaveWhenIdle() override {}
  // As a connection does: one that is handled by now stays.
  void Evict() override {
    if (handled_meanwhile) return UnmarkEvicting();
    evicted = true;
  }
  void Abort() override {}

  void Change(Phase phase) { Enter(phase, std::chrono::minutes(1)); }
  void BeServed() {
    MarkHeard();
    CountServed();
    Change(Phase::kWaiting);
  }

  bool handled_meanwhile = false;
  bool evicted = false;

 private:
  Hub& hub_;
  Request request_;
};

struct World {
  World(std::size_t places, milliseconds grace) {
    hub.options.limits.connections = places;
    hub.options.limits.grace = grace;
  }

  FakeSession& Add(std::uint64_t network) {
    sessions.push_back(std::make_shared<FakeSession>(hub));
    hub.Add(sessions.back(), network);
    sessions.back()->Change(Phase::kHandshake);
    return *sessions.back();
  }
  void DropEvicted() {
    std::erase_if(sessions, [](const auto& session) { return session->evicted; });
  }

  Hub hub;
  std::vector<std::shared_ptr<FakeSession>> sessions;
};

constexpr std::size_t kPlaces = 16;
constexpr milliseconds kGrace{100};

TEST_CASE("Whoever keeps all of its connections busy keeps nobody out") {
  World world(kPlaces, kGrace);
  for (std::size_t i = 0; i < kPlaces; ++i) world.Add(1).BeServed();
  const Clock::time_point now = Clock::now();  // each changed just now
  CHECK(world.hub.HasRoom(now));
  CHECK(world.hub.MakeRoom(now));
}

TEST_CASE("One that was not served yet is left in peace for a moment") {
  World world(kPlaces, kGrace);
  for (std::size_t i = 0; i < kPlaces; ++i) world.Add(1);
  CHECK_FALSE(world.hub.HasRoom(Clock::now()));
  CHECK(world.hub.HasRoom(Clock::now() + kGrace));
}

TEST_CASE("Connections that begin to be handled as they are told to go lock nobody out") {
  World world(kPlaces, kGrace);
  for (std::size_t i = 0; i < kPlaces; ++i) world.Add(1).BeServed();
  for (std::size_t more = 0; more < kPlaces; ++more) {
    for (const auto& session : world.sessions) session->handled_meanwhile = true;
    world.Add(1).BeServed();
  }
  for (const auto& session : world.sessions) session->handled_meanwhile = false;

  const Clock::time_point later = Clock::now() + std::chrono::seconds(10);
  REQUIRE(world.hub.HasRoom(later));
  REQUIRE(world.hub.MakeRoom(later));
  world.DropEvicted();
  CHECK(world.sessions.size() == kPlaces - 1);  // and one place for who comes
}

}  // namespace
}  // namespace shm::runtime::internal
