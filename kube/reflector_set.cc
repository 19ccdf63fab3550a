#include "kube/reflector_set.h"

#include <algorithm>
#include <utility>

namespace shm::kube {

Tolerated ToleratedIn(const Scope& scope) {
  return scope == Scope{} ? Tolerated{} : Tolerated{ErrorReason::kForbidden};
}

bool ReflectorSet::Member::MayBeSilent() const {
  const auto refusal = reflector->Stats().refusal;
  return refusal && std::find(tolerated.begin(), tolerated.end(), *refusal) != tolerated.end();
}

void ReflectorSet::Add(std::unique_ptr<Reflector> reflector, Tolerated tolerated) {
  members_.push_back({std::move(reflector), std::move(tolerated)});
}

void ReflectorSet::Start() {
  for (const Member& member : members_) member.reflector->Start();
}

void ReflectorSet::Stop() {
  for (const Member& member : members_) member.reflector->RequestStop();
  for (const Member& member : members_) member.reflector->Stop();
}

bool ReflectorSet::HasSynced() const {
  return std::all_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.reflector->HasSynced() || member.MayBeSilent();
  });
}

bool ReflectorSet::Alive() const {
  return std::all_of(members_.begin(), members_.end(), [](const Member& member) {
    return member.reflector->Alive() || member.MayBeSilent();
  });
}

std::size_t ReflectorSet::Refused() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(),
      [](const Member& member) { return member.reflector->Stats().refusal.has_value(); }));
}

}  // namespace shm::kube
