// ReadPod and ReadPodDocument: drive PodViewBuilder by a text or by a document.
#include <nlohmann/json.hpp>

#include "core/pod_view.h"
#include "core/pod_view_builder.h"

namespace shm {
namespace {

using Json = nlohmann::json;

bool Walk(const Json& value, PodViewBuilder* builder);

bool WalkObject(const Json& object, PodViewBuilder* builder) {
  if (!builder->start_object(object.size())) return false;
  for (const auto& [name, member] : object.items()) {
    std::string copy = name;
    if (!builder->key(copy) || !Walk(member, builder)) return false;
  }
  return builder->end_object();
}

bool WalkArray(const Json& array, PodViewBuilder* builder) {
  if (!builder->start_array(array.size())) return false;
  for (const Json& element : array) {
    if (!Walk(element, builder)) return false;
  }
  return builder->end_array();
}

// As deep as the builder allows, kMaxPodDepth.
bool Walk(const Json& value, PodViewBuilder* builder) {
  switch (value.type()) {
    case Json::value_t::object:
      return WalkObject(value, builder);
    case Json::value_t::array:
      return WalkArray(value, builder);
    case Json::value_t::string: {
      std::string copy = value.get_ref<const std::string&>();
      return builder->string(copy);
    }
    case Json::value_t::boolean:
      return builder->boolean(value.get<bool>());
    case Json::value_t::number_integer:
      return builder->number_integer(value.get<Json::number_integer_t>());
    case Json::value_t::number_unsigned:
      return builder->number_unsigned(value.get<Json::number_unsigned_t>());
    case Json::value_t::number_float:
      return builder->number_float(value.get<double>(), "");
    case Json::value_t::binary: {
      Json::binary_t empty;
      return builder->binary(empty);
    }
    case Json::value_t::null:
    case Json::value_t::discarded:
      break;
  }
  return builder->null();
}

}  // namespace

Result<PodView> ReadPod(std::string_view json_text) {
  PodViewBuilder builder;
  // Its result is in the builder: a refused event or a wrong text leaves an error there.
  (void)Json::sax_parse(json_text, &builder);
  return builder.Take();
}

Result<PodView> ReadPodDocument(const Json& document) {
  PodViewBuilder builder;
  (void)Walk(document, &builder);
  return builder.Take();
}

}  // namespace shm
