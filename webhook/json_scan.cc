#include "webhook/json_scan.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/utf8.h"

namespace shm::webhook {
namespace {

constexpr std::size_t kUnknownSize = static_cast<std::size_t>(-1);

// Bytes that stand for themselves in a string, alone.
constexpr std::array<bool, 256> PlainBytes() {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = PlainBytes();

void AppendUtf8(std::uint32_t code, std::string& text) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Scanner {
 public:
  Scanner(std::string_view text, SelectiveSax& sax, std::size_t max_depth)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        max_depth_(max_depth),
        told_(sax),
        sax_(&sax) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") at_ += 3;
  }

  ScanResult Run() {
    const bool complete = Values();
    if (!bad_) return {complete, {}, too_deep_};
    return {false, static_cast<std::size_t>(at_ - begin_), false};
  }

 private:
  bool Bad() {
    bad_ = true;
    return false;
  }
  bool More() const { return at_ != end_; }
  bool Take(char c) {
    if (!More() || *at_ != c) return false;
    ++at_;
    return true;
  }
  void SkipBlanks() {
    while (More() && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  // Each turn begins where a value is due.
  bool Values() {
    for (;;) {
      SkipBlanks();
      bool due = false;  // inside an object or array that it opened
      if (Take('{')) {
        if (!Open('{', '}', due)) return false;
      } else if (Take('[')) {
        if (!Open('[', ']', due)) return false;
      } else if (!Scalar()) {
        return false;
      }
      if (due) continue;
      if (!AfterValue(due)) return false;
      if (!due) return true;
    }
  }

  bool Open(char open, char close, bool& due) {
    const bool object = open == '{';
    if (open_.size() >= max_depth_) {
      too_deep_ = true;
      return false;
    }
    if (!(object ? sax_->start_object(kUnknownSize) : sax_->start_array(kUnknownSize)))
      return false;
    SkipBlanks();
    if (Take(close)) return object ? sax_->end_object() : sax_->end_array();
    open_.push_back(open);
    due = true;
    return !object || Key();
  }

  // Closes what ends here; `due` where a comma asks for another value, unset at the text's end.
  bool AfterValue(bool& due) {
    for (;;) {
      if (open_.size() == quiet_depth_) sax_ = &told_;
      SkipBlanks();
      if (open_.empty()) return !More() || Bad();
      const bool object = open_.back() == '{';
      if (Take(',')) {
        due = true;
        return !object || Key();
      }
      if (!Take(object ? '}' : ']')) return Bad();
      open_.pop_back();
      if (!(object ? sax_->end_object() : sax_->end_array())) return false;
    }
  }

  bool Key() {
    SkipBlanks();
    if (!Take('"') || !Text()) return Bad();
    if (!sax_->key(text_)) return false;
    if (Tells() && !told_.WantsValue()) {
      sax_ = &silence_;
      quiet_depth_ = open_.size();
    }
    SkipBlanks();
    return Take(':') || Bad();
  }

  bool Tells() const { return sax_ == &told_; }

  bool Scalar() {
    if (!More()) return Bad();
    switch (*at_) {
      case '"':
        ++at_;
        return Text() ? sax_->string(text_) : Bad();
      case 't':
        return Word("true") ? sax_->boolean(true) : Bad();
      case 'f':
        return Word("false") ? sax_->boolean(false) : Bad();
      case 'n':
        return Word("null") ? sax_->null() : Bad();
      default:
        return Number();
    }
  }

  bool Word(std::string_view word) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) !=
        word) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  // A string's rest after its opening quote, into text_ if anybody wants it.
  bool Text() {
    const bool keep = Tells();
    text_.clear();
    for (;;) {
      const char* from = at_;
      while (More() && kPlain[static_cast<unsigned char>(*at_)]) ++at_;
      if (keep) text_.append(from, at_);
      if (Take('"')) return true;
      if (!More()) return false;
      if (!(Take('\\') ? Escape() : Utf8())) return false;
    }
  }

  bool Utf8() {
    const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    const std::size_t size = CharacterSize(rest, 0);
    text_.append(rest.substr(0, size));
    at_ += size;
    return size > 1;  // a control character is one that must be escaped
  }

  bool Escape() {
    if (!More()) return false;
    static constexpr std::string_view kLetters = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    const char letter = *at_++;
    if (letter == 'u') return Unicode();
    const std::size_t found = kLetters.find(letter);
    if (found == std::string_view::npos) return false;
    text_ += kMeant[found];
    return true;
  }

  bool Unicode() {
    std::uint32_t code = 0;
    std::uint32_t low = 0;
    if (!Hex(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (!Take('\\') || !Take('u') || !Hex(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF);
    }
    AppendUtf8(code, text_);
    return true;
  }

  bool Hex(std::uint32_t& code) {
    if (end_ - at_ < 4) return false;
    const auto [last, error] = std::from_chars(at_, at_ + 4, code, 16);
    if (error != std::errc() || last != at_ + 4) return false;
    at_ += 4;
    return true;
  }

  bool Digits() {
    const char* from = at_;
    while (More() && IsDigit(*at_)) ++at_;
    return at_ != from;
  }

  bool Number() {
    const char* from = at_;
    const bool negative = Take('-');
    if (!Take('0') && !Digits()) return Bad();
    bool whole = true;
    if (Take('.')) {
      whole = false;
      if (!Digits()) return Bad();
    }
    if (Take('e') || Take('E')) {
      whole = false;
      if (!Take('+')) Take('-');
      if (!Digits()) return Bad();
    }
    if (whole && negative) {
      std::int64_t value = 0;
      if (std::from_chars(from, at_, value).ec == std::errc()) return sax_->number_integer(value);
    } else if (whole) {
      std::uint64_t value = 0;
      if (std::from_chars(from, at_, value).ec == std::errc()) return sax_->number_unsigned(value);
    }
    // Also what no integer holds.
    text_.assign(from, at_);
    const double value = std::strtod(text_.c_str(), nullptr);
    return std::isfinite(value) ? sax_->number_float(value, text_) : Bad();
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const std::size_t max_depth_;
  SelectiveSax& told_;
  SelectiveSax silence_;         // takes the events that nobody wants
  SelectiveSax* sax_;            // told_, or silence_ while a value is read that it does not want
  std::size_t quiet_depth_ = 0;  // of that value's object
  std::string open_;             // '{' and '[' of what is open
  std::string text_;             // of the string or number at hand
  bool bad_ = false;
  bool too_deep_ = false;
};

}  // namespace

ScanResult ScanJson(std::string_view text, SelectiveSax& sax, std::size_t max_depth) {
  return Scanner(text, sax, max_depth).Run();
}

}  // namespace shm::webhook
