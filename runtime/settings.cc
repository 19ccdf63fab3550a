#include "runtime/settings.h"

#include <yaml-cpp/yaml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>

namespace shm::runtime {
namespace {

using Values = std::map<std::string, std::string>;  // by flag

// Collects faults; one line each.
class Faults {
 public:
  void Add(const std::string& place, const std::string& message) {
    text_ += (text_.empty() ? "" : "\n") + place + ": " + message;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

const Setting* FindByKey(const std::vector<Setting>& settings, const std::string& key) {
  const auto found = std::find_if(settings.begin(), settings.end(), [&key](const Setting& setting) {
    return YamlKey(setting.flag) == key;
  });
  return found == settings.end() ? nullptr : &*found;
}

bool IsScalars(const YAML::Node& sequence) {
  return std::all_of(sequence.begin(), sequence.end(),
                     [](const YAML::Node& item) { return item.IsScalar(); });
}

// Items with a comma between two: what a flag would say.
std::string Joined(const YAML::Node& sequence) {
  std::string text;
  for (const YAML::Node& item : sequence) text += (text.empty() ? "" : ",") + item.Scalar();
  return text;
}

void ReadEntry(const std::string& path, const std::vector<Setting>& settings,
               const YAML::const_iterator::value_type& entry, Values& values, Faults& faults) {
  const std::string key = entry.first.as<std::string>("");
  const std::string place = path + ": " + key;
  const Setting* setting = FindByKey(settings, key);
  if (setting == nullptr) return faults.Add(place, "there is no such setting");
  if (values.count(setting->flag) > 0) return faults.Add(place, "is there twice");
  if (setting->list && entry.second.IsSequence() && IsScalars(entry.second)) {
    values[setting->flag] = Joined(entry.second);
    return;
  }
  if (!entry.second.IsScalar() && !entry.second.IsNull()) {
    return faults.Add(place, "takes a single value");
  }
  values[setting->flag] = entry.second.IsNull() ? "" : entry.second.Scalar();
}

Values ReadFile(const std::string& path, const std::vector<Setting>& settings, Faults& faults) {
  Values values;
  try {
    const YAML::Node document = YAML::LoadFile(path);
    if (document.IsNull()) return values;
    if (!document.IsMap()) {
      faults.Add(path, "is not a mapping of settings to values");
      return values;
    }
    for (const auto& entry : document) ReadEntry(path, settings, entry, values, faults);
  } catch (const YAML::Exception& error) {
    faults.Add(path, std::string("cannot be read: ") + error.what());
  }
  return values;
}

void Apply(const std::vector<Setting>& settings, const Values& values,
           const std::function<std::string(const std::string&)>& place, Faults& faults) {
  for (const Setting& setting : settings) {
    const auto found = values.find(setting.flag);
    if (found == values.end()) continue;
    if (const Result<void> set = setting.set(found->second); !set) {
      faults.Add(place(setting.flag), set.error().message);
    }
  }
}

Values ReadEnvironment(const std::vector<Setting>& settings, const Environment& environment) {
  Values values;
  for (const Setting& setting : settings) {
    const std::optional<std::string> value = environment(EnvironmentName(setting.flag).c_str());
    // Kubernetes puts SHM_OPERATOR_PORT=tcp://… into pods beside a Service named shm-operator.
    if (value && value->rfind("tcp://", 0) != 0) values[setting.flag] = *value;
  }
  return values;
}

}  // namespace

std::string YamlKey(const std::string& flag) {
  if (flag == "size-per-gpu") return "sizePerGPU";
  std::string key;
  bool upper = false;
  for (const char c : flag) {
    if (c != '-') key += upper ? static_cast<char>(std::toupper(c)) : c;
    upper = c == '-';
  }
  return key;
}

std::string EnvironmentName(const std::string& flag) {
  std::string name = "SHM_OPERATOR_";
  for (const char c : flag) name += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return name;
}

Result<std::string> ReadSettings(const std::string& program, const std::vector<Setting>& settings,
                                 const std::vector<std::string>& arguments,
                                 const Environment& environment) {
  CLI::App app(program);
  app.name(program);
  app.set_version_flag("--version", program + " " SHM_VERSION);
  std::string file;
  app.add_option("--config", file, "YAML file of these settings in camelCase");
  Values flags;
  for (const Setting& setting : settings) {
    app.add_option_function<std::string>(
        "--" + setting.flag,
        [&flags, &setting](const std::string& text) { flags[setting.flag] = text; }, setting.help);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForVersion& version) {
    return std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    return Error{"", error.what()};
  }
  Faults faults;
  if (file.empty()) file = environment(EnvironmentName("config").c_str()).value_or("");
  if (!file.empty()) {
    const auto place = [&file](const std::string& flag) { return file + ": " + YamlKey(flag); };
    Apply(settings, ReadFile(file, settings, faults), place, faults);
  }
  Apply(settings, ReadEnvironment(settings, environment), EnvironmentName, faults);
  Apply(
      settings, flags, [](const std::string& flag) { return "--" + flag; }, faults);
  if (!faults.text().empty()) return Error{"", faults.text()};
  return std::string();
}

}  // namespace shm::runtime
