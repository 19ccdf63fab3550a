// What a server-side apply made ours of a live object, and whether it is still as it was applied.
//
// The API server records in metadata.managedFields which fields each manager applied. A field that
// another manager changes by an update leaves our record; one that an apply takes over by force
// changes its value. So the fields of our record with their live values tell without a call whether
// an apply would change anything, after a restart as well.
// Format: k8s.io/apimachinery FieldsV1, sigs.k8s.io/structured-merge-diff fieldpath/serialize.go.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace shm {

// The part of `object` that `manager` has applied, in the order of the object; null stands for a
// field that it applied as empty and that is not stored. Without an entry of that manager, or where
// the entry cannot be read, null.
nlohmann::json OwnedFields(const nlohmann::json& object, std::string_view manager);

// Equal for configurations that the API server stores alike: what identifies the object
// (apiVersion, kind, metadata.name and .namespace) does not count, nor do nulls, empty lists, and
// empty values of the fields that it leaves out then; quantities count by value ("1000m" is "1").
// 64 bits, stable within a version of this program.
//
// Two equal ones may still differ here, in a default that the API server fills into a field which
// is owned as a whole: the cost is one apply that changes nothing.
using FieldsDigest = std::uint64_t;
FieldsDigest DigestOf(const nlohmann::json& configuration);

}  // namespace shm
