#include "cli/output.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "manifest/yaml_writer.h"

namespace shm::cli {

void WriteAnswer(const nlohmann::ordered_json& answer, const std::string& format,
                 std::ostream& out) {
  using Json = nlohmann::ordered_json;
  const std::string text = answer.dump(2, ' ', false, Json::error_handler_t::replace);
  if (format == "yaml") {
    manifest::WriteYaml(Json::parse(text), out);
  } else {
    out << text << "\n";
  }
}

}  // namespace shm::cli
