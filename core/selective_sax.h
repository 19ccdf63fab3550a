// Events of a JSON text, told by a reader that leaves out what is not wanted.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace shm {

// By itself it takes every event and does nothing: a handler overrides what it is there for.
class SelectiveSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  // Asked after each key: whether its value is to be told. What is not wanted is checked to be
  // JSON, and no more.
  virtual bool WantsValue() const { return true; }

  // Instead of `string` and `key`, where the text holds no escape and nothing beyond ASCII, as
  // almost all does: it stands in what is read, valid during the call. By themselves they copy it.
  virtual bool PlainString(std::string_view text) {
    string_t copy(text);
    return string(copy);
  }
  virtual bool PlainKey(std::string_view text) {
    string_t copy(text);
    return key(copy);
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }
};

}  // namespace shm
