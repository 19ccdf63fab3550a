#include <algorithm>

#include "core/inference_service.h"

namespace shm {
namespace {

bool Holds(const LabelSelector::Requirement& requirement,
           const std::map<std::string, std::string>& labels) {
  const auto label = labels.find(requirement.key);
  const bool present = label != labels.end();
  const auto listed = [&] {
    const auto& values = requirement.values;
    return std::find(values.begin(), values.end(), label->second) != values.end();
  };
  switch (requirement.op) {
    case LabelSelector::Operator::kIn:
      return present && listed();
    case LabelSelector::Operator::kNotIn:
      return !present || !listed();  // a missing key is in no list
    case LabelSelector::Operator::kExists:
      return present;
    case LabelSelector::Operator::kDoesNotExist:
      return !present;
  }
  return false;
}

}  // namespace

bool LabelSelector::Matches(const std::map<std::string, std::string>& labels) const {
  const auto equals = [&labels](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  const auto holds = [&labels](const Requirement& term) { return Holds(term, labels); };
  return std::all_of(match_labels.begin(), match_labels.end(), equals) &&
         std::all_of(match_expressions.begin(), match_expressions.end(), holds);
}

}  // namespace shm
