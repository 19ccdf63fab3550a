// The webhook's handler alone, without a connection: nanoseconds of CPU a review. For a profiler,
// and for what a change of the readers is worth.
//
//   bench_handler REVIEW.json [SECONDS]    0: one answer, for callgrind to count its instructions
//
// In tests/bench `go run ./load -reviews FOLDER` writes such reviews.
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "kube/store.h"
#include "runtime/metrics.h"
#include "webhook/admission.h"

namespace {

using nlohmann::json;

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <typename T>
void Fill(shm::kube::Store<T>& store, const std::string& name_space, const std::string& name,
          const json& object) {
  store.BeginList();
  store.Upsert({name_space, name}, object);
  store.EndList();
}

// What the reviews of the load generator name.
const json kService = {
    {"metadata", {{"name", "bench"}, {"namespace", "bench"}, {"uid", "u"}}},
    {"spec",
     {{"tensorParallelSize", 2},
      {"template",
       {{"spec", {{"containers", {{{"name", "vllm"}, {"image", "vllm/vllm-openai"}}}}}}}}}}};
const json kNamespace = {{"metadata", {{"name", "bench"}}}};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::ifstream file(argv[1]);
  shm::runtime::Request request;
  request.method = "POST";
  request.path = shm::webhook::kLabelledPath;
  const std::string review(std::istreambuf_iterator<char>(file), {});
  request.body = review;
  const double seconds = argc > 2 ? std::stod(argv[2]) : 1;

  shm::kube::Store<shm::InferenceService> services{shm::ParseInferenceService};
  shm::kube::Store<shm::webhook::NamespaceRecord> namespaces{shm::webhook::ParseNamespaceRecord};
  Fill(services, "bench", "bench", kService);
  Fill(namespaces, "", "bench", kNamespace);
  shm::runtime::Metrics metrics;
  shm::webhook::Admission admission({services, namespaces}, metrics, {});

  std::cerr << admission.Answer(request).body.substr(0, 300) << "\n";
  if (seconds == 0) return 0;
  long reviews = 0;
  const double begun = CpuSeconds();
  double spent = 0;
  for (; spent < seconds; spent = CpuSeconds() - begun) {
    for (int i = 0; i < 100; ++i) admission.Answer(request);
    reviews += 100;
  }
  std::cout << spent / static_cast<double>(reviews) * 1e9 << " ns a review of "
            << request.body.size() << " bytes\n";
  return 0;
}
