#include "kube/reflector.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/list_reader.h"
#include "kube/random.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

// A watch that ends sooner did not end in order, whatever it delivered: it is not begun again at
// once.
constexpr std::chrono::seconds kShortestWatch{1};

// Trap W3: how long after the server should have ended a watch it is taken for dead.
constexpr std::chrono::seconds kWatchGrace{5};

WatchEvent::Error WatchErrorOf(const ApiError& error) {
  if (error.reason == ErrorReason::kExpired) return WatchEvent::Error::kExpired;
  if (error.reason == ErrorReason::kResourceVersionTooLarge) {
    return WatchEvent::Error::kFutureVersion;
  }
  return WatchEvent::Error::kOther;
}

WatchEvent Failed(WatchEvent::Kind kind, const ApiError& error) {
  WatchEvent event;
  event.kind = kind;
  event.error = WatchErrorOf(error);
  if (error.retry_after) event.retry_after_ms = error.retry_after->count() * 1000;
  return event;
}

std::string Type(const Json& line) {
  const auto found = line.find("type");
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

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
}

Reflector::~Reflector() { Stop(); }

void Reflector::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Reflector::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Reflector::Run(const std::stop_token& stop) {
  WatchEvent event;
  while (!stop.stop_requested()) {
    WatchStep step = AdvanceWatch(std::move(state_), event, options_.backoff, Random());
    state_ = std::move(step.state);
    if (step.action.end_list) {
      sink_.EndList();
      Report({ReflectorEvent::Kind::kListed, listed_, {}});
    }
    Observe(state_);
    event = Do(step.action, stop);
  }
}

WatchEvent Reflector::Do(const WatchAction& action, const std::stop_token& stop) {
  switch (action.kind) {
    case WatchAction::Kind::kListPage:
      return ListPage(action, stop);
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
  if (action.begin_list) {
    sink_.BeginList();
    listed_ = 0;
  }
  HttpRequest request;
  request.path = ListPath(action);
  SendResult result = transport_.Send(request, options_.list_timeout, stop);
  ApiError error;
  if (result.failure != TransportFailure::kNone) {
    error = ErrorFromFailure(result.failure, result.message);
  } else if (result.response.status != 200) {
    error = ErrorFromResponse(result.response);
  } else if (const auto meta = ReadListPage(
                 result.response.body, [this](Json&& item) { sink_.Upsert(KeyOf(item), item); })) {
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
  if (!stop.stop_requested()) Report({ReflectorEvent::Kind::kListFailed, 0, error});
  return Failed(WatchEvent::Kind::kListFailed, error);
}

WatchEvent Reflector::Watch(const WatchAction& action, const std::stop_token& stop) {
  const std::chrono::seconds timeout(static_cast<std::int64_t>(
      static_cast<double>(options_.watch_timeout.count()) * (1.0 + Random())));
  Report({ReflectorEvent::Kind::kWatchStarted, 0, {}});
  HttpRequest request;
  request.path = WatchPath(action.resource_version, timeout);
  WatchEvent outcome;
  outcome.kind = WatchEvent::Kind::kWatchEnded;
  const auto began = clock_.Now();
  const StreamResult result = transport_.Open(
      request, timeout + kWatchGrace,
      [this, &outcome](std::string_view line) { return OnLine(line, outcome); }, stop);
  if (result.ended_by_consumer || stop.stop_requested()) return outcome;
  ApiError error;
  if (result.failure != TransportFailure::kNone) {
    error = ErrorFromFailure(result.failure, result.message);
  } else if (result.response.status != 200) {
    error = ErrorFromResponse(result.response);
    outcome = Failed(WatchEvent::Kind::kWatchError, error);
  } else if (result.truncated) {
    error = ErrorFromFailure(TransportFailure::kUnreachable, "the watch ended within a line");
  } else {
    outcome.clean = clock_.Now() - began >= kShortestWatch;
    if (outcome.clean) Progress();
    Report({ReflectorEvent::Kind::kWatchEnded, 0, {}});
    return outcome;
  }
  Report({ReflectorEvent::Kind::kWatchFailed, 0, error});
  return outcome;
}

void Reflector::Upsert(const Json& object) {
  const ObjectKey key = KeyOf(object);
  if (!key.name.empty()) sink_.Upsert(key, object);
}

// Advances the state by one event of the watch. False ends the watch, with `outcome` saying why.
bool Reflector::OnLine(std::string_view line, WatchEvent& outcome) {
  const Json event = ParseJson(line);
  const std::string type = event.is_object() ? Type(event) : "";
  const auto object = event.is_object() ? event.find("object") : event.end();
  if (type.empty() || object == event.end() || !object->is_object()) {
    ApiError error;
    error.reason = ErrorReason::kMalformed;
    error.message = "not a watch event: " + std::string(line.substr(0, 100));
    Report({ReflectorEvent::Kind::kGarbage, 0, error});
    outcome.clean = false;
    return false;
  }
  if (type == "ERROR") {
    const ApiError error =
        ErrorFromStatus(object->dump(-1, ' ', false, Json::error_handler_t::replace));
    Report({ReflectorEvent::Kind::kWatchFailed, 0, error});
    outcome = Failed(WatchEvent::Kind::kWatchError, error);
    return false;
  }
  if (type == "DELETED") {
    sink_.Remove(KeyOf(*object));
  } else if (type != "BOOKMARK") {  // ADDED, MODIFIED
    Upsert(*object);
  }
  WatchEvent progress;
  progress.kind = WatchEvent::Kind::kProgress;
  progress.resource_version = VersionOf(*object).resource_version;
  state_ = AdvanceWatch(std::move(state_), progress, options_.backoff, 0).state;
  Progress();
  MutexLock lock(mutex_);
  ++stats_.events;
  stats_.failures = 0;
  return true;
}

std::string Reflector::ListPath(const WatchAction& action) const {
  const bool pages = action.paginate && options_.page_size > 0;
  std::vector<std::pair<std::string, std::string>> query = {
      {"labelSelector", options_.label_selector},
      {"fieldSelector", options_.field_selector},
      {"limit", pages ? std::to_string(options_.page_size) : ""},
      {"continue", action.continue_token}};
  // A continue token says which state it is of; the server refuses a version beside it.
  if (action.continue_token.empty() && action.list_from == ListFrom::kLastSeen) {
    query.emplace_back("resourceVersion", action.resource_version);
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  return CollectionPath(options_.type, options_.namespace_name) + QueryString(query);
}

std::string Reflector::WatchPath(const std::string& resource_version,
                                 std::chrono::seconds timeout) const {
  return CollectionPath(options_.type, options_.namespace_name) +
         QueryString({{"labelSelector", options_.label_selector},
                      {"fieldSelector", options_.field_selector},
                      {"watch", "true"},
                      {"allowWatchBookmarks", "true"},
                      {"resourceVersion", resource_version},
                      {"timeoutSeconds", std::to_string(timeout.count())}});
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
}

void Reflector::Report(ReflectorEvent event) {
  {
    MutexLock lock(mutex_);
    switch (event.kind) {
      case ReflectorEvent::Kind::kListed:
        ++stats_.lists;
        break;
      case ReflectorEvent::Kind::kListFailed:
        ++stats_.list_failures;
        break;
      case ReflectorEvent::Kind::kWatchStarted:
        ++stats_.watches;
        break;
      case ReflectorEvent::Kind::kWatchEnded:
        break;
      case ReflectorEvent::Kind::kWatchFailed:
        ++stats_.watch_failures;
        break;
      case ReflectorEvent::Kind::kGarbage:
        ++stats_.garbage;
        break;
    }
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
