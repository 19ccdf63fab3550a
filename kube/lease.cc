#include "kube/lease.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/object_sink.h"
#include "kube/random.h"
#include "kube/timestamp.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t Number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

const Json& SpecOf(const Json& lease) {
  static const Json empty = Json::object();
  const auto found = lease.find("spec");
  return found != lease.end() && found->is_object() ? *found : empty;
}

LeaseRecord RecordOf(const Json& lease) {
  const Json& spec = SpecOf(lease);
  return {Text(spec, "holderIdentity"), VersionOf(lease).resource_version,
          Number(spec, "leaseDurationSeconds") * 1000, Number(spec, "leaseTransitions")};
}

}  // namespace

Elector::Elector(Api& api, ElectorOptions options, ElectorCallbacks callbacks, Clock& clock)
    : api_(api),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      clock_(clock),
      random_state_(RandomSeed()) {}

Elector::~Elector() { Stop(); }

void Elector::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Elector::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Elector::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Step();
    const std::int64_t now = MonotonicMs(clock_);
    if (leading_ && (!state_.leading || LeaseLost(state_, options_.times, now))) {
      state_.leading = false;
      StopLeading();
    }
    const double random = NextRandom(random_state_);
    const auto wait = LeaseWaitMs(state_, options_.times, MonotonicMs(clock_), random);
    if (!clock_.Sleep(std::chrono::milliseconds(wait), stop)) break;
  }
  if (!leading_) return;
  StopLeading();  // trap W7: all work has stopped when this returns
  Release();
}

// A leader writes without reading first, as client-go does: that its version is still the last one
// is what the write itself checks.
void Elector::Step() {
  if (state_.leading && RenewBlindly()) return;
  const auto read = api_.Get(Leases(), options_.lease);
  if (!read.ok() && !read.Is(ErrorReason::kNotFound)) {
    Fail(read.error());
    return;
  }
  std::optional<LeaseRecord> record;
  if (read.ok()) record = RecordOf(*read);
  LeaseDecision decision = DecideLease(std::move(state_), record, options_.identity, options_.times,
                                       MonotonicMs(clock_));
  state_ = std::move(decision.state);
  if (record) TellLeader(record->holder);
  // A lease that was lost in between is taken only after the work has stopped.
  const bool lost = leading_ && !state_.leading;
  if (lost || decision.action == LeaseAction::kStandBy) return;
  WriteAndLead(decision.action, decision.transitions);
}

// False where somebody else wrote the lease, or removed it.
bool Elector::RenewBlindly() {
  const std::int64_t began = MonotonicMs(clock_);
  const auto result = Write(LeaseAction::kRenew, state_.observed.transitions);
  if (result.ok()) {
    state_ = LeaseWritten(std::move(state_), RecordOf(*result), began);
    return true;
  }
  // Of a write whose fate is unknown the version may have moved: read it.
  Fail(result.error());
  return !result.Is(ErrorReason::kConflict) && !result.Is(ErrorReason::kNotFound) &&
         !result.error().OutcomeUnknown();
}

void Elector::WriteAndLead(LeaseAction action, std::int64_t transitions) {
  const std::int64_t began = MonotonicMs(clock_);
  const auto result = Write(action, transitions);
  if (!result.ok()) {
    // Somebody may have been faster: the next read shows who.
    const bool raced = result.Is(ErrorReason::kConflict) || result.Is(ErrorReason::kAlreadyExists);
    if (!raced) Fail(result.error());
    return;
  }
  state_ = LeaseWritten(std::move(state_), RecordOf(*result), began);
  if (!leading_) BecomeLeader();
}

ApiResult<Json> Elector::Write(LeaseAction action, std::int64_t transitions) {
  if (action != LeaseAction::kRenew || !acquire_time_) {
    acquire_time_ = MicroTime(clock_.WallNow());
  }
  const Json object = LeaseObject(options_.identity, transitions);
  if (action == LeaseAction::kCreate) {
    return api_.Create(Leases(), options_.lease.namespace_name, object, {});
  }
  return api_.Update(Leases(), options_.lease, object, {});
}

void Elector::Release() {
  // Only the version that we wrote: a lease that another has taken meanwhile is left alone.
  static_cast<void>(
      api_.Update(Leases(), options_.lease, LeaseObject("", state_.observed.transitions), {}));
  state_ = {};
}

Json Elector::LeaseObject(const std::string& holder, std::int64_t transitions) const {
  Json metadata = {{"name", options_.lease.name}, {"namespace", options_.lease.namespace_name}};
  if (!state_.observed.version.empty()) metadata["resourceVersion"] = state_.observed.version;
  if (options_.owner) {
    metadata["ownerReferences"] = Json::array({{{"apiVersion", options_.owner->api_version},
                                                {"kind", options_.owner->kind},
                                                {"name", options_.owner->name},
                                                {"uid", options_.owner->uid}}});
  }
  const std::string now = MicroTime(clock_.WallNow());
  // A released lease lasts a second, as client-go writes it: nobody waits for it.
  const std::int64_t seconds = holder.empty() ? 1 : options_.times.duration_ms / 1000;
  return {{"apiVersion", Leases().ApiVersion()},
          {"kind", Leases().kind},
          {"metadata", metadata},
          {"spec",
           {{"holderIdentity", holder},
            {"leaseDurationSeconds", seconds},
            {"acquireTime", acquire_time_.value_or(now)},
            {"renewTime", now},
            {"leaseTransitions", transitions}}}};
}

void Elector::BecomeLeader() {
  leading_ = true;
  TellLeader(options_.identity);
  if (callbacks_.on_started) callbacks_.on_started();
}

void Elector::StopLeading() {
  if (callbacks_.on_stopped) callbacks_.on_stopped();
  leading_ = false;
  acquire_time_.reset();
}

void Elector::TellLeader(const std::string& identity) {
  if (identity == known_leader_) return;
  known_leader_ = identity;
  if (callbacks_.on_leader) callbacks_.on_leader(identity);
}

void Elector::Fail(const ApiError& error) const {
  if (callbacks_.on_error) callbacks_.on_error(error);
}

}  // namespace shm::kube
