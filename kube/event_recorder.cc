#include "kube/event_recorder.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "kube/timestamp.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxMessage = 1024;  // bytes; the API server's limit
constexpr std::size_t kMaxNamePart = 200;  // of 253 that a name may have

const char* TypeName(EventType type) { return type == EventType::kNormal ? "Normal" : "Warning"; }

// FNV-1a, 64 bits: the same in every process, unlike std::hash.
std::string Fingerprint(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  std::array<char, 24> hex{};
  std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(hash));
  return hex.data();
}

std::string EventName(const ObjectReference& object, EventType type, const std::string& reason,
                      const std::string& message) {
  const char separator = '\n';
  std::string all = object.kind + separator + object.uid + separator + TypeName(type) + separator;
  all += reason + separator + message;
  return object.key.name.substr(0, kMaxNamePart) + "." + Fingerprint(all);
}

// Cut at a character, not within one.
std::string Cut(std::string message) {
  if (message.size() <= kMaxMessage) return message;
  std::size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0u) == 0x80u) --end;
  message.resize(end);
  return message;
}

// Events about cluster-scoped objects live in "default".
std::string NamespaceOf(const ObjectReference& object) {
  return object.key.namespace_name.empty() ? "default" : object.key.namespace_name;
}

std::int64_t CountOf(const Json& event) {
  const auto found = event.find("count");
  return found != event.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

EventRecorder::EventRecorder(Api& api, EventRecorderOptions options, Clock& clock)
    : api_(api),
      options_(std::move(options)),
      clock_(clock),
      tokens_(options_.burst),
      refilled_(clock.Now()) {}

EventRecorder::~EventRecorder() { Stop(); }

void EventRecorder::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void EventRecorder::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void EventRecorder::Record(const ObjectReference& object, EventType type, const std::string& reason,
                           const std::string& message) {
  const std::string cut = Cut(message);
  const std::string id = NamespaceOf(object) + "/" + EventName(object, type, reason, cut);
  const auto now = clock_.WallNow();
  MutexLock lock(mutex_);
  auto found = pending_.find(id);
  if (found == pending_.end()) {
    if (stopping_ || pending_.size() >= options_.queue) {
      ++dropped_;
      return;
    }
    found = pending_.emplace(id, Pending{object, type, reason, cut, 0, now, now}).first;
    order_.push_back(id);
    changed_.NotifyAll();
  }
  ++found->second.count;
  found->second.last = now;
}

bool EventRecorder::TakeToken() {
  const auto now = clock_.Now();
  const std::chrono::duration<double> passed = now - refilled_;
  refilled_ = now;
  tokens_ = std::min<double>(options_.burst, tokens_ + passed.count() * options_.per_second);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool EventRecorder::WriteOne() {
  std::string id;
  Pending pending;
  {
    MutexLock lock(mutex_);
    if (order_.empty() || !TakeToken()) return false;
    id = std::move(order_.front());
    order_.pop_front();
    const auto found = pending_.find(id);
    pending = std::move(found->second);
    pending_.erase(found);
  }
  Write(id, pending);
  return true;
}

void EventRecorder::Run(const std::stop_token& stop) {
  const std::chrono::milliseconds pause(static_cast<int>(1000 / options_.per_second));
  while (!stop.stop_requested()) {
    {
      MutexLock lock(mutex_);
      while (order_.empty() && !stopping_) changed_.Wait(mutex_);
    }
    if (!stop.stop_requested() && !WriteOne()) clock_.Sleep(pause, stop);
  }
}

void EventRecorder::Write(const std::string& id, const Pending& pending) {
  const std::string space = NamespaceOf(pending.object);
  const ObjectKey key{space, id.substr(space.size() + 1)};
  std::int64_t written = 0;
  {
    MutexLock lock(mutex_);
    if (const auto found = known_.find(id); found != known_.end()) written = found->second.count;
  }
  if (written == 0) {
    const auto created = api_.Create(Events(), space, EventObject(key.name, pending), {});
    if (created.ok()) Remember(id, pending.count);
    if (!created.Is(ErrorReason::kAlreadyExists)) return;
    const auto present = api_.Get(Events(), key);
    if (!present.ok()) return;
    written = CountOf(*present);
  }
  const Json patch = {{"count", written + pending.count}, {"lastTimestamp", Time(pending.last)}};
  const auto patched = api_.Patch(Events(), key, PatchType::kMerge, patch, {});
  if (patched.ok()) {
    Remember(id, written + pending.count);
  } else if (patched.Is(ErrorReason::kNotFound)) {  // events expire after an hour
    const auto created = api_.Create(Events(), space, EventObject(key.name, pending), {});
    if (created.ok()) Remember(id, pending.count);
  }
}

void EventRecorder::Remember(const std::string& id, std::int64_t count) {
  MutexLock lock(mutex_);
  if (const auto found = known_.find(id); found != known_.end()) {
    found->second.count = count;
    ages_.splice(ages_.begin(), ages_, found->second.age);
    return;
  }
  ages_.push_front(id);
  known_[id] = {count, ages_.begin()};
  if (known_.size() > options_.remembered) {
    known_.erase(ages_.back());
    ages_.pop_back();
  }
}

Json EventRecorder::EventObject(const std::string& name, const Pending& pending) const {
  const ObjectReference& object = pending.object;
  Json involved = {{"apiVersion", object.api_version},
                   {"kind", object.kind},
                   {"name", object.key.name},
                   {"uid", object.uid}};
  if (!object.key.namespace_name.empty()) involved["namespace"] = object.key.namespace_name;
  if (!object.resource_version.empty()) involved["resourceVersion"] = object.resource_version;
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"name", name}, {"namespace", NamespaceOf(object)}}},
          {"involvedObject", involved},
          {"type", TypeName(pending.type)},
          {"reason", pending.reason},
          {"message", pending.message},
          {"count", pending.count},
          {"firstTimestamp", Time(pending.first)},
          {"lastTimestamp", Time(pending.last)},
          {"source", {{"component", options_.component}}},
          {"reportingComponent", options_.component},
          {"reportingInstance", options_.instance}};
}

std::uint64_t EventRecorder::Dropped() const {
  MutexLock lock(mutex_);
  return dropped_;
}

}  // namespace shm::kube
