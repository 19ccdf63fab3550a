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

#include "core/mutex.h"
#include "core/watch_state.h"
#include "kube/api_error.h"
#include "kube/clock.h"
#include "kube/object_sink.h"
#include "kube/reflector_types.h"
#include "kube/transport.h"

namespace shm::kube {

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

  // Ends the watch and joins the thread; promptly. RequestStop only begins with that, so that many
  // can end at once.
  void RequestStop();
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
