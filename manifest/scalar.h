// The types of YAML's plain scalars, as the Kubernetes tools give them.
//
// kubectl, Helm and the API server read YAML through sigs.k8s.io/yaml, which stands on
// go.yaml.in/yaml/v2: YAML 1.1 with exceptions. Source of the rules: resolve.go and decode.go
// there, and yaml.go of sigs.k8s.io/yaml 1.6. yaml-cpp types nothing.
//
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifest/json.h"

namespace shm::manifest {

// The value of a plain scalar: "yes" is true, "017" is 15, "1e3" is 1000, "2001-01-01" a string.
// A number that has no fraction and fits 64 bits is an integer. Infinities and NaN are numbers that
// JSON cannot write: nothing.
std::optional<Json> TypeOf(std::string_view plain);

// The same where a tag stands before it: "!!str", "!!int", "!!float", "!!bool", "!!null",
// "!!binary" by their long names ("tag:yaml.org,2002:str"); other tags leave the text a string. An
// Error where the text is not of that type.
Result<Json> TypeOfTagged(std::string_view tag, const std::string& text);

// A key of a map as text: numbers and booleans by their values ("017" is "15", "on" is "true").
// Nothing for null.
std::optional<std::string> KeyOf(const Json& typed);

}  // namespace shm::manifest
