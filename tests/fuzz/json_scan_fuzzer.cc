// The webhook's reader of JSON sees what nlohmann's parser sees. A NUL is left out: outside of a
// string that parser takes it for the text's end.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "webhook/json_scan.h"

namespace {

using nlohmann::json;

class Events : public shm::SelectiveSax {
 public:
  bool null() override { return Note("n", ""); }
  bool boolean(bool value) override { return Note(value ? "t" : "f", ""); }
  bool number_integer(number_integer_t value) override { return Note("i", std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return Note("u", std::to_string(value));
  }
  bool number_float(number_float_t value, const string_t& digits) override {
    return Note("d", std::to_string(value) + " " + digits);
  }
  bool string(string_t& value) override { return Note("s", value); }
  bool binary(binary_t&) override { return Note("b", ""); }
  bool start_object(std::size_t) override { return Note("{", ""); }
  bool key(string_t& value) override { return Note("k", value); }
  bool end_object() override { return Note("}", ""); }
  bool start_array(std::size_t) override { return Note("[", ""); }
  bool end_array() override { return Note("]", ""); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }
  std::string text;

 private:
  bool Note(const char* what, const std::string& value) {
    text += what + value + "\n";
    return true;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Events ours;
  const shm::webhook::ScanResult scan = shm::webhook::ScanJson(text, ours);
  if (text.find('\0') != std::string_view::npos) return 0;
  Events theirs;
  if (json::sax_parse(text, &theirs) != scan.complete || ours.text != theirs.text) std::abort();
  return 0;
}
