#include "core/shell_arithmetic.h"

#include <charconv>
#include <string>

#include "core/shell_letters.h"

namespace shm {
namespace {

using Number = std::optional<std::int64_t>;

constexpr int kMaxDepth = 32;  // of parentheses and signs

// A leading 0 would make it octal.
Number DecimalDigits(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && stop == text.data() + text.size();
  return whole && number >= 0 ? Number(number) : std::nullopt;
}

Number Apply(char action, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  switch (action) {
    case '+':
      return __builtin_add_overflow(left, right, &result) ? std::nullopt : Number(result);
    case '-':
      return __builtin_sub_overflow(left, right, &result) ? std::nullopt : Number(result);
    case '*':
      return __builtin_mul_overflow(left, right, &result) ? std::nullopt : Number(result);
    default:
      if (right == 0 || right == -1) return std::nullopt;
      return action == '/' ? left / right : left % right;
  }
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const PodEnv& env) : text_(text), env_(env) {}

  Number Evaluate() {
    const Number value = Sum(0);
    return Peek() == '\0' ? value : std::nullopt;
  }

 private:
  char Peek() {
    while (at_ < text_.size() && (shell::IsBlank(text_[at_]) || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  Number Sum(int depth) {
    Number left = Product(depth);
    while (left && (Peek() == '+' || Peek() == '-')) {
      const char action = text_[at_++];
      const Number right = Product(depth);
      left = right ? Apply(action, *left, *right) : std::nullopt;
    }
    return left;
  }

  Number Product(int depth) {
    Number left = Factor(depth);
    while (left && (Peek() == '*' || Peek() == '/' || Peek() == '%')) {
      const char action = text_[at_++];
      const Number right = Factor(depth);
      left = right ? Apply(action, *left, *right) : std::nullopt;
    }
    return left;
  }

  Number Factor(int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    const char c = Peek();
    if (c == '(') {
      ++at_;
      const Number inner = Sum(depth + 1);
      return Peek() == ')' && ++at_ > 0 ? inner : std::nullopt;
    }
    if (c == '-' || c == '+') {
      ++at_;
      const Number right = Factor(depth + 1);
      return right ? Apply(c, 0, *right) : std::nullopt;
    }
    return c >= '0' && c <= '9' ? Digits() : Name();
  }

  Number Digits() {
    const std::size_t start = at_;
    while (at_ < text_.size() && shell::IsNamePart(text_[at_])) ++at_;
    return DecimalDigits(text_.substr(start, at_ - start));
  }

  Number Name() {
    const bool dollar = at_ < text_.size() && text_[at_] == '$';
    if (dollar) ++at_;
    const bool braces = dollar && at_ < text_.size() && text_[at_] == '{';
    if (braces) ++at_;
    const std::size_t length = shell::NameLength(text_.substr(at_));
    const std::string_view name = text_.substr(at_, length);
    at_ += length;
    if (length == 0 || (braces && (at_ >= text_.size() || text_[at_++] != '}'))) {
      return std::nullopt;
    }
    return DecimalDigits(env_.Value(name).value_or(""));
  }

  std::string_view text_;
  const PodEnv& env_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::int64_t> EvaluateArithmetic(std::string_view text, const PodEnv& env) {
  return Evaluator(text, env).Evaluate();
}

}  // namespace shm
