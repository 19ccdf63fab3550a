// One request in flight, between the library's pool thread and the thread that waits for it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/mutex.h"
#include "kube/transport.h"

namespace shm::kube {

// Held by both sides through a shared_ptr, since the waiting side leaves at its deadline whatever
// the library does. Thread-safe.
class Exchange {
 public:
  // Frees the chunk's memory to be overwritten.
  using Release = std::function<void()>;

  // The library's side. None of these block.
  void OnHeaders(int status, std::optional<std::chrono::seconds> retry_after);
  // `chunk` stays valid until `release` is called, which is once. One chunk at a time: the library
  // reads no further before (back-pressure).
  void OnChunk(std::string_view chunk, Release release);
  void OnDone(TransportFailure failure, const std::string& message);
  // What comes makes no sense; the library has not noticed, so that it must be cancelled.
  void OnBroken(const std::string& message);

  // The waiting side.
  struct Head {
    int status = 0;
    std::optional<std::chrono::seconds> retry_after;
  };
  // Decides about each chunk; false ends the exchange.
  using ChunkConsumer = std::function<bool(const Head& head, std::string_view chunk)>;
  struct Outcome {
    TransportFailure failure = TransportFailure::kNone;
    std::string message;
    Head head;
    bool ended_by_consumer = false;
    bool done = false;  // the library is finished with the request; else: cancel, then Abandon
  };
  // Blocks until the body is complete, the consumer, `stop` or the deadline ends it: `timeout`
  // after `began`, read anew after each chunk. What the consumer refused stays with the library
  // until Abandon.
  Outcome Wait(std::chrono::steady_clock::time_point began,
               const std::chrono::milliseconds& timeout, const std::stop_token& stop,
               const ChunkConsumer& consumer) SHM_EXCLUDES(mutex_);

  // After the cancel: lets go of the chunk that still waits, and of all that come.
  void Abandon() SHM_EXCLUDES(mutex_);

  // After that: gives the library until `deadline` to be finished.
  void WaitDone(std::chrono::steady_clock::time_point deadline) SHM_EXCLUDES(mutex_);

 private:
  enum class Wake { kChunk, kDone, kBroken, kStop, kDeadline };

  Wake WaitForWork(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop)
      SHM_REQUIRES(mutex_);
  bool Consume(const ChunkConsumer& consumer) SHM_EXCLUDES(mutex_);
  void Judge(Wake why, Outcome& outcome) SHM_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  std::optional<Head> head_ SHM_GUARDED_BY(mutex_);
  std::string_view chunk_ SHM_GUARDED_BY(mutex_);
  Release release_ SHM_GUARDED_BY(mutex_);  // set: there is a chunk
  bool abandoned_ SHM_GUARDED_BY(mutex_) = false;
  bool broken_ SHM_GUARDED_BY(mutex_) = false;
  bool done_ SHM_GUARDED_BY(mutex_) = false;
  TransportFailure failure_ SHM_GUARDED_BY(mutex_) = TransportFailure::kNone;
  std::string message_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::kube
