// What an API server says when it says no, as a value.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kube/transport.h"

namespace shm::kube {

// The reason of a metav1.Status, or why there was none. The names (ErrorReasonName) are metric
// labels.
enum class ErrorReason {
  kUnknown,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kAlreadyExists,
  kConflict,         // of resourceVersion, uid, or field owners
  kExpired,          // 410: Gone or Expired, the resourceVersion or continue token is too old
  kInvalid,          // 422
  kBadRequest,       // 400: also fieldValidation=Strict
  kTooManyRequests,  // 429: also an eviction that a PodDisruptionBudget holds up
  kTooLarge,         // 413, or a response above our cap
  kMethodNotAllowed,
  kServerTimeout,            // the server's own: 504 Timeout or ServerTimeout
  kResourceVersionTooLarge,  // 504: this server has not seen that resourceVersion yet
  kServiceUnavailable,
  kInternalError,
  kUnreachable,  // no connection
  kTls,
  kTimeout,    // our deadline
  kCancelled,  // we are stopping
  kMalformed,  // the answer is not what an API server sends
};
inline constexpr std::size_t kErrorReasonCount =
    static_cast<std::size_t>(ErrorReason::kMalformed) + 1;
std::string_view ErrorReasonName(ErrorReason reason);

// A StatusCause: which field, and what is wrong with it.
struct ErrorCause {
  std::string reason;
  std::string field;
  std::string message;
  friend bool operator==(const ErrorCause&, const ErrorCause&) = default;
};

struct ApiError {
  ErrorReason reason = ErrorReason::kUnknown;
  int code = 0;         // HTTP status; 0 where there was no response
  std::string message;  // the server's words, else ours
  std::optional<std::chrono::seconds> retry_after;
  std::vector<ErrorCause> causes;
  std::string continue_token;  // metadata.continue of an Expired list

  // "Conflict (409): message".
  std::string ToString() const;

  // Whether the same request may succeed later without anybody changing anything.
  bool Retriable() const;

  // Whether the request may have taken effect although it failed.
  bool OutcomeUnknown() const;
};

// Either a T or an ApiError; otherwise as core/result.h.
template <typename T>
class [[nodiscard]] ApiResult {
 public:
  ApiResult(T value)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<0>, std::move(value)) {}
  ApiResult(ApiError error)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  bool Is(ErrorReason reason) const { return !ok() && error().reason == reason; }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const ApiError& error() const { return std::get<1>(state_); }

  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::variant<T, ApiError> state_;
};

// Success, or an ApiError.
template <>
class [[nodiscard]] ApiResult<void> {
 public:
  ApiResult() = default;
  ApiResult(ApiError error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  bool Is(ErrorReason reason) const { return !ok() && error_->reason == reason; }
  const ApiError& error() const { return *error_; }

 private:
  std::optional<ApiError> error_;
};

// The error in a response whose status is not 2xx. Its body should be a metav1.Status, and need not
// be: proxies and half-started servers answer with text.
ApiError ErrorFromResponse(const HttpResponse& response);

// The error in the object of a watch's ERROR event, as its JSON text.
ApiError ErrorFromStatus(std::string_view status_json);

// The error of a request without a response.
ApiError ErrorFromFailure(TransportFailure failure, const std::string& message);

}  // namespace shm::kube
