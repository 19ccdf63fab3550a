#include "core/owned_fields.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

constexpr std::string_view kField = "f:";  // the value under a name
constexpr std::string_view kKeys = "k:";   // the item of a list with these values of its key fields
constexpr std::string_view kValue = "v:";  // the item of a list that is this value

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

const json* Find(const json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

json Extract(const json& fields, const json& live);

json ExtractObject(const json& fields, const json& live) {
  json owned = json::object();
  for (const auto& [path, within] : fields.items()) {
    if (!StartsWith(path, kField)) continue;
    const std::string name = path.substr(kField.size());
    const json* value = Find(live, name);
    // Applied as empty, and left out where it is stored: null stands for it.
    owned[name] = value ? Extract(within, *value) : json();
  }
  return owned;
}

// The fields of a list by what tells its items apart, each printed in our own way.
std::map<std::string, const json*> ItemsOf(const json& fields, std::string_view kind) {
  std::map<std::string, const json*> items;
  for (const auto& [path, within] : fields.items()) {
    if (!StartsWith(path, kind)) continue;
    const json id = json::parse(path.substr(kind.size()), nullptr, /*allow_exceptions=*/false);
    if (!id.is_discarded()) items.emplace(id.dump(), &within);
  }
  return items;
}

// All items of a list have the same key fields.
std::string KeysOf(const json& item, const json& example) {
  json keys = json::object();
  for (const auto& [name, value] : example.items()) {
    if (const json* found = Find(item, name)) keys[name] = *found;
  }
  return keys.dump();
}

json ExtractList(const json& fields, const json& live) {
  const auto by_keys = ItemsOf(fields, kKeys);
  const auto by_value = ItemsOf(fields, kValue);
  const json example = by_keys.empty() ? json::object() : json::parse(by_keys.begin()->first);
  json owned = json::array();
  for (const json& item : live) {
    const auto keyed = by_keys.find(KeysOf(item, example));
    if (keyed != by_keys.end()) {
      owned.push_back(Extract(*keyed->second, item));
    } else if (by_value.count(item.dump()) > 0) {
      owned.push_back(item);
    }
  }
  return owned;
}

json Extract(const json& fields, const json& live) {
  if (!fields.is_object() || fields.empty()) return live;  // owned as a whole
  if (live.is_object()) return ExtractObject(fields, live);
  if (live.is_array()) return ExtractList(fields, live);
  return live;
}

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/.
class Digest {
 public:
  void Add(std::string_view text) {
    for (const char c : text) AddByte(static_cast<unsigned char>(c));
    AddByte(0);  // "ab" and "c" are not "a" and "bc"
  }
  FieldsDigest value() const { return value_; }

 private:
  void AddByte(unsigned char byte) {
    value_ ^= byte;
    value_ *= 0x100000001b3ULL;
  }
  FieldsDigest value_ = 0xcbf29ce484222325ULL;
};

// Where a value stands: the names above it, lists left out.
struct Place {
  std::string_view above;
  std::string_view name;
};

template <std::size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsQuantity(const Place& place) {
  return place.above == "limits" || place.above == "requests" ||
         (place.above == "emptyDir" && place.name == "sizeLimit") ||
         (place.above == "resourceFieldRef" && place.name == "divisor");
}

// The fields of a pod template that the API server does not store where they are empty, since
// they have no pointer in k8s.io/api: absent and empty mean the same there.
bool IsLeftOut(const json& value, const Place& place) {
  static constexpr std::array<std::string_view, 5> kMaps = {"labels", "annotations", "nodeSelector",
                                                            "limits", "requests"};
  static constexpr std::array<std::string_view, 7> kFlags = {
      "readOnly", "hostNetwork", "hostIPC", "hostPID", "stdin", "stdinOnce", "tty"};
  if (value.is_null()) return true;
  if (value.is_array()) return value.empty();
  if (value.is_object()) return value.empty() && IsOneOf(place.name, kMaps);
  if (value.is_boolean()) return value == false && IsOneOf(place.name, kFlags);
  return value == "" && place.above == "env" && place.name == "value";
}

// A default that the API server fills into a field that is owned as a whole.
bool IsDefault(const json& value, const Place& place) {
  return value == "v1" && place.above == "fieldRef" && place.name == "apiVersion";
}

bool Identifies(const Place& place) {
  if (place.above.empty()) return place.name == "apiVersion" || place.name == "kind";
  return place.above == "metadata" && (place.name == "name" || place.name == "namespace");
}

void AddTo(Digest& digest, const json& value, const Place& place, int depth);

void AddScalar(Digest& digest, const json& value, const Place& place) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (IsQuantity(place)) {
    digest.Add("quantity");
    digest.Add(CanonicalQuantity(text));
    return;
  }
  digest.Add(value.is_string() ? "text" : "value");
  digest.Add(text);
}

void AddObject(Digest& digest, const json& object, const Place& place, int depth) {
  digest.Add("{");
  for (const auto& [name, value] : object.items()) {
    const Place within{place.name, name};
    // metadata of the object itself stands one below the top.
    if (depth <= 1 && Identifies(within)) continue;
    if (IsDefault(value, within)) continue;
    digest.Add(name);
    if (IsLeftOut(value, within)) {
      digest.Add("empty");
    } else {
      AddTo(digest, value, within, depth + 1);
    }
  }
  digest.Add("}");
}

void AddTo(Digest& digest, const json& value, const Place& place, int depth) {
  if (value.is_object()) return AddObject(digest, value, place, depth);
  if (!value.is_array()) return AddScalar(digest, value, place);
  digest.Add("[");
  for (const json& item : value) AddTo(digest, item, place, depth);
  digest.Add("]");
}

}  // namespace

json OwnedFields(const json& object, std::string_view manager) {
  const json* metadata = Find(object, "metadata");
  const json* entries = metadata ? Find(*metadata, "managedFields") : nullptr;
  if (!entries || !entries->is_array()) return nullptr;
  for (const json& entry : *entries) {
    const json* name = Find(entry, "manager");
    const json* operation = Find(entry, "operation");
    const json* fields = Find(entry, "fieldsV1");
    const bool ours = name && *name == manager && operation && *operation == "Apply";
    if (ours && !Find(entry, "subresource") && fields && fields->is_object() && !fields->empty()) {
      return ExtractObject(*fields, object);
    }
  }
  return nullptr;
}

FieldsDigest DigestOf(const json& configuration) {
  Digest digest;
  AddTo(digest, configuration, {}, 0);
  return digest.value();
}

}  // namespace shm
