#include "kube/exchange.h"

#include <utility>

namespace shm::kube {

void Exchange::OnHeaders(int status, std::optional<std::chrono::seconds> retry_after) {
  MutexLock lock(mutex_);
  head_ = Head{status, retry_after};
  changed_.NotifyAll();
}

void Exchange::OnChunk(std::string_view chunk, Release release) {
  {
    MutexLock lock(mutex_);
    if (!abandoned_) {
      chunk_ = chunk;
      release_ = std::move(release);
      changed_.NotifyAll();
      return;
    }
  }
  release(false);
}

void Exchange::OnDone(TransportFailure failure, const std::string& message) {
  MutexLock lock(mutex_);
  if (done_) return;
  done_ = true;
  failure_ = failure;
  message_ = message;
  changed_.NotifyAll();
}

Exchange::Wake Exchange::WaitForWork(std::chrono::steady_clock::time_point deadline,
                                     const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) return Wake::kStop;
    // A chunk may be here before the pool has told the headers; it waits for them.
    if (release_ && head_) return Wake::kChunk;
    if (done_) return Wake::kDone;
    if (std::chrono::steady_clock::now() >= deadline) return Wake::kDeadline;
    changed_.WaitUntil(mutex_, deadline);
  }
}

bool Exchange::Consume(const ChunkConsumer& consumer) {
  Head head;
  std::string_view chunk;
  Release release;
  {
    MutexLock lock(mutex_);
    head = *head_;
    chunk = chunk_;
    release = std::exchange(release_, nullptr);
  }
  const bool wanted = consumer(head, chunk);
  release(wanted);
  return wanted;
}

Exchange::Outcome Exchange::Wait(std::chrono::steady_clock::time_point deadline,
                                 const std::stop_token& stop, const ChunkConsumer& consumer) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  Outcome outcome;
  for (bool going = true; going;) {
    Wake why = Wake::kDone;
    {
      MutexLock lock(mutex_);
      why = WaitForWork(deadline, stop);
    }
    going = why == Wake::kChunk;
    if (going && !Consume(consumer)) {
      outcome.ended_by_consumer = true;
      going = false;
    } else if (why == Wake::kStop) {
      outcome.failure = TransportFailure::kCancelled;
      outcome.message = "cancelled";
    } else if (why == Wake::kDeadline) {
      outcome.failure = TransportFailure::kTimeout;
      outcome.message = "no complete answer before the deadline";
    }
  }
  Abandon();
  MutexLock lock(mutex_);
  if (head_) outcome.head = *head_;
  outcome.done = done_;
  if (done_ && outcome.failure == TransportFailure::kNone && !outcome.ended_by_consumer) {
    outcome.failure = failure_;
    outcome.message = message_;
  }
  return outcome;
}

void Exchange::Abandon() {
  Release release;
  {
    MutexLock lock(mutex_);
    abandoned_ = true;
    release = std::exchange(release_, nullptr);
  }
  if (release) release(false);
}

void Exchange::WaitDone(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!done_) {
    if (!changed_.WaitUntil(mutex_, deadline)) return;
  }
}

}  // namespace shm::kube
