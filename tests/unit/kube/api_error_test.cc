#include "kube/api_error.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace shm::kube {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Answers become typed errors by their Status, else by their code") {
  struct Row {
    int code;
    const char* body;
    ErrorReason reason;
  };
  const Row rows[] = {
      {404, R"({"kind":"Status","reason":"NotFound","code":404})", ErrorReason::kNotFound},
      {409, R"({"kind":"Status","reason":"AlreadyExists","code":409})",
       ErrorReason::kAlreadyExists},
      {409, R"({"kind":"Status","reason":"Conflict","code":409})", ErrorReason::kConflict},
      {409, "conflict, says a proxy", ErrorReason::kConflict},
      {410, R"({"kind":"Status","reason":"Gone"})", ErrorReason::kExpired},
      {410, R"({"kind":"Status","reason":"Expired"})", ErrorReason::kExpired},
      {422, R"({"kind":"Status","reason":"Invalid"})", ErrorReason::kInvalid},
      {401, R"({"kind":"Status","reason":"Unauthorized"})", ErrorReason::kUnauthorized},
      {403, R"({"kind":"Status","reason":"Forbidden"})", ErrorReason::kForbidden},
      {429, "", ErrorReason::kTooManyRequests},
      {500, R"({"kind":"Status","reason":"InternalError"})", ErrorReason::kInternalError},
      {500, R"({"kind":"Status","reason":"SomethingNew"})", ErrorReason::kInternalError},
      {503, "<html>", ErrorReason::kServiceUnavailable},
      {504, R"({"kind":"Status","reason":"Timeout"})", ErrorReason::kServerTimeout},
      {504,
       R"({"kind":"Status","reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})",
       ErrorReason::kResourceVersionTooLarge},
      {504, R"({"kind":"Status","reason":"Timeout","message":"Too large resource version: 9"})",
       ErrorReason::kResourceVersionTooLarge},
      {418, "", ErrorReason::kUnknown},
      {302, "", ErrorReason::kUnknown},
      {500, R"({"kind":"Status","reason":7,"details":[],"metadata":null})",
       ErrorReason::kInternalError},
  };
  for (const Row& row : rows) {
    INFO(row.code << " " << row.body);
    const ApiError error = ErrorFromResponse({row.code, row.body, std::nullopt});
    CHECK(error.reason == row.reason);
    CHECK(error.code == row.code);
  }
}

TEST_CASE("An error carries message, causes, continue token and the time to wait") {
  const ApiError error = ErrorFromResponse(
      {422,
       R"({"kind":"Status","reason":"Invalid","message":"no","metadata":{"continue":"next"},
           "details":{"retryAfterSeconds":3,"causes":[
             {"reason":"FieldValueInvalid","field":"spec.x","message":"bad"},7]}})",
       std::nullopt});
  CHECK(error.message == "no");
  CHECK(error.continue_token == "next");
  CHECK(error.retry_after == 3s);
  CHECK(error.causes == std::vector<ErrorCause>{{"FieldValueInvalid", "spec.x", "bad"}});
  CHECK(error.ToString() == "Invalid (422): no");
}

TEST_CASE("W5: the header Retry-After wins over the Status") {
  const char* body = R"({"kind":"Status","details":{"retryAfterSeconds":3}})";
  CHECK(ErrorFromResponse({429, body, 9s}).retry_after == 9s);
}

TEST_CASE("W1: the object of an ERROR event is read like an answer") {
  const ApiError error = ErrorFromStatus(R"({"kind":"Status","code":410,"reason":"Expired"})");
  CHECK(error.reason == ErrorReason::kExpired);
  CHECK(error.code == 410);
  CHECK(ErrorFromStatus(R"({"kind":"Pod"})").reason == ErrorReason::kMalformed);
  CHECK(ErrorFromStatus("nonsense").reason == ErrorReason::kMalformed);
}

TEST_CASE("Every reason has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kErrorReasonCount; ++i) {
    names.insert(ErrorReasonName(static_cast<ErrorReason>(i)));
  }
  CHECK(names.size() == kErrorReasonCount);
  CHECK(names.count("") == 0);
  CHECK(ErrorReasonName(ErrorReason::kMalformed) == "Malformed");
}

TEST_CASE("A refusal is final; of a broken call nobody knows what it did") {
  for (const ErrorReason reason :
       {ErrorReason::kInvalid, ErrorReason::kForbidden, ErrorReason::kNotFound}) {
    ApiError error;
    error.reason = reason;
    CHECK_FALSE(error.Retriable());
    CHECK_FALSE(error.OutcomeUnknown());
  }
  for (const TransportFailure failure :
       {TransportFailure::kUnreachable, TransportFailure::kTimeout}) {
    CHECK(ErrorFromFailure(failure, "x").Retriable());
    CHECK(ErrorFromFailure(failure, "x").OutcomeUnknown());
  }
}

}  // namespace
}  // namespace shm::kube
