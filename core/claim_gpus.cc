#include "core/claim_gpus.h"

#include <algorithm>
#include <utility>

namespace shm {
namespace {

// Devices that are allocated together: a request of one of the pod's claims. Each entry of
// spec.resourceClaims that names a template makes a claim of its own.
using Request = std::pair<std::string, std::string>;
using Requests = std::map<Request, int>;

template <typename List, typename Name>
auto FindNamed(const List& list, Name matches) {
  const auto found = std::find_if(list.begin(), list.end(), matches);
  return found == list.end() ? nullptr : &*found;
}

class Counter {
 public:
  Counter(const PodView& pod, const ClaimTemplates& templates) : pod_(pod), templates_(templates) {}

  ClaimGpus Count() {
    for (const auto* list : {&pod_.containers, &pod_.init_containers}) {
      for (const ContainerView& container : *list) Add(container);
    }
    for (const auto& entry : running_) counted_.shared -= entry.second;
    return std::move(counted_);
  }

 private:
  void Add(const ContainerView& container) {
    Requests held;
    for (const ClaimUseView& use : container.resources.claims) {
      const std::string why = Read(use, &held);
      if (!why.empty()) AddUnknown(container, "claim " + use.claim + ": " + why);
    }
    std::int64_t gpus = 0;
    for (const auto& entry : held) gpus += entry.second;
    if (gpus == 0) return;
    counted_.gpus[&container] = gpus;
    if (!container.runs()) return;
    counted_.shared += gpus;
    running_.insert(held.begin(), held.end());
  }

  void AddUnknown(const ContainerView& container, std::string why) {
    if (container.runs() && !counted_.unknown_in) counted_.unknown_in = &container;
    constexpr std::size_t kMostClauses = 20;  // a person reads no more
    auto& unknown = counted_.unknown;
    if (unknown.size() >= kMostClauses) return;
    if (std::find(unknown.begin(), unknown.end(), why) == unknown.end()) {
      unknown.push_back(std::move(why));
    }
  }

  // Adds what a container has of a claim. Says why it could not be counted; else nothing.
  std::string Read(const ClaimUseView& use, Requests* held) const {
    const PodClaimView* claim = FindNamed(pod_.resource_claims, [&use](const PodClaimView& entry) {
      return entry.name == use.claim;
    });
    if (!claim) return "the pod has none of that name";
    if (claim->template_name.empty()) return "it is not made from a template";
    const auto* found = FindNamed(templates_, [claim](const ClaimTemplate* candidate) {
      return candidate->name == claim->template_name;
    });
    const std::string shown = "ResourceClaimTemplate " + claim->template_name;
    if (!found) return shown + " is not known";
    bool told = use.request.empty();
    for (const auto& [name, gpus] : (*found)->gpus) {
      if (!use.request.empty() && name != use.request) continue;
      told = gpus.has_value();
      if (!told) break;
      (*held)[{use.claim, name}] = *gpus;
    }
    return told ? "" : shown + " does not tell how many";
  }

  const PodView& pod_;
  const ClaimTemplates& templates_;
  Requests running_;  // of all containers that run
  ClaimGpus counted_;
};

}  // namespace

std::int64_t ClaimGpus::Of(const ContainerView& container) const {
  const auto found = gpus.find(&container);
  return found == gpus.end() ? 0 : found->second;
}

ClaimGpus CountClaims(const PodView& pod, const ClaimTemplates& templates) {
  return Counter(pod, templates).Count();
}

}  // namespace shm
