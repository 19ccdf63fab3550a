#include "kube/reflector.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/list_reader.h"
#include "kube/random.h"
#include "kube/watch_line.h"

namespace shm::kube {
namespace {

// A watch that ends sooner did not end in order, whatever it delivered: it is not begun again at
// once.
constexpr std::chrono::seconds kShortestWatch{1};

}  // namespace

Reflector::Reflector(Transport& transport, ObjectSink& sink, ReflectorOptions options,
                     std::function<void(const ReflectorEvent&)> on_event, Clock& clock)
    : transport_(transport),
      sink_(sink),
      options_(std::move(options)),
      on_event_(std::move(on_event)),
      clock_(clock),
      random_state_(RandomSeed()) {
  stats_.progress = clock_.Now();
  state_.stream_lists = options_.stream_lists;
}

Reflector::~Reflector() { Stop(); }

void Reflector::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Reflector::RequestStop() { thread_.request_stop(); }

void Reflector::Stop() {
  RequestStop();
  if (thread_.joinable()) thread_.join();
}

void Reflector::Run(const std::stop_token& stop) {
  WatchEvent event;
  while (!stop.stop_requested()) {
    WatchStep step = AdvanceWatch(std::move(state_), event, options_.backoff, Random());
    state_ = std::move(step.state);
    if (step.action.end_list) EndList(/*streamed=*/false);
    Observe(state_);
    event = Do(step.action, stop);
  }
}

WatchEvent Reflector::Do(const WatchAction& action, const std::stop_token& stop) {
  switch (action.kind) {
    case WatchAction::Kind::kListPage:
      return ListPage(action, stop);
    case WatchAction::Kind::kStream:
    case WatchAction::Kind::kWatch:
      return Watch(action, stop);
    case WatchAction::Kind::kWait:
      clock_.Sleep(std::chrono::milliseconds(action.wait_ms), stop);
      break;
    case WatchAction::Kind::kContinue:
      break;
  }
  WatchEvent event;
  event.kind = WatchEvent::Kind::kBackoffElapsed;
  return event;
}

WatchEvent Reflector::ListPage(const WatchAction& action, const std::stop_token& stop) {
  if (action.begin_list) BeginList();
  HttpRequest request;
  request.path = ListPath(options_, action);
  SendResult result = transport_.Send(request, options_.list_timeout, stop);
  ApiError error;
  if (result.failure != TransportFailure::kNone) {
    error = ErrorFromFailure(result.failure, result.message);
  } else if (result.response.status != 200) {
    error = ErrorFromResponse(result.response);
  } else if (const auto meta = ReadListPage(
                 result.response.body,
                 [this](nlohmann::json&& item) { sink_.Upsert(KeyOf(item), item); },
                 options_.keep_managed_fields)) {
    listed_ += meta->items;
    Progress();
    WatchEvent event;
    event.kind = WatchEvent::Kind::kPage;
    event.resource_version = meta->resource_version;
    event.continue_token = meta->continue_token;
    return event;
  } else {
    error.reason = ErrorReason::kMalformed;
    error.message = "the answer is not a list";
  }
  if (!stop.stop_requested()) Report({ReflectorEvent::Kind::kListFailed, 0, error, false});
  return FailedEvent(WatchEvent::Kind::kListFailed, error);
}

void Reflector::BeginList() {
  sink_.BeginList();
  listed_ = 0;
}

void Reflector::EndList(bool streamed) {
  sink_.EndList();
  Report({ReflectorEvent::Kind::kListed, listed_, {}, streamed});
}

WatchEvent Reflector::Watch(const WatchAction& action, const std::stop_token& stop) {
  const std::chrono::seconds timeout(static_cast<std::int64_t>(
      static_cast<double>(options_.watch_timeout.count()) * (1.0 + Random())));
  Report({ReflectorEvent::Kind::kWatchStarted, 0, {}, false});
  if (action.begin_list) BeginList();
  watch_limit_ = timeout + options_.watch_grace;
  stream_limit_ = InList() ? options_.stream_timeout : watch_limit_;
  HttpRequest request;
  request.path = WatchPath(options_, action, timeout);
  WatchEvent outcome;
  outcome.kind = WatchEvent::Kind::kWatchEnded;
  const auto began = clock_.Now();
  const StreamResult result = transport_.Open(
      request, stream_limit_,
      [this, &outcome](std::string_view line) { return OnLine(line, outcome); }, stop);
  if (result.ended_by_consumer || stop.stop_requested()) return outcome;
  ApiError error;
  if (result.failure != TransportFailure::kNone) {
    error = ErrorFromFailure(result.failure, result.message);
    // Without an answer nothing was begun that could be cut.
    if (InList() && result.response.status == 0) outcome.kind = WatchEvent::Kind::kWatchError;
  } else if (result.response.status != 200) {
    error = ErrorFromResponse(result.response);
    outcome = FailedEvent(WatchEvent::Kind::kWatchError, error);
  } else if (result.truncated) {
    error = ErrorFromFailure(TransportFailure::kUnreachable, "the watch ended within a line");
  } else if (InList()) {
    error = ErrorFromFailure(TransportFailure::kUnreachable, "the list ended before its end mark");
  } else {
    outcome.clean = clock_.Now() - began >= kShortestWatch;
    if (outcome.clean) Progress();
    Report({ReflectorEvent::Kind::kWatchEnded, 0, {}, false});
    return outcome;
  }
  return StreamFailed(std::move(outcome), error);
}

// Tells of the failure, and finds out whether it is the server's word on streamed lists.
WatchEvent Reflector::StreamFailed(WatchEvent outcome, const ApiError& error) {
  if (!InList()) {
    Report({ReflectorEvent::Kind::kWatchFailed, 0, error, false});
    return outcome;
  }
  // An answer that goes on without the mark is one of a server, or a proxy, that ignored what it
  // was asked for.
  const bool no_mark =
      outcome.kind == WatchEvent::Kind::kWatchEnded && error.reason == ErrorReason::kTimeout;
  if (!no_mark && !RefusesStreams(error)) {
    Report({ReflectorEvent::Kind::kListFailed, 0, error, true});
    return outcome;
  }
  Report({ReflectorEvent::Kind::kStreamRefused, 0, error, true});
  outcome.kind = WatchEvent::Kind::kWatchError;
  outcome.error = WatchEvent::Error::kUnsupported;
  return outcome;
}

WatchEvent Reflector::Garbage(const ApiError& error) {
  Report({ReflectorEvent::Kind::kGarbage, 0, error, false});
  WatchEvent outcome;
  outcome.kind = WatchEvent::Kind::kWatchEnded;
  return outcome;
}

// Advances the state by one event of the watch. False ends the watch, with `outcome` saying why.
bool Reflector::OnLine(std::string_view line, WatchEvent& outcome) {
  const WatchLine read = ReadWatchLine(line, options_.keep_managed_fields);
  WatchEvent event;
  event.kind = WatchEvent::Kind::kProgress;
  event.resource_version = VersionOf(read.object).resource_version;
  switch (read.kind) {
    case WatchLine::Kind::kGarbage:
      outcome = Garbage(read.error);
      return false;
    case WatchLine::Kind::kError:
      outcome = StreamFailed(FailedEvent(WatchEvent::Kind::kWatchError, read.error), read.error);
      return false;
    case WatchLine::Kind::kAdded:
    case WatchLine::Kind::kModified:
      Upsert(read.object, read.kind == WatchLine::Kind::kAdded);
      break;
    case WatchLine::Kind::kDeleted:
      sink_.Remove(KeyOf(read.object));
      if (listed_ > 0) --listed_;
      break;
    case WatchLine::Kind::kListEnd:
      if (InList()) event.kind = WatchEvent::Kind::kListEnd;
      break;
    case WatchLine::Kind::kBookmark:
      break;
  }
  Advance(event);
  return true;
}

void Reflector::Upsert(const nlohmann::json& object, bool added) {
  const ObjectKey key = KeyOf(object);
  if (key.name.empty()) return;
  sink_.Upsert(key, object);
  if (added) ++listed_;
}

void Reflector::Advance(const WatchEvent& event) {
  const bool in_list = InList();
  WatchStep step = AdvanceWatch(std::move(state_), event, options_.backoff, 0);
  state_ = std::move(step.state);
  Progress();
  if (step.action.end_list) {
    stream_limit_ = watch_limit_;
    EndList(/*streamed=*/true);
  }
  Observe(state_);
  {
    MutexLock lock(mutex_);
    ++stats_.events;
  }
  if (!in_list) Report({ReflectorEvent::Kind::kReceived, 1, {}, false});
}

void Reflector::Observe(const WatchState& state) {
  MutexLock lock(mutex_);
  stats_.phase = state.phase;
  stats_.failures = state.failures;
  stats_.synced = state.synced;
}

void Reflector::Progress() {
  MutexLock lock(mutex_);
  stats_.progress = clock_.Now();
  stats_.refusal.reset();
}

void Reflector::Report(ReflectorEvent event) {
  {
    MutexLock lock(mutex_);
    CountEvent(event, stats_);
  }
  if (on_event_) on_event_(event);
}

ReflectorStats Reflector::Stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

bool Reflector::Alive(std::chrono::seconds limit) const {
  return clock_.Now() - Stats().progress <= limit;
}

double Reflector::Random() { return NextRandom(random_state_); }

}  // namespace shm::kube
