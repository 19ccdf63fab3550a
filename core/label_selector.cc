#include <algorithm>

#include "core/inference_service.h"

namespace shm {
namespace {

bool Holds(const LabelSelector::Requirement& requirement, const StringMap& labels) {
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

using Requirement = LabelSelector::Requirement;
using Operator = LabelSelector::Operator;

// All terms; a label is an In of one value.
std::vector<Requirement> Terms(const LabelSelector& selector) {
  std::vector<Requirement> terms = selector.match_expressions;
  for (const auto& [key, value] : selector.match_labels) {
    terms.push_back({key, Operator::kIn, {value}});
  }
  return terms;
}

bool Has(const Requirement& term, const std::string& value) {
  return std::find(term.values.begin(), term.values.end(), value) != term.values.end();
}

bool IsSubset(const Requirement& part, const Requirement& whole) {
  return std::all_of(part.values.begin(), part.values.end(),
                     [&whole](const std::string& value) { return Has(whole, value); });
}

bool AreDisjoint(const Requirement& one, const Requirement& other) {
  return std::none_of(one.values.begin(), one.values.end(),
                      [&other](const std::string& value) { return Has(other, value); });
}

// Whether the one term is enough for the other to hold.
bool TermImplies(const Requirement& given, const Requirement& wanted) {
  if (given.key != wanted.key) return false;
  switch (wanted.op) {
    case Operator::kIn:
      return given.op == Operator::kIn && IsSubset(given, wanted);
    case Operator::kNotIn:
      return given.op == Operator::kDoesNotExist ||
             (given.op == Operator::kIn && AreDisjoint(given, wanted)) ||
             (given.op == Operator::kNotIn && IsSubset(wanted, given));
    case Operator::kExists:
      return given.op == Operator::kExists || given.op == Operator::kIn;
    case Operator::kDoesNotExist:
      return given.op == Operator::kDoesNotExist;
  }
  return false;
}

}  // namespace

bool Implies(const LabelSelector& narrow, const LabelSelector& wide) {
  const std::vector<Requirement> given = Terms(narrow);
  const std::vector<Requirement> wanted = Terms(wide);
  return std::all_of(wanted.begin(), wanted.end(), [&given](const Requirement& term) {
    return std::any_of(given.begin(), given.end(),
                       [&term](const Requirement& other) { return TermImplies(other, term); });
  });
}

bool LabelSelector::Matches(const StringMap& labels) const {
  const auto equals = [&labels](const auto& wanted) {
    const auto label = labels.find(wanted.first);
    return label != labels.end() && label->second == wanted.second;
  };
  const auto holds = [&labels](const Requirement& term) { return Holds(term, labels); };
  return std::all_of(match_labels.begin(), match_labels.end(), equals) &&
         std::all_of(match_expressions.begin(), match_expressions.end(), holds);
}

}  // namespace shm
