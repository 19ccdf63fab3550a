#include "kube/work_queue.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/kube/fakes.h"

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using testing::FakeClock;

ObjectKey Key(const std::string& name) { return {"ns", name}; }

std::string Next(WorkQueue& queue) {
  const auto key = queue.TryGet();
  return key ? key->name : "";
}

TEST_CASE("Keys come in the order in which they were added, each once") {
  FakeClock clock;
  WorkQueue queue(clock);
  for (const char* name : {"a", "b", "a", "c", "b"}) queue.Add(Key(name));
  CHECK(queue.Ready() == 3);
  CHECK(Next(queue) == "a");
  CHECK(Next(queue) == "b");
  CHECK(Next(queue) == "c");
  CHECK(Next(queue).empty());
}

TEST_CASE("A key in work that is added again comes back after it is done, once") {
  FakeClock clock;
  WorkQueue queue(clock);
  queue.Add(Key("a"));
  CHECK(Next(queue) == "a");
  queue.Add(Key("a"));
  queue.Add(Key("a"));
  CHECK(Next(queue).empty());
  queue.Done(Key("a"));
  CHECK(Next(queue) == "a");
  queue.Done(Key("a"));
  CHECK(Next(queue).empty());
  CHECK(queue.InWork() == 0);
}

TEST_CASE("A hot key queues behind those that wait") {
  FakeClock clock;
  WorkQueue queue(clock);
  queue.Add(Key("hot"));
  queue.Add(Key("a"));
  queue.Add(Key("b"));
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    order.push_back(Next(queue));
    if (order.back() == "hot") queue.Add(Key("hot"));
    queue.Done(Key(order.back()));
  }
  CHECK(order == std::vector<std::string>{"hot", "a", "b", "hot"});
}

TEST_CASE("A delayed key is ready at its time, and the earlier of two times counts") {
  FakeClock clock;
  WorkQueue queue(clock);
  queue.AddAfter(Key("a"), 10s);
  queue.AddAfter(Key("a"), 5s);
  queue.AddAfter(Key("a"), 20s);
  CHECK(queue.Delayed() == 1);
  clock.Advance(4999ms);
  CHECK(Next(queue).empty());
  clock.Advance(1ms);
  CHECK(Next(queue) == "a");
  clock.Advance(60s);
  CHECK(Next(queue).empty());
}

TEST_CASE("Retries of a key wait longer each until it is forgotten, and others do not") {
  FakeClock clock;
  WorkQueue queue(clock, nullptr, {.base_ms = 10, .max_ms = 100, .factor = 2.0, .jitter = 0.0});
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 6; ++i) delays.push_back(queue.AddRateLimited(Key("a")).count());
  CHECK(delays == std::vector<std::int64_t>{10, 20, 40, 80, 100, 100});
  CHECK(queue.Retries(Key("a")) == 6);
  CHECK(queue.AddRateLimited(Key("b")).count() == 10);
  queue.Forget(Key("a"));
  CHECK(queue.AddRateLimited(Key("a")).count() == 10);
}

TEST_CASE("A retry asked for while the key is in work waits for its delay and for Done") {
  FakeClock clock;
  WorkQueue queue(clock, nullptr, {.base_ms = 10, .max_ms = 100, .factor = 2.0, .jitter = 0.0});
  queue.Add(Key("a"));
  CHECK(Next(queue) == "a");
  queue.AddRateLimited(Key("a"));
  clock.Advance(10ms);
  CHECK(Next(queue).empty());
  queue.Done(Key("a"));
  CHECK(Next(queue) == "a");
}

TEST_CASE("After ShutDown nothing comes, whatever waits") {
  FakeClock clock;
  WorkQueue queue(clock);
  queue.Add(Key("a"));
  queue.ShutDown();
  queue.Add(Key("b"));
  queue.AddAfter(Key("c"), 1ms);
  clock.Advance(1s);
  CHECK_FALSE(queue.TryGet().has_value());
  CHECK_FALSE(queue.Get().has_value());
}

struct Log : QueueObserver {
  void Added() override { ++added; }
  void Retried() override { ++retried; }
  void Started(std::chrono::duration<double> seconds) override { waited += seconds.count(); }
  void Finished(std::chrono::duration<double> seconds) override { worked += seconds.count(); }
  int added = 0, retried = 0;
  double waited = 0, worked = 0;
};

TEST_CASE("An observer is told how long keys waited and were worked on") {
  Log log;
  FakeClock clock;
  WorkQueue queue(clock, &log);
  queue.Add(Key("a"));
  queue.Add(Key("a"));
  clock.Advance(2s);
  CHECK(Next(queue) == "a");
  clock.Advance(3s);
  CHECK(queue.LongestRunning().count() == Approx(3.0));
  queue.Done(Key("a"));
  queue.AddRateLimited(Key("a"));
  CHECK(log.added == 1);
  CHECK(log.retried == 1);
  CHECK(log.waited == Approx(2.0));
  CHECK(log.worked == Approx(3.0));
}

TEST_CASE("Keys are counted as client-go counts them") {
  Log log;
  FakeClock clock;
  WorkQueue queue(clock, &log, {.base_ms = 10, .max_ms = 100, .factor = 2.0, .jitter = 0.0});
  queue.Add(Key("a"));
  queue.Add(Key("b"));
  CHECK(queue.Depth() == 2);
  CHECK(Next(queue) == "a");
  CHECK(Next(queue) == "b");
  CHECK(queue.Depth() == 0);
  clock.Advance(1s);
  queue.Add(Key("a"));  // while it is in work: it waits from now on, not from Done
  CHECK(queue.Depth() == 1);
  CHECK(queue.Ready() == 0);
  CHECK(queue.UnfinishedWork().count() == Approx(2.0));
  clock.Advance(2s);
  queue.Done(Key("a"));
  CHECK(Next(queue) == "a");
  CHECK(log.waited == Approx(2.0));
  CHECK(log.added == 3);
  queue.AddRateLimited(Key("c"));  // a retry now, an addition when it is due
  CHECK(log.retried == 1);
  CHECK(log.added == 3);
  clock.Advance(10ms);
  CHECK(Next(queue) == "c");
  CHECK(log.added == 4);
  CHECK(log.worked == Approx(3.0));
}

TEST_CASE("A jump of the machine's date changes nothing about delays and durations") {
  for (const std::chrono::seconds jump : {-24h * 365, 24h * 365}) {
    Log log;
    FakeClock clock;
    WorkQueue queue(clock, &log);
    queue.Add(Key("a"));
    queue.AddAfter(Key("b"), 10s);
    clock.JumpWall(jump);
    clock.Advance(9999ms);
    CHECK(Next(queue) == "a");
    CHECK(Next(queue).empty());
    clock.JumpWall(-2 * jump);
    CHECK(queue.LongestRunning().count() == Approx(0.0));
    clock.Advance(1ms);
    CHECK(Next(queue) == "b");
    queue.Done(Key("a"));
    CHECK(log.waited == Approx(9.999));
    CHECK(log.worked == Approx(0.001));
  }
}

TEST_CASE("Four workers never work on one key at a time, and lose none") {
  WorkQueue queue;
  constexpr int kKeys = 50;
  std::vector<std::atomic<int>> busy(kKeys);
  std::vector<std::atomic<int>> last(kKeys);
  std::vector<std::atomic<int>> wanted(kKeys);
  std::atomic<bool> overlapped{false};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (const auto key = queue.Get()) {
        const auto at = static_cast<std::size_t>(std::stoi(key->name));
        if (busy[at].fetch_add(1) != 0) overlapped = true;
        last[at] = wanted[at].load();
        busy[at].fetch_sub(1);
        queue.Done(*key);
      }
    });
  }
  for (int round = 1; round <= 200; ++round) {
    for (int key = 0; key < kKeys; ++key) {
      wanted[static_cast<std::size_t>(key)] = round;
      queue.Add(Key(std::to_string(key)));
    }
  }
  while (queue.Ready() + queue.InWork() != 0) std::this_thread::yield();
  queue.ShutDown();
  for (std::thread& worker : workers) worker.join();
  CHECK_FALSE(overlapped);
  for (int key = 0; key < kKeys; ++key) CHECK(last[static_cast<std::size_t>(key)] == 200);
}

}  // namespace
}  // namespace shm::kube
