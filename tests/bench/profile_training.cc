// Answers reviews of all golden pods, so that the compiler sees which way the code mostly goes
// (docs/adr/0011): scripts/build-release.sh runs it, compiled by the preset "profile". One thread
// and a fixed number of reviews, so that the counts are the same every time.
//
//   train_profile tests/data/golden
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube/store.h"
#include "runtime/metrics.h"
#include "webhook/admission.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kReviewsOfEach = 20;
constexpr char kNamespace[] = "llm";

json ReadJson(const fs::path& path, const json& otherwise) {
  std::ifstream file(path);
  return file ? json::parse(file) : otherwise;
}

template <typename T>
void Fill(shm::kube::Store<T>& store, const json& objects) {
  store.BeginList();
  for (const json& object : objects) {
    const json& metadata = object.at("metadata");
    store.Upsert({metadata.value("namespace", ""), metadata.at("name").get<std::string>()}, object);
  }
  store.EndList();
}

// What an API server notes of who set which field, half of a pod's text.
json FieldsOf(const json& value) {
  json fields = json::object();
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) fields["f:" + key] = FieldsOf(member);
  } else if (value.is_array()) {
    for (const json& element : value) {
      const std::string name = element.is_object() ? element.value("name", "") : "";
      if (!name.empty()) fields["k:" + json{{"name", name}}.dump()] = FieldsOf(element);
    }
  }
  return fields;
}

std::string ReviewOf(json pod) {
  json fields = FieldsOf(pod);
  pod["metadata"]["managedFields"] = {
      {{"manager", "kube-controller-manager"}, {"operation", "Update"}, {"fieldsV1", fields}}};
  const json kind = {{"group", ""}, {"version", "v1"}, {"kind", "Pod"}};
  const json resource = {{"group", ""}, {"version", "v1"}, {"resource", "pods"}};
  const json request = {{"uid", "00000000-0000-4000-8000-000000000000"},
                        {"kind", kind},
                        {"resource", resource},
                        {"requestKind", kind},
                        {"requestResource", resource},
                        {"namespace", kNamespace},
                        {"operation", "CREATE"},
                        {"userInfo", {{"username", "system:serviceaccount:kube-system:job"}}},
                        {"object", pod},
                        {"oldObject", nullptr},
                        {"dryRun", false}};
  return json{
      {"kind", "AdmissionReview"}, {"apiVersion", "admission.k8s.io/v1"}, {"request", request}}
      .dump();
}

void Train(const fs::path& folder) {
  shm::kube::Store<shm::InferenceService> services{shm::ParseInferenceService};
  shm::kube::Store<shm::webhook::NamespaceRecord> namespaces{shm::webhook::ParseNamespaceRecord};
  Fill(services, ReadJson(folder / "services.json", json::array()));
  Fill(namespaces, json{{{"metadata", {{"name", kNamespace}}}}});
  shm::runtime::Metrics metrics;
  shm::webhook::AdmissionOptions options;
  options.wait = std::chrono::milliseconds(0);
  shm::webhook::Admission admission({services, namespaces}, metrics, options);
  const std::string review = ReviewOf(ReadJson(folder / "pod.json", nullptr));
  shm::runtime::Request request;
  request.method = "POST";
  request.path = shm::webhook::kLabelledPath;
  request.body = review;
  for (int i = 0; i < kReviewsOfEach; ++i) admission.Answer(request);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(argv[1])) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  try {
    for (const fs::path& folder : folders) Train(folder);
  } catch (const std::exception& error) {
    std::cerr << "train_profile: " << error.what() << "\n";
    return 1;
  }
  return folders.empty() ? 1 : 0;
}
