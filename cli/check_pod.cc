#include "cli/check_pod.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/pod_judgement.h"
#include "core/json_patch.h"
#include "core/names.h"
#include "core/quantity.h"

namespace shm::cli {
namespace {

using Json = nlohmann::json;

// The size that the webhook would give is itself the trouble. Said once, where the pod is short.
constexpr std::array kOfSize = {Reason::kBelowComputedNeed, Reason::kDisabledTooSmall,
                                Reason::kPodMemoryLimitTooSmall};

bool IsOfSize(Reason reason) {
  return std::find(kOfSize.begin(), kOfSize.end(), reason) != kOfSize.end();
}

// It has less than it would get, or, where the webhook passes it over, than it may take. A pod
// without a /dev/shm of its own kind (Windows) or that nobody can change (static) is not meant.
bool IsShort(const PodJudgement& judged) {
  const Reason reason = judged.decision.reason;
  if (judged.verdict == Verdict::kTooSmall) return true;
  return judged.verdict == Verdict::kNotOurs && judged.below_need() && reason != Reason::kWindows &&
         reason != Reason::kMirrorPod;
}

const Rule& RuleOf(std::string_view id) { return Rules().at(RuleIndex(id)); }

const char* SourceInWords(ShmSource source) {
  switch (source) {
    case ShmSource::kRuntime:
      return "the container runtime's, without a volume";
    case ShmSource::kSizeLimit:
      return "by its sizeLimit";
    case ShmSource::kMemoryLimit:
      return "by the pod's memory limit";
    case ShmSource::kReadOnly:
      return "mounted read-only";
    default:
      return "not known";
  }
}

// "/dev/shm is 64Mi (...), of which NCCL and vLLM may take 1156Mi".
std::string ShortInWords(const PodJudgement& judged) {
  const std::string engine = judged.engine.empty() ? "the engine" : judged.engine;
  const std::string has = "/dev/shm is " + FormatBytes(judged.present.bytes.value_or(0)) + " (" +
                          SourceInWords(judged.present.source) + "), ";
  if (judged.below_need()) {
    return has + "and NCCL and " + engine + " may take " + FormatMebibytes(judged.need);
  }
  return has + "and is to be " + FormatBytes(judged.decision.size.value_or(0)) +
         (judged.decision.arithmetic.empty() ? "" : ", " + judged.decision.arithmetic);
}

std::string WhyNotSeen(const PodJudgement& judged, const std::string& namespace_name) {
  const std::string label = std::string(names::kNamespaceLabel) + "=" + names::kNamespaceEnabled;
  if (namespace_name == kSystemNamespace) return "the webhook leaves out kube-system";
  if (judged.covered) {
    return "the webhook does not see it: namespace " + namespace_name + " has no label " + label;
  }
  return "whether the webhook sees it is not known: namespace " + namespace_name +
         " is not among the manifests, and may have the label " + label;
}

// What keeps a pod short that the webhook sees to: a reason of core's, and its words.
std::optional<Note> FindCause(const PodDecision& decision) {
  for (const Note& note : decision.notes) {
    if (IsOfSize(note.reason)) return note;
  }
  if (decision.outcome != Outcome::kSkipped && !IsLeftAlone(decision.reason)) return std::nullopt;
  for (const Note& note : decision.notes) {
    if (note.reason == decision.reason) return note;
  }
  return Note{decision.reason, decision.message};
}

class PodChecker {
 public:
  PodChecker(const PodView& view, const Json& pod, const std::string& namespace_name,
             const Surroundings& around, WebhookUse use)
      : namespace_name_(namespace_name),
        use_(use),
        before_(JudgePod(view, namespace_name, around)) {
    sees_ = use == WebhookUse::kAbsent ? std::optional(false) : before_.covered;
    after_ = before_.decision.patch.empty() ? before_ : JudgePatched(view, pod, around);
  }

  std::vector<Finding> Check() && {
    if (sees_ != std::optional(false) && AddRefusal()) return std::move(findings_);
    const bool sized = sees_ == std::optional(true);
    if (IsShort(sized ? after_ : before_)) AddShort(sized);
    for (const Note& note : before_.decision.notes) AddNote(note, sized);
    return std::move(findings_);
  }

 private:
  // The pod as the webhook's patch makes it.
  PodJudgement JudgePatched(const PodView& view, const Json& pod, const Surroundings& around) {
    // CheckPatch has seen that it applies, and leaves what can be read; else it is as it stands.
    Result<PodView> patched =
        ReadPodDocument(pod.patch(Json::parse(RenderJsonPatch(before_.decision.patch))));
    if (!patched.ok()) return before_;
    patched->coming_labels = view.coming_labels;
    patched->coming_nodes = view.coming_nodes;
    return JudgePod(*patched, namespace_name_, around);
  }

  bool AddRefusal() {
    const PodDecision& decision = before_.decision;
    if (decision.outcome == Outcome::kUnknownService) {
      findings_.push_back(MakeFinding(rules::kUnknownService, decision.message));
    } else if (decision.outcome == Outcome::kDenied) {
      findings_.push_back(
          MakeFinding(rules::kRefused, Note{decision.reason, decision.message}.ToString()));
    }
    return !findings_.empty();
  }

  void AddShort(bool sized) {
    const bool missed = !sized && WouldHelp();
    const bool grave = sized ? after_.below_need() : before_.below_need();
    const bool known = !missed || sees_.has_value();
    Finding finding = missed ? WithoutWebhook() : WithWebhook();
    const bool meant = finding.rule == ReasonName(Reason::kOptedOut);
    finding.severity = grave && known && !meant ? Severity::kError : Severity::kWarning;
    findings_.push_back(std::move(finding));
  }

  // Whether the pod would have more by the webhook.
  bool WouldHelp() const {
    return !IsShort(after_) || after_.present.bytes.value_or(0) > before_.present.bytes.value_or(0);
  }

  Finding WithoutWebhook() const {
    std::string message = ShortInWords(before_);
    if (use_ == WebhookUse::kAbsent) return MakeFinding(rules::kTooSmall, std::move(message));
    Finding finding = MakeFinding(rules::kNotCovered,
                                  std::move(message) + "; " + WhyNotSeen(before_, namespace_name_));
    if (namespace_name_ == kSystemNamespace) {
      finding.help = "Run it in another namespace, or declare the volume";
    } else if (!sees_) {
      finding.help = "Give the Namespace's manifest by --services, or say --webhook everywhere";
    }
    return finding;
  }

  // It has not enough even then.
  Finding WithWebhook() const {
    const std::optional<Note> cause = FindCause(after_.decision);
    if (!cause) return MakeFinding(rules::kTooSmall, ShortInWords(after_));
    return MakeFinding(ReasonName(cause->reason), ShortInWords(after_) + ": " + cause->message);
  }

  void AddNote(const Note& note, bool sized) {
    const std::string_view id = ReasonName(note.reason);
    const bool said = !findings_.empty() && findings_.front().rule == id;
    if (said || IsOfSize(note.reason) || (RuleOf(id).of_webhook && !sized)) return;
    findings_.push_back(MakeFinding(id, note.message));
  }

  const std::string& namespace_name_;
  const WebhookUse use_;
  const PodJudgement before_;
  PodJudgement after_;
  std::optional<bool> sees_;  // unset: not known
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckPod(const PodView& view, const Json& pod,
                              const std::string& namespace_name, const Surroundings& around,
                              WebhookUse use) {
  return PodChecker(view, pod, namespace_name, around, use).Check();
}

}  // namespace shm::cli
