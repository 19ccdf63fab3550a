// Values or errors, without exceptions.
//
// Exceptions of third-party libraries are turned into an Error in the .cc that called them; nothing
// else in this project throws. Results are plain values: copyable when T is, safe to hand between
// threads like any other value.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace shm {

// What went wrong, in words for a person. `field` is the path of the offending input as its author
// wrote it (for example "spec.sharedMemory.size"); empty where no single field is to blame.
// `message` names the value and what would be accepted.
struct Error {
  std::string field;
  std::string message;

  // "field: message", or just the message.
  std::string ToString() const { return field.empty() ? message : field + ": " + message; }
  friend bool operator==(const Error&, const Error&) = default;
};

// Either a T or an Error. Accessing the side that is not there is a programming error and ends the
// process (std::get on a variant throws, and nothing catches it).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const Error& error() const { return std::get<1>(state_); }

  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace shm
