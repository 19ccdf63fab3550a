#include "kube/api_error.h"

#include <array>
#include <nlohmann/json.hpp>

#include "kube/list_reader.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

// What a proxy's page may contribute to a message.
constexpr std::size_t kMaxForeignText = 200;

struct NamedReason {
  std::string_view status_reason;
  ErrorReason reason;
};

// metav1.StatusReason (apimachinery pkg/apis/meta/v1/types.go).
constexpr std::array kStatusReasons = {
    NamedReason{"Unauthorized", ErrorReason::kUnauthorized},
    NamedReason{"Forbidden", ErrorReason::kForbidden},
    NamedReason{"NotFound", ErrorReason::kNotFound},
    NamedReason{"AlreadyExists", ErrorReason::kAlreadyExists},
    NamedReason{"Conflict", ErrorReason::kConflict},
    NamedReason{"Gone", ErrorReason::kExpired},
    NamedReason{"Expired", ErrorReason::kExpired},
    NamedReason{"Invalid", ErrorReason::kInvalid},
    NamedReason{"BadRequest", ErrorReason::kBadRequest},
    NamedReason{"TooManyRequests", ErrorReason::kTooManyRequests},
    NamedReason{"RequestEntityTooLarge", ErrorReason::kTooLarge},
    NamedReason{"MethodNotAllowed", ErrorReason::kMethodNotAllowed},
    NamedReason{"Timeout", ErrorReason::kServerTimeout},
    NamedReason{"ServerTimeout", ErrorReason::kServerTimeout},
    NamedReason{"ServiceUnavailable", ErrorReason::kServiceUnavailable},
    NamedReason{"InternalError", ErrorReason::kInternalError},
};

ErrorReason ReasonOfCode(int code) {
  switch (code) {
    case 400:
    case 415:
      return ErrorReason::kBadRequest;
    case 401:
      return ErrorReason::kUnauthorized;
    case 403:
      return ErrorReason::kForbidden;
    case 404:
      return ErrorReason::kNotFound;
    case 405:
      return ErrorReason::kMethodNotAllowed;
    case 409:
      return ErrorReason::kConflict;
    case 410:
      return ErrorReason::kExpired;
    case 413:
      return ErrorReason::kTooLarge;
    case 422:
      return ErrorReason::kInvalid;
    case 429:
      return ErrorReason::kTooManyRequests;
    case 500:
      return ErrorReason::kInternalError;
    case 502:
    case 503:
      return ErrorReason::kServiceUnavailable;
    case 504:
      return ErrorReason::kServerTimeout;
    default:
      return ErrorReason::kUnknown;
  }
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The member as an object; an empty one where it is something else.
const Json& Object(const Json& object, const char* name) {
  static const Json empty = Json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : empty;
}

void ReadDetails(const Json& details, ApiError& error) {
  const auto seconds = details.find("retryAfterSeconds");
  if (seconds != details.end() && seconds->is_number_integer() && seconds->get<int>() > 0) {
    error.retry_after = std::chrono::seconds(seconds->get<int>());
  }
  const auto causes = details.find("causes");
  if (causes == details.end() || !causes->is_array()) return;
  for (const Json& cause : *causes) {
    if (!cause.is_object()) continue;
    error.causes.push_back({Text(cause, "reason"), Text(cause, "field"), Text(cause, "message")});
    if (error.causes.back().reason == "ResourceVersionTooLarge") {
      error.reason = ErrorReason::kResourceVersionTooLarge;
    }
  }
}

// False where `text` is no Status.
bool ReadStatus(std::string_view text, ApiError& error) {
  const Json status = ParseJson(text);
  if (!status.is_object() || Text(status, "kind") != "Status") return false;
  const auto code = status.find("code");
  if (error.code == 0 && code != status.end() && code->is_number_integer()) {
    error.code = code->get<int>();
  }
  error.message = Text(status, "message");
  error.reason = ReasonOfCode(error.code);
  const std::string reason = Text(status, "reason");
  for (const NamedReason& named : kStatusReasons) {
    if (named.status_reason == reason) error.reason = named.reason;
  }
  error.continue_token = Text(Object(status, "metadata"), "continue");
  ReadDetails(Object(status, "details"), error);
  // Servers before 1.19 name the cause by this message only.
  if (error.message.find("Too large resource version") != std::string::npos) {
    error.reason = ErrorReason::kResourceVersionTooLarge;
  }
  return true;
}

}  // namespace

std::string_view ErrorReasonName(ErrorReason reason) {
  static constexpr std::array<std::string_view, kErrorReasonCount> kNames = {
      "Unknown",
      "Unauthorized",
      "Forbidden",
      "NotFound",
      "AlreadyExists",
      "Conflict",
      "Expired",
      "Invalid",
      "BadRequest",
      "TooManyRequests",
      "TooLarge",
      "MethodNotAllowed",
      "ServerTimeout",
      "ResourceVersionTooLarge",
      "ServiceUnavailable",
      "InternalError",
      "Unreachable",
      "TLS",
      "Timeout",
      "Cancelled",
      "Malformed"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string ApiError::ToString() const {
  std::string text(ErrorReasonName(reason));
  if (code != 0) text += " (" + std::to_string(code) + ")";
  return message.empty() ? text : text + ": " + message;
}

bool ApiError::Retriable() const {
  switch (reason) {
    case ErrorReason::kTooManyRequests:
    case ErrorReason::kServerTimeout:
    case ErrorReason::kResourceVersionTooLarge:
    case ErrorReason::kServiceUnavailable:
    case ErrorReason::kInternalError:
    case ErrorReason::kUnreachable:
    case ErrorReason::kTimeout:
    case ErrorReason::kConflict:
      return true;
    default:
      return false;
  }
}

bool ApiError::OutcomeUnknown() const {
  switch (reason) {
    case ErrorReason::kServerTimeout:
    case ErrorReason::kServiceUnavailable:
    case ErrorReason::kInternalError:
    case ErrorReason::kUnreachable:
    case ErrorReason::kTimeout:
    case ErrorReason::kCancelled:
    case ErrorReason::kMalformed:
    case ErrorReason::kTooLarge:
      return true;
    default:
      return false;
  }
}

ApiError ErrorFromResponse(const HttpResponse& response) {
  ApiError error;
  error.code = response.status;
  if (!ReadStatus(response.body, error)) {
    error.reason = ReasonOfCode(response.status);
    error.message = "the server answered " + std::to_string(response.status);
    if (!response.body.empty()) error.message += ": " + response.body.substr(0, kMaxForeignText);
  }
  if (response.retry_after) error.retry_after = response.retry_after;
  return error;
}

ApiError ErrorFromStatus(std::string_view status_json) {
  ApiError error;
  if (!ReadStatus(status_json, error)) {
    error.reason = ErrorReason::kMalformed;
    error.message = "not a Status: " + std::string(status_json.substr(0, kMaxForeignText));
  }
  return error;
}

ApiError ErrorFromFailure(TransportFailure failure, const std::string& message) {
  ApiError error;
  error.message = message;
  switch (failure) {
    case TransportFailure::kNone:
      break;
    case TransportFailure::kUnreachable:
      error.reason = ErrorReason::kUnreachable;
      break;
    case TransportFailure::kTls:
      error.reason = ErrorReason::kTls;
      break;
    case TransportFailure::kTimeout:
      error.reason = ErrorReason::kTimeout;
      break;
    case TransportFailure::kCancelled:
      error.reason = ErrorReason::kCancelled;
      break;
    case TransportFailure::kTooLarge:
      error.reason = ErrorReason::kTooLarge;
      break;
  }
  return error;
}

}  // namespace shm::kube
