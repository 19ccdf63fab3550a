// Keeps an ObjectSink equal to what an API server holds, by list and watch.
//
// The list comes as the beginning of the watch where the server can stream it (KEP-3157): object by
// object, without a page's text in memory here or there. A server that cannot is asked for pages,
// and not for a stream again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <thread>

#include "core/backoff.h"
#include "core/watch_state.h"
#include "kube/api_error.h"
#include "kube/clock.h"
#include "kube/mutex.h"
#include "kube/object_sink.h"
#include "kube/resource.h"
#include "kube/transport.h"

namespace shm::kube {

struct ReflectorOptions {
  ResourceType type;
  std::string namespace_name{};  // empty: all
  std::string label_selector{};
  std::string field_selector{};
  int page_size = 500;
  // What the server is asked to end a watch after; each watch gets 1 to 2 times this, so that those
  // of many clients do not end together. Five seconds later the connection is taken for dead (W3).
  std::chrono::seconds watch_timeout{290};
  std::chrono::milliseconds list_timeout{60'000};     // of one page
  std::chrono::milliseconds stream_timeout{120'000};  // of a streamed list, to its end mark
  bool stream_lists = true;                           // false: pages only
  Backoff backoff;
};

// What happened, for metrics and the log.
struct ReflectorEvent {
  enum class Kind {
    kListed,         // a list was completed: `objects`, `streamed`
    kListFailed,     // error; also of a streamed list, before its end mark
    kStreamRefused,  // error; lists come in pages from now on
    kWatchStarted,
    kWatchEnded,   // in order
    kWatchFailed,  // error; also a broken connection and our deadline
    kGarbage,      // a line that is not a watch event; the watch is begun again
  };
  Kind kind = Kind::kListed;
  std::size_t objects = 0;
  ApiError error;
  bool streamed = false;
};

struct ReflectorStats {
  std::uint64_t lists = 0;           // completed
  std::uint64_t streamed_lists = 0;  // of these
  std::uint64_t stream_refusals = 0;
  std::uint64_t list_failures = 0;
  std::uint64_t watches = 0;  // begun
  std::uint64_t watch_failures = 0;
  std::uint64_t events = 0;  // objects and bookmarks of watches
  std::uint64_t garbage = 0;
  WatchPhase phase = WatchPhase::kEmpty;
  int failures = 0;  // in a row
  bool synced = false;
  std::chrono::steady_clock::time_point progress;  // when the server last answered well
};

// Start and Stop once each (the destructor stops), from one thread; the rest is thread-safe.
class Reflector {
 public:
  // `transport`, `sink` and `clock` must outlive the reflector. `on_event` runs on its thread.
  Reflector(Transport& transport, ObjectSink& sink, ReflectorOptions options,
            std::function<void(const ReflectorEvent&)> on_event = {}, Clock& clock = SystemClock());
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void Start();

  // Ends the watch and joins the thread; promptly.
  void Stop();

  // Runs on the calling thread until `stop` is requested: what Start does on a thread of its own.
  void Run(const std::stop_token& stop);

  bool HasSynced() const { return Stats().synced; }
  ReflectorStats Stats() const SHM_EXCLUDES(mutex_);

  // For liveness (trap W4): an answer, an event, a bookmark or the orderly end of a watch came
  // within `limit`. A healthy watch is silent for up to 2 × watch_timeout; the default allows that
  // and one dead connection.
  bool Alive(std::chrono::seconds limit = std::chrono::seconds{900}) const;

 private:
  WatchEvent Do(const WatchAction& action, const std::stop_token& stop);
  WatchEvent ListPage(const WatchAction& action, const std::stop_token& stop);
  WatchEvent Watch(const WatchAction& action, const std::stop_token& stop);
  bool OnLine(std::string_view line, WatchEvent& outcome);
  void Upsert(const nlohmann::json& object, bool added);
  void Advance(const WatchEvent& event);
  WatchEvent Garbage(const ApiError& error);
  void EndList(bool streamed);
  void BeginList();
  WatchEvent StreamFailed(WatchEvent outcome, const ApiError& error);
  bool InList() const { return state_.phase == WatchPhase::kStreaming; }
  void Observe(const WatchState& state) SHM_EXCLUDES(mutex_);
  void Progress() SHM_EXCLUDES(mutex_);
  void Report(ReflectorEvent event) SHM_EXCLUDES(mutex_);
  std::string ListPath(const WatchAction& action) const;
  std::string WatchPath(const WatchAction& action, std::chrono::seconds timeout) const;
  double Random();

  Transport& transport_;
  ObjectSink& sink_;
  const ReflectorOptions options_;
  const std::function<void(const ReflectorEvent&)> on_event_;
  Clock& clock_;
  std::uint64_t random_state_;  // of the reflector's thread
  WatchState state_;            // of the reflector's thread
  std::size_t listed_ = 0;      // of the reflector's thread: objects of the present list
  std::chrono::milliseconds stream_limit_{0};  // of the reflector's thread: the present stream's
  std::chrono::milliseconds watch_limit_{0};   // and what it becomes after the end mark
  mutable Mutex mutex_;
  ReflectorStats stats_ SHM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace shm::kube
