#include "webhook/review.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base64.h"
#include "core/plain_text.h"
#include "core/pod_view.h"
#include "webhook/json_scan.h"

namespace shm::webhook {
namespace {

using Json = nlohmann::json;

// Follows the few paths that matter by their depth; everything else passes unread.
class ReviewSax final : public ObjectSax {
 public:
  ReviewSax(ObjectSax& object, ReviewFacts& facts) : object_(object), facts_(facts) {}

  bool null() override { return In() ? object_.null() : true; }
  bool boolean(bool value) override {
    if (In()) return object_.boolean(value);
    if (place_ == Place::kRequest && depth_ == 2 && key_ == "dryRun") facts_.dry_run = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    return In() ? object_.number_integer(value) : true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    return In() ? object_.number_unsigned(value) : true;
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return In() ? object_.number_float(value, text) : true;
  }
  bool binary(binary_t& value) override { return In() ? object_.binary(value) : true; }
  bool string(string_t& value) override { return In() ? object_.string(value) : SetFact(value); }
  bool PlainString(std::string_view text) override {
    return In() ? object_.PlainString(text) : SetFact(text);
  }
  bool key(string_t& value) override { return In() ? object_.key(value) : SetKey(value); }
  bool PlainKey(std::string_view text) override {
    return In() ? object_.PlainKey(text) : SetKey(text);
  }
  bool WantsValue() const override {
    if (In()) return object_.WantsValue();
    static constexpr std::string_view kWanted[] = {
        "request", "object", "dryRun",    "kind",        "group",     "apiVersion",
        "uid",     "name",   "namespace", "subResource", "operation",
    };
    return std::find(std::begin(kWanted), std::end(kWanted), key_) != std::end(kWanted);
  }

  bool start_object(std::size_t size) override {
    ++depth_;
    if (place_ == Place::kObject) return object_.start_object(size);
    if (depth_ == 2 && place_ == Place::kReview && key_ == "request") {
      place_ = Place::kRequest;
    } else if (depth_ == 3 && place_ == Place::kRequest && key_ == "object") {
      facts_.has_object = true;
      place_ = Place::kObject;
      return object_.start_object(size);
    } else if (depth_ == 3 && place_ == Place::kRequest && key_ == "kind") {
      place_ = Place::kKind;
    }
    return true;
  }
  bool end_object() override {
    const int closed = depth_--;
    if (place_ == Place::kObject) {
      const bool go_on = object_.end_object();
      if (closed == 3) place_ = Place::kRequest;
      return go_on;
    }
    if (closed == 3 && place_ == Place::kKind) place_ = Place::kRequest;
    if (closed == 2 && place_ == Place::kRequest) place_ = Place::kReview;
    return true;
  }
  bool start_array(std::size_t size) override {
    ++depth_;
    return In() ? object_.start_array(size) : true;
  }
  bool end_array() override {
    --depth_;
    return In() ? object_.end_array() : true;
  }

  const std::string& refusal() const { return refusal_; }

 private:
  enum class Place { kReview, kRequest, kKind, kObject };

  bool In() const { return place_ == Place::kObject; }
  // No API server says more; what is said comes back in the answer and the log.
  bool SetFact(std::string_view text) {
    std::string* const target = Target();
    if (!target) return true;
    if (text.size() > kMaxNameBytes) {
      refusal_ = "has a " + key_ + " of more than " + std::to_string(kMaxNameBytes) + " bytes";
      return false;
    }
    *target = text;
    return true;
  }
  bool SetKey(std::string_view text) {
    if (depth_ <= 3) key_ = text;
    return CheckOnce();
  }
  // Of two, the last would win elsewhere; here the question would be read as a mixture of both.
  bool CheckOnce() {
    bool* seen = nullptr;
    if (place_ == Place::kReview && depth_ == 1 && key_ == "request") seen = &request_seen_;
    if (place_ == Place::kRequest && depth_ == 2 && key_ == "uid") seen = &uid_seen_;
    if (place_ == Place::kRequest && depth_ == 2 && key_ == "object") seen = &object_seen_;
    if (seen == nullptr || !std::exchange(*seen, true)) return true;
    refusal_ = (place_ == Place::kReview ? "" : "request.") + key_ + " is there twice";
    return false;
  }
  // Where the string that comes next belongs; null where nowhere.
  std::string* Target() {
    if (place_ == Place::kReview && depth_ == 1) {
      if (key_ == "apiVersion") return &facts_.api_version;
      if (key_ == "kind") return &facts_.kind;
    } else if (place_ == Place::kRequest && depth_ == 2) {
      if (key_ == "uid") return &facts_.uid;
      if (key_ == "namespace") return &facts_.namespace_name;
      if (key_ == "name") return &facts_.name;
      if (key_ == "operation") return &facts_.operation;
      if (key_ == "subResource") return &facts_.subresource;
    } else if (place_ == Place::kKind && depth_ == 3) {
      if (key_ == "kind") return &facts_.object_kind;
      if (key_ == "group") return &facts_.object_group;
    }
    return nullptr;
  }

  ObjectSax& object_;
  ReviewFacts& facts_;
  Place place_ = Place::kReview;
  int depth_ = 0;
  std::string key_;
  bool request_seen_ = false;
  bool uid_seen_ = false;
  bool object_seen_ = false;
  std::string refusal_;
};

// Plain text, as almost all is, needs no document of nlohmann's to be written.
std::string Quoted(std::string_view text) {
  if (PlainSize(text) == text.size()) return '"' + std::string(text) + '"';
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// At most `limit` bytes, and no half of a UTF-8 sequence.
std::string_view Cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string WarningList(const std::vector<std::string>& warnings) {
  constexpr std::size_t kEach = 256;
  constexpr std::size_t kAll = 4096;
  std::string list;
  std::size_t used = 0;
  for (const std::string& warning : warnings) {
    const std::string_view text = Cut(warning, kEach);
    if (used + text.size() > kAll) break;
    used += text.size();
    list += (list.empty() ? "" : ",") + Quoted(text);
  }
  return list;
}

}  // namespace

Result<void> ReadReview(std::string_view body, ObjectSax& object, ReviewFacts& facts) {
  if (body.empty()) return Error{"", "the body is empty"};
  ReviewSax sax(object, facts);
  try {
    const ScanResult scan = ScanJson(body, sax, kMaxReviewDepth);
    if (scan.complete) return {};
    if (scan.too_deep) {
      return Error{"", "the body nests deeper than " + std::to_string(kMaxReviewDepth)};
    }
    if (scan.bad_at) {
      return Error{"", "the body is not valid JSON at byte " + std::to_string(*scan.bad_at)};
    }
  } catch (const std::exception& error) {
    return Error{"", std::string("the body cannot be read: ") + error.what()};
  }
  return Error{"", "the body " + (sax.refusal().empty() ? "holds no pod" : sax.refusal())};
}

Result<void> CheckReview(const ReviewFacts& facts) {
  if (facts.kind != "AdmissionReview") {
    return Error{"kind", "\"" + facts.kind + "\" is not AdmissionReview"};
  }
  if (facts.api_version != "admission.k8s.io/v1") {
    return Error{"apiVersion", "\"" + facts.api_version + "\" is not admission.k8s.io/v1"};
  }
  if (facts.uid.empty()) return Error{"request.uid", "is missing"};
  return {};
}

std::string WriteReview(std::string_view uid, const ReviewAnswer& answer) {
  std::string text = R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":)";
  text.reserve(text.size() + 512 + answer.patch.size() * 4 / 3);
  text += "{\"uid\":" + Quoted(uid) + ",\"allowed\":" + (answer.allowed ? "true" : "false");
  if (!answer.allowed) {
    text +=
        R"(,"status":{"code":403,"reason":"Forbidden","message":)" + Quoted(answer.message) + "}";
  } else if (!answer.patch.empty()) {
    text += R"(,"patchType":"JSONPatch","patch":")";
    AppendBase64(answer.patch, &text);
    text += '"';
  }
  if (const std::string warnings = WarningList(answer.warnings); !warnings.empty()) {
    text += ",\"warnings\":[" + warnings + "]";
  }
  text += "}}";
  return text;
}

}  // namespace shm::webhook
