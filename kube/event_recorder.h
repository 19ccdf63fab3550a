// Events (core/v1) about objects, for `kubectl describe`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <thread>
#include <unordered_map>

#include "core/mutex.h"
#include "kube/api.h"
#include "kube/clock.h"

namespace shm::kube {

struct ObjectReference {
  std::string api_version{};
  std::string kind{};
  ObjectKey key;
  std::string uid{};
  std::string resource_version{};  // may be empty
};

enum class EventType { kNormal, kWarning };

struct EventRecorderOptions {
  std::string component = "shm-operator";
  std::string instance{};  // the pod's name
  double per_second = 5;   // long-run writes a second
  int burst = 25;
  std::size_t queue = 1000;       // distinct events that wait; further ones are dropped, counted
  std::size_t remembered = 4096;  // events whose count is known
};

// Thread-safe. Events are told once and counted afterwards: the same object, type, reason and
// message make one Event whose name is derived from them, so that a restart goes on with it. A
// write that fails is given up: events are a courtesy.
class EventRecorder {
 public:
  // `api` and `clock` must outlive the recorder.
  EventRecorder(Api& api, EventRecorderOptions options, Clock& clock = SystemClock());
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  // Writes on a thread of its own from now on.
  void Start();

  // What waits is dropped.
  void Stop();

  // Never blocks on the network. Messages above 1024 bytes are cut.
  void Record(const ObjectReference& object, EventType type, const std::string& reason,
              const std::string& message) SHM_EXCLUDES(mutex_);

  // Writes one event if one waits and the rate allows it; what the thread does. True if it wrote.
  bool WriteOne() SHM_EXCLUDES(mutex_);

  std::uint64_t Dropped() const SHM_EXCLUDES(mutex_);

 private:
  struct Pending {
    ObjectReference object;
    EventType type = EventType::kNormal;
    std::string reason;
    std::string message;
    std::int64_t count = 0;  // since the last write
    std::chrono::system_clock::time_point first;
    std::chrono::system_clock::time_point last;
  };
  struct Known {
    std::int64_t count = 0;  // as written
    std::list<std::string>::iterator age;
  };

  void Run(const std::stop_token& stop);
  bool TakeToken() SHM_REQUIRES(mutex_);
  void Write(const std::string& id, const Pending& pending) SHM_EXCLUDES(mutex_);
  void Remember(const std::string& id, std::int64_t count) SHM_EXCLUDES(mutex_);
  nlohmann::json EventObject(const std::string& name, const Pending& pending) const;

  Api& api_;
  const EventRecorderOptions options_;
  Clock& clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> order_ SHM_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Pending> pending_ SHM_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Known> known_ SHM_GUARDED_BY(mutex_);
  std::list<std::string> ages_ SHM_GUARDED_BY(mutex_);  // most recent first
  double tokens_ SHM_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point refilled_ SHM_GUARDED_BY(mutex_);
  std::uint64_t dropped_ SHM_GUARDED_BY(mutex_) = 0;
  bool stopping_ SHM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace shm::kube
