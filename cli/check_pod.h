// What there is to find in one pod of a manifest.
//
// Pure; safe from any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/finding.h"
#include "cli/surroundings.h"
#include "core/pod_view.h"

namespace shm::cli {

// What is presumed of the cluster that the manifests are for.
enum class WebhookUse {
  kInstalled,  // as the chart registers it: labelled pods, and those of enabled namespaces
  kAbsent,     // what a manifest declares must do
};

// The pod that starts is the pod as it stands where the webhook does not see it, else the pod with
// the webhook's patch: both are judged by JudgePod. `view` is what was read of `pod`. Of the
// findings rule, severity, message and help are set.
std::vector<Finding> CheckPod(const PodView& view, const nlohmann::json& pod,
                              const std::string& namespace_name, const Surroundings& around,
                              WebhookUse use);

}  // namespace shm::cli
