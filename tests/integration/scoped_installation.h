// An installation that watches two namespaces alone, on an API server of its own: the chart's
// manifests as Helm renders them, and both programs with tokens of the service accounts in them, so
// that they have the rights of the chart's Roles and no others. The programs are reached by URL,
// since no pod can run here.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/shell.h"

namespace shm::test {

inline constexpr const char* kOwn = "sized-system";  // the release's
inline constexpr const char* kOne = "team-one";      // watched; enabled for injection
inline constexpr const char* kTwo = "team-two";      // watched
inline constexpr const char* kOther = "elsewhere";   // not; enabled for injection
inline constexpr const char* kOperator = "sized";    // Deployment and service account
inline constexpr const char* kWebhook = "sized-webhook";

// A fresh API server with its CRD and namespaces; it ends with the object, and with this process.
class ScopedInstallation {
 public:
  ScopedInstallation();

  // Applies what the chart renders: from then on the API server asks the webhook about pods.
  void Install() const;
  // Only the bindings of the Roles in a namespace.
  void ApplyBindings(const std::string& ns) const;
  // Both programs; until they are ready, and the webhook is asked.
  void Start();

  // kubectl in a namespace; `object` is its standard input.
  ShellResult Try(const std::string& ns, const std::string& command,
                  const nlohmann::json& object = nullptr) const;
  void Must(const std::string& ns, const std::string& command,
            const nlohmann::json& object = nullptr) const;
  nlohmann::json Get(const std::string& ns, const std::string& what) const;

  // Whether RBAC lets a program's account do it; `where` is "-n NAMESPACE", "-A" or "".
  bool May(const std::string& account, const std::string& verb, const std::string& resource,
           const std::string& where) const;

  std::string Metrics(const std::string& program) const;
  // Last lines of both programs' logs, for a failing test.
  std::string Logs() const;

 private:
  void StartServer();
  void Render();
  void StartProgram(const std::string& name, const std::vector<std::string>& further);
  nlohmann::json Find(const std::string& kind, const std::string& name) const;
  std::string KubeconfigOf(const std::string& account) const;
  void Apply(const nlohmann::json& objects) const;

  const TempDir dir_;
  const std::string kubeconfig_ = dir_.path() + "/server/kubeconfig";
  const Kubectl kubectl_{kubeconfig_};
  const int webhook_port_ = FreePort();
  nlohmann::json manifests_ = nlohmann::json::array();
  std::map<std::string, int> health_ports_;  // by program
  std::unique_ptr<Process> server_;
  std::vector<std::unique_ptr<Process>> programs_;  // before the server they end
};

}  // namespace shm::test
