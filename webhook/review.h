// AdmissionReview v1: reading the API server's question without building a document, and writing
// the answer as text.
//
// Stateless; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/selective_sax.h"

namespace shm::webhook {

inline constexpr int kMaxReviewDepth = 512;  // nested objects and arrays

// What is read of the question beside the object.
struct ReviewFacts {
  std::string api_version;  // of the review
  std::string kind;         // of the review
  std::string uid;
  std::string namespace_name;  // request.namespace: the object's own may be missing (trap A8)
  std::string name;            // empty under generateName
  std::string operation;       // CREATE, ...
  std::string object_kind;     // request.kind.kind
  std::string object_group;    // request.kind.group; empty: the core group
  std::string subresource;     // empty: the object itself
  bool dry_run = false;
  bool has_object = false;  // request.object is an object
};

// Takes the events of request.object, its braces included. A handler that returns false ends the
// reading.
using ObjectSax = SelectiveSax;

// Reads `body` and hands request.object to `object`. `facts` holds what was read even where the
// result is an Error: the uid usually is, and belongs into the answer. An Error is a text that is
// not JSON or UTF-8, that nests deeper than kMaxReviewDepth, or that `object` refused.
Result<void> ReadReview(std::string_view body, ObjectSax& object, ReviewFacts& facts);

// Whether the facts are a question that can be answered: an AdmissionReview v1 with a uid.
Result<void> CheckReview(const ReviewFacts& facts);

struct ReviewAnswer {
  bool allowed = true;
  std::string patch;                  // JSON Patch as text; empty: none
  std::string message;                // why it was denied
  std::vector<std::string> warnings;  // shown to whoever made the request
};

// The AdmissionReview to answer with: the uid as it came, patch and patchType together or neither
// (trap A3). Warnings are cut at 256 bytes, and left out beyond 4096 in all: what an API server
// takes without cutting by itself.
std::string WriteReview(std::string_view uid, const ReviewAnswer& answer);

}  // namespace shm::webhook
