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
  release();
}

void Exchange::OnDone(TransportFailure failure, const std::string& message) {
  MutexLock lock(mutex_);
  if (done_) return;
  done_ = true;
  failure_ = failure;
  message_ = message;
  changed_.NotifyAll();
}

void Exchange::OnBroken(const std::string& message) {
  MutexLock lock(mutex_);
  broken_ = true;
  message_ = message;
  changed_.NotifyAll();
}

Exchange::Wake Exchange::WaitForWork(std::chrono::steady_clock::time_point deadline,
                                     const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) return Wake::kStop;
    const bool late = std::chrono::steady_clock::now() >= deadline;
    // A chunk may be here before the pool has told the headers; it waits for them. One that comes
    // late is not taken, else a server that never stops talking would have no deadline.
    if (release_ && head_) return late ? Wake::kDeadline : Wake::kChunk;
    if (broken_) return Wake::kBroken;
    if (done_) return Wake::kDone;
    if (late) return Wake::kDeadline;
    changed_.WaitUntil(mutex_, deadline);
  }
}

bool Exchange::Consume(const ChunkConsumer& consumer) {
  Head head;
  std::string_view chunk;
  {
    MutexLock lock(mutex_);
    head = *head_;
    chunk = chunk_;
  }
  // The library does not touch the chunk before its release, so it is read outside the lock.
  if (!consumer(head, chunk)) return false;
  Release release;
  {
    MutexLock lock(mutex_);
    release = std::exchange(release_, nullptr);
  }
  release();
  return true;
}

Exchange::Outcome Exchange::Wait(std::chrono::steady_clock::time_point began,
                                 const std::chrono::milliseconds& timeout,
                                 const std::stop_token& stop, const ChunkConsumer& consumer) {
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  Outcome outcome;
  Wake why = Wake::kChunk;
  while (why == Wake::kChunk && !outcome.ended_by_consumer) {
    {
      MutexLock lock(mutex_);
      why = WaitForWork(began + timeout, stop);
    }
    if (why == Wake::kChunk) outcome.ended_by_consumer = !Consume(consumer);
  }
  MutexLock lock(mutex_);
  Judge(why, outcome);
  return outcome;
}

void Exchange::Judge(Wake why, Outcome& outcome) {
  if (head_) outcome.head = *head_;
  outcome.done = done_;
  switch (why) {
    case Wake::kChunk:  // the consumer ended it
      break;
    case Wake::kDone:
      outcome.failure = failure_;
      outcome.message = message_;
      break;
    case Wake::kBroken:
      outcome.failure = TransportFailure::kUnreachable;
      outcome.message = message_;
      break;
    case Wake::kStop:
      outcome.failure = TransportFailure::kCancelled;
      outcome.message = "cancelled";
      break;
    case Wake::kDeadline:
      outcome.failure = TransportFailure::kTimeout;
      outcome.message = "no complete answer before the deadline";
      break;
  }
}

void Exchange::Abandon() {
  Release release;
  {
    MutexLock lock(mutex_);
    abandoned_ = true;
    release = std::exchange(release_, nullptr);
  }
  if (release) release();
}

void Exchange::WaitDone(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (!done_) {
    if (!changed_.WaitUntil(mutex_, deadline)) return;
  }
}

}  // namespace shm::kube
