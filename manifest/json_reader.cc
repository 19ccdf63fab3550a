#include "manifest/json_reader.h"

#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "manifest/text_check.h"
#include "manifest/tree_builder.h"

namespace shm::manifest {
namespace {

// Reads a text and lets others know how far it has come: the events carry no position.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** reached_;
};

class Handler : public nlohmann::json_sax<Json> {
 public:
  Handler(TreeBuilder* builder, std::string_view text, const char* const* reached)
      : builder_(*builder), text_(text), reached_(*reached) {}

  bool null() override { return builder_.Value(nullptr, Line()); }
  bool boolean(bool value) override { return builder_.Value(value, Line()); }
  bool number_integer(number_integer_t value) override { return builder_.Value(value, Line()); }
  bool number_unsigned(number_unsigned_t value) override { return builder_.Value(value, Line()); }
  bool number_float(number_float_t value, const string_t&) override {
    return builder_.Value(value, Line());
  }
  bool string(string_t& value) override { return builder_.Value(std::move(value), Line()); }
  bool binary(binary_t&) override { return builder_.Fail(Line(), "must not be binary"); }
  bool start_object(std::size_t) override { return builder_.OpenObject(Line()); }
  bool key(string_t& value) override { return builder_.Key(std::move(value), Line()); }
  bool end_object() override { return builder_.Close(Line()); }
  bool start_array(std::size_t) override { return builder_.OpenList(Line()); }
  bool end_array() override { return builder_.Close(Line()); }
  bool parse_error(std::size_t, const std::string& token,
                   const nlohmann::detail::exception& error) override {
    syntax_ = error.id != 406;  // out_of_range: a number that no double holds
    return builder_.Fail(Line(), syntax_ ? "no JSON at \"" + token.substr(0, 40) + "\""
                                         : "the number is out of range");
  }
  bool syntax() const { return syntax_; }

 private:
  // Counted on from the last time: the lines of a long text are counted once.
  std::size_t Line() {
    const char* here = reached_;
    for (; counted_ != here; ++counted_) line_ += *counted_ == '\n' ? 1 : 0;
    return line_;
  }

  TreeBuilder& builder_;
  const std::string_view text_;
  const char* const& reached_;
  const char* counted_ = text_.data();
  std::size_t line_ = 1;
  bool syntax_ = false;
};

}  // namespace

ReadOutcome ReadJson(std::string_view text) {
  const char* reached = text.data();
  TreeBuilder builder;
  Handler handler(&builder, text, &reached);
  const Cursor begin(text.data(), &reached);
  const Cursor end(text.data() + text.size(), &reached);
  const bool good = Json::sax_parse(begin, end, &handler, Json::input_format_t::json, false);
  if (good && !builder.failure()) return builder.Take();
  ReadFailure failure = *builder.failure();
  failure.syntax = handler.syntax();
  return failure;
}

}  // namespace shm::manifest
