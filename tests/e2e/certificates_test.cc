// What becomes of the webhook's certificate, on a real cluster.
#include <catch2/catch.hpp>

#include "tests/e2e/cluster.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json OperatorPods() {
  return Items("-n " + std::string(kOperatorNamespace) +
               " pods -l app.kubernetes.io/component=operator");
}

int Restarts() {
  int restarts = 0;
  for (const json& pod : OperatorPods()) {
    for (const json& status : pod["status"]["containerStatuses"]) {
      restarts += status["restartCount"].get<int>();
    }
  }
  return restarts;
}

json ServingSecret() {
  return Cluster().Get("-n " + std::string(kOperatorNamespace) +
                       " secret shm-operator-webhook-tls");
}

}  // namespace

TEST_CASE("a lost authority is replaced, the operator runs on, and pods are sized") {
  Namespace ns("e2e-authority");
  const int restarts = Restarts();
  const json before = ServingSecret();
  Cluster().Must("-n " + std::string(kOperatorNamespace) + " delete secret shm-operator-ca");

  // While the old authority waits to go, each replica of the webhook is asked for its certificate.
  REQUIRE(Eventually(
      seconds(180), [&] { return ServingSecret()["data"]["ca.crt"] != before["data"]["ca.crt"]; }));
  Cluster().Must(ns("apply -f -"), Service("after", {{"tensorParallelSize", 2}}).dump());
  REQUIRE(ShmSize(ns, WaitForPod(ns, Of("after"))) == "2.0G");
  CHECK(Restarts() == restarts);
  REQUIRE_FALSE(OperatorPods().empty());
  Say("a lost authority was replaced");
}

}  // namespace shm::test
