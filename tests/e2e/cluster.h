// What the end-to-end cases share: the cluster that KUBECONFIG names, namespaces, pods and their
// /dev/shm.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/shell.h"

namespace shm::test {

inline constexpr const char* kKind = "inferenceservices.shm-operator.dev";
inline constexpr const char* kOperatorNamespace = "shm-system";

const Kubectl& Cluster();

// Tells whoever watches the run.
void Say(const std::string& line);

// A namespace of its own a test, gone when the test is.
class Namespace {
 public:
  explicit Namespace(std::string name, bool enabled = false);
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // Lets the webhook see its pods.
  void Enable() const;
  std::string operator()(const std::string& arguments) const {
    return "-n " + name_ + " " + arguments;
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

nlohmann::json PodSpec();
nlohmann::json Service(const std::string& name, nlohmann::json spec);
// Of pods with the label app=NAME.
nlohmann::json Deployment(const std::string& name, int replicas = 1);

std::string Condition(const nlohmann::json& object, const std::string& type,
                      const std::string& field);
// The objects of a list; none where kubectl found nothing to say.
nlohmann::json Items(const std::string& arguments);
// The pods that `selector` matches, are ready and do not go.
nlohmann::json ReadyPods(const Namespace& ns, const std::string& selector);
// The last of them, or null.
nlohmann::json ReadyPod(const Namespace& ns, const std::string& selector);
nlohmann::json WaitForPod(const Namespace& ns, const std::string& selector);
// What `df -h /dev/shm` says in the pod.
std::string ShmSize(const Namespace& ns, const nlohmann::json& pod);
void RequireGpus(const nlohmann::json& pod, const std::string& count);
// The selector of an InferenceService's own pods.
std::string Of(const std::string& name);

}  // namespace shm::test
