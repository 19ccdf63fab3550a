// The two programs, running against the API server that scripts/test.sh started, as an installation
// would run them: CRD and webhook configuration from deploy/install.yaml, but reached by URL, since
// no pod can run here. Unlike there, resource claims are counted.
#pragma once

#include <memory>
#include <string>

#include "tests/support/shell.h"

namespace shm::test {

const Kubectl& Cluster();

class Installation {
 public:
  // Installed once for the whole program, on first use.
  static Installation& Get();

  void StartOperator();
  void StartWebhook();
  // Another replica of the operator, which ends with the returned process.
  std::unique_ptr<Process> StartReplica(int health_port) const;
  Process& operator_process() { return *operator_; }
  Process& webhook_process() { return *webhook_; }
  // Log lines of both programs, for a failing test.
  std::string Logs() const;
  int webhook_port() const { return webhook_port_; }
  int webhook_health_port() const { return webhook_health_port_; }
  int operator_health_port() const { return operator_health_port_; }

 private:
  Installation();
  ~Installation();
  void WaitUntilReady(int port);

  TempDir dir_;
  int webhook_port_;
  int webhook_health_port_;
  int operator_health_port_;
  std::unique_ptr<Process> operator_;
  std::unique_ptr<Process> webhook_;
};

// Makes an InferenceService of a spec, or changes it, by server-side apply.
void ApplyInferenceService(const std::string& ns, const std::string& name,
                           const nlohmann::json& spec);

// Makes a namespace that no other test uses, and returns its name.
std::string NewNamespace(const std::string& prefix, bool enabled = false);

}  // namespace shm::test
