#include "manifest/yaml_reader.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "core/utf8.h"
#include "manifest/scalar.h"
#include "manifest/text_check.h"
#include "manifest/tree_builder.h"

namespace shm::manifest {
namespace {

// Ends the library's parsing from inside an event; the builder knows why.
struct Stop {};

// About what a value takes in memory.
std::size_t CostOf(const Json& value) {
  std::size_t cost = sizeof(Json);
  if (value.is_string()) return cost + value.get_ref<const std::string&>().size();
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) cost += key.size() + CostOf(member);
  } else if (value.is_array()) {
    for (const Json& element : value) cost += CostOf(element);
  }
  return cost;
}

// yaml-cpp makes one byte each, 0x85 and 0xA0, of the escapes \N and \_, which is no UTF-8: the
// characters U+0085 and U+00A0 are meant (YAML 1.1, 5.7). The text before was UTF-8.
std::string MendEscapes(const std::string& text) {
  std::string mended;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CharacterSize(text, at);
    if (size == 0) mended += '\xC2';
    mended.append(text, at, std::max<std::size_t>(size, 1));
    at += std::max<std::size_t>(size, 1);
  }
  return mended;
}

// Turns yaml-cpp's events into the builder's.
class Handler : public YAML::EventHandler {
 public:
  Handler(TreeBuilder* builder, std::string_view text) : builder_(*builder), text_(text) {}

  // The line of a key that ended the document without a value; 0: it ended otherwise.
  std::size_t key_alone() const { return key_alone_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    key_alone_ = builder_.KeyPending() && !InFlow() && plain_key_ ? key_line_ : 0;
    Scalar(Enter(mark), Json(nullptr), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const std::size_t line = Enter(mark);
    key_alone_ = 0;
    plain_key_ = tag != "!";                                         // of a key, should this be one
    if (tag == "!") return Scalar(line, MendEscapes(text), anchor);  // quoted
    if (tag == "?" || tag.empty()) {
      if (text == "<<" && ExpectsKey()) return Check(builder_.MergeKey(line));
      const auto typed = TypeOf(text);
      if (!typed) Check(builder_.Fail(line, "JSON has no number " + text));
      return Scalar(line, *typed, anchor);
    }
    const Result<Json> typed = TypeOfTagged(tag, MendEscapes(text));
    if (!typed.ok()) Check(builder_.Fail(line, typed.error().message));
    Scalar(line, *typed, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t line = Enter(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      Check(builder_.Fail(line, "an anchor must not stand inside its own value"));
    }
    Spend(found->second.cost, line);
    const Json& value = found->second.value;
    if (ExpectsKey()) return Scalar(line, value, YAML::NullAnchor);
    Check(CheckDepth(value, line) && builder_.Value(value, line));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    const std::size_t line = Enter(mark);
    Open(line, anchor, style);
    Check(builder_.OpenList(line));
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    const std::size_t line = Enter(mark);
    Open(line, anchor, style);
    Check(builder_.OpenObject(line));
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Anchored {
    Json value;
    std::size_t cost;
  };
  struct Opened {
    std::size_t line;
    YAML::anchor_t anchor;
    bool flow;
  };

  // The line of what begins now. A tab before it is an indentation, which YAML forbids: yaml-cpp
  // lets some pass.
  std::size_t Enter(const YAML::Mark& mark) {
    const auto line = static_cast<std::size_t>(mark.line < 0 ? 0 : mark.line);
    for (; line_ < line; ++line_) {
      const std::size_t end = text_.find('\n', line_begin_);
      line_begin_ = end == std::string_view::npos ? text_.size() : end + 1;
    }
    const std::size_t first = text_.find_first_not_of(" \t", line_begin_);
    if (!InFlow() && line_ == line && first != std::string_view::npos &&
        line_begin_ + static_cast<std::size_t>(mark.column) == first &&
        text_.substr(line_begin_, first - line_begin_).find('\t') != std::string_view::npos) {
      Check(builder_.Fail(line + 1, "a tab must not indent"));
    }
    return line + 1;
  }
  static void Check(bool goes_on) {
    if (!goes_on) throw Stop();
  }
  bool InFlow() const { return !opened_.empty() && opened_.back().flow; }
  bool ExpectsKey() const { return builder_.InObject() && !builder_.KeyPending(); }

  void Scalar(std::size_t line, const Json& value, YAML::anchor_t anchor) {
    if (!ExpectsKey()) {
      Check(builder_.Value(value, line));
      return Remember(anchor, value, line);
    }
    const auto key = value.is_structured() ? std::nullopt : KeyOf(value);
    if (!key) Check(builder_.Fail(line, "a key must be a string, a number or a boolean"));
    Check(builder_.Key(*key, line));
    key_line_ = line;
    Remember(anchor, value, line);
  }

  void Open(std::size_t line, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    key_alone_ = 0;
    if (ExpectsKey()) {
      Check(builder_.Fail(line, "a key must be a string, a number or a boolean"));
    }
    opened_.push_back({line, anchor, style == YAML::EmitterStyle::Flow});
  }

  void Close() {
    const Opened opened = opened_.back();
    opened_.pop_back();
    Check(builder_.Close(opened.line));
    if (opened.anchor != YAML::NullAnchor) Remember(opened.anchor, builder_.Last(), opened.line);
  }

  // A copy: what is anchored may itself be inside of something that still grows.
  void Remember(YAML::anchor_t anchor, const Json& value, std::size_t line) {
    if (anchor == YAML::NullAnchor) return;
    const std::size_t cost = CostOf(value);
    Spend(cost, line);
    anchors_[anchor] = {value, cost};
  }

  void Spend(std::size_t cost, std::size_t line) {
    spent_ += cost;
    if (spent_ <= kMaxAliasBytes) return;
    Check(builder_.Fail(line, "aliases make the document larger by more than " +
                                  std::to_string(kMaxAliasBytes) + " bytes"));
  }

  bool CheckDepth(const Json& value, std::size_t line) {
    if (opened_.size() + DepthOf(value) <= kMaxDepth) return true;
    return builder_.Fail(line, "nests deeper than " + std::to_string(kMaxDepth));
  }

  static std::size_t DepthOf(const Json& value) {
    std::size_t deepest = 0;
    if (!value.is_structured()) return deepest;
    for (const Json& child : value) deepest = std::max(deepest, DepthOf(child));
    return deepest + 1;
  }

  TreeBuilder& builder_;
  const std::string_view text_;
  std::size_t line_ = 0;        // from 0, and where it begins in text_
  std::size_t line_begin_ = 0;  // never goes back: events come in the order of the text
  std::vector<Opened> opened_;
  std::size_t key_line_ = 0;
  std::size_t key_alone_ = 0;
  bool plain_key_ = false;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t spent_ = 0;
};

// Where the library gave up: it may have come to the end marker that was put behind the text.
ReadFailure Failed(std::string_view text, const YAML::Mark& mark, const std::string& message) {
  const std::size_t lines = std::max<std::size_t>(1, LineAt(text, text.find_last_not_of("\r\n")));
  const auto line = static_cast<std::size_t>(mark.line < 0 ? 0 : mark.line) + 1;
  return ReadFailure{std::min(line, lines), {"", message}};
}

// A line end to the tools that Kubernetes stands on, none to yaml-cpp: the text would mean
// something else here.
std::optional<ReadFailure> CheckLineEnds(std::string_view text) {
  for (std::size_t at = text.find('\r'); at < text.size(); at = text.find('\r', at + 1)) {
    if (text.substr(at + 1, 1) != "\n") {
      return ReadFailure{LineAt(text, at), {"", "a carriage return without a line feed"}};
    }
  }
  return std::nullopt;
}

// Whether a line has a colon that ends a key, outside of a comment, or is an explicit key.
bool EndsAKey(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos || line[first] == '#') return false;
  if (line[first] == '?') return true;
  line = line.substr(0, line.find(" #"));
  for (std::size_t at = line.find(':'); at < line.size(); at = line.find(':', at + 1)) {
    if (at + 1 == line.size() || line[at + 1] == ' ' || line[at + 1] == '\t' ||
        line[at + 1] == '\r') {
      return true;
    }
  }
  return false;
}

// yaml-cpp takes the last line of a block for a key without a value although it has no colon.
std::optional<ReadFailure> CheckLastKey(std::string_view text, std::size_t line) {
  if (line == 0) return std::nullopt;
  std::size_t begin = 0;
  for (std::size_t i = 1; i < line && begin < text.size(); ++i) begin = text.find('\n', begin) + 1;
  for (std::size_t at = begin; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (EndsAKey(text.substr(at, end - at))) return std::nullopt;
    at = end + 1;
  }
  return ReadFailure{line, {"", "a key without a colon"}};
}

// The scanner keeps something for each bracket that is open, before anything is told of it. Texts
// that open thousands more than they close are refused first; a bracket in a scalar is no matter.
std::optional<ReadFailure> CheckBrackets(std::string_view text) {
  constexpr std::ptrdiff_t kMostOpen = 20 * kMaxDepth;
  std::ptrdiff_t open = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '[' || text[at] == '{') ++open;
    if (text[at] == ']' || text[at] == '}') --open;
    if (open > kMostOpen) {
      return ReadFailure{LineAt(text, at), {"", "nests deeper than " + std::to_string(kMaxDepth)}};
    }
  }
  return std::nullopt;
}

// Nothing where the text was read to its end.
std::optional<ReadFailure> Read(std::string_view text, TreeBuilder* builder) {
  if (auto failure = CheckLineEnds(text)) return failure;
  if (auto failure = CheckBrackets(text)) return failure;
  // The end marker makes a quote that is never closed an error; at the end of a text it is none.
  std::istringstream stream{std::string(text) + "\n...\n"};
  Handler handler(builder, text);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(handler)) return std::nullopt;
    if (auto failure = CheckLastKey(text, handler.key_alone())) return failure;
    if (parser.HandleNextDocument(handler)) {
      return ReadFailure{0, {"", "more than one document without --- between them"}};
    }
  } catch (const Stop&) {
    return builder->failure();
  } catch (const YAML::DeepRecursion& deep) {
    return Failed(text, deep.mark, "nests too deeply");
  } catch (const YAML::Exception& error) {
    return Failed(text, error.mark, error.msg);
  } catch (const std::exception& error) {  // what else yaml-cpp lets through
    return ReadFailure{0, {"", error.what()}};
  }
  return std::nullopt;
}

}  // namespace

ReadOutcome ReadYaml(std::string_view text) {
  TreeBuilder builder;
  if (auto failure = Read(text, &builder)) return *failure;
  return builder.Take();
}

FieldLines FindYamlFields(std::string_view text, const FieldLines& fields) {
  TreeBuilder builder(fields);
  (void)Read(text, &builder);
  return builder.TakeLines();
}

}  // namespace shm::manifest
