#include "kube/tls_context.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "kube/http_transport.h"
#include "tests/support/socket_server.h"
#include "tests/unit/kube/tls_server.h"

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using testing::Connection;
using testing::MakeCa;
using testing::MakeCert;
using testing::Pair;
using testing::Served;
using testing::SocketServer;

struct Attempt {
  SendResult result;
  Served served;
};

// One GET to a TLS server with `pair`.
Attempt Try(ClusterConfig config, const Pair& pair, const std::string& client_ca = {}) {
  Attempt attempt;
  auto server = std::make_unique<SocketServer>([&](Connection& connection) {
    attempt.served = ServeTls(connection.fd(), pair, client_ca, testing::Reply(200, "{}"));
  });
  config.host = "127.0.0.1";
  config.port = server->port();
  auto transport = MakeHttpTransport(config);
  REQUIRE(transport.ok());
  HttpRequest request;
  request.path = "/";
  attempt.result = (*transport)->Send(request, 5s, {});
  server.reset();
  return attempt;
}

TEST_CASE("Only the cluster's own CA, the right name and a valid date are trusted") {
  const Pair ca = MakeCa();
  const Pair other = MakeCa();
  struct Row {
    const char* name;
    const Pair* signer;
    const char* san;
    int days;
    const char* server_name;
    const char* refusal;  // empty: accepted
  };
  const Row rows[] = {
      {"by address", &ca, "IP:127.0.0.1", 1, "", ""},
      {"by tls-server-name", &ca, "DNS:api.test", 1, "api.test", ""},
      {"another CA", &other, "IP:127.0.0.1", 1, "", "unable to get local issuer certificate"},
      {"another address", &ca, "IP:127.0.0.2", 1, "", "IP address mismatch"},
      {"an address as a DNS name", &ca, "DNS:127.0.0.1", 1, "", "IP address mismatch"},
      {"another name", &ca, "DNS:api.test", 1, "web.test", "hostname mismatch"},
      {"expired", &ca, "IP:127.0.0.1", -1, "", "certificate has expired"},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    ClusterConfig config;
    config.ca_pem = ca.cert_pem;
    config.token = "secret";
    config.tls_server_name = row.server_name;
    const Attempt attempt = Try(config, MakeCert(*row.signer, row.san, row.days));
    INFO(attempt.result.message);
    const std::string refusal = row.refusal;
    if (refusal.empty()) {
      CHECK(attempt.result.response.status == 200);
      CHECK(attempt.served.sni == row.server_name);
      CHECK(attempt.served.request.find("\r\nAuthorization:Bearer secret\r\n") !=
            std::string::npos);
    } else {
      CHECK(attempt.result.failure == TransportFailure::kTls);
      CHECK(attempt.result.message == "the server's certificate was refused: " + refusal);
      CHECK(attempt.served.request.empty());
    }
  }
}

TEST_CASE("A client certificate is shown where one is configured, and missed where not") {
  const Pair ca = MakeCa();
  const Pair clients = MakeCa();
  const Pair server = MakeCert(ca, "IP:127.0.0.1");
  const Pair me = MakeCert(clients, "DNS:me");
  ClusterConfig config;
  config.ca_pem = ca.cert_pem;
  CHECK(Try(config, server, clients.cert_pem).result.failure != TransportFailure::kNone);
  config.client_cert_pem = me.cert_pem;
  config.client_key_pem = me.key_pem;
  CHECK(Try(config, server, clients.cert_pem).result.response.status == 200);
}

TEST_CASE("Certificates and keys that cannot be used are named") {
  const Pair ca = MakeCa();
  const Pair one = MakeCert(ca, "DNS:one");
  const Pair two = MakeCert(ca, "DNS:two");
  struct Row {
    std::string ca_pem, cert_pem, key_pem;
    const char* field;
  };
  for (const Row& row :
       {Row{"", "", "", "certificate-authority"}, Row{"nonsense", "", "", "certificate-authority"},
        Row{ca.cert_pem, "nonsense", one.key_pem, "client-certificate"},
        Row{ca.cert_pem, one.cert_pem, "nonsense", "client-key"},
        Row{ca.cert_pem, one.cert_pem, two.key_pem, "client-key"}}) {
    ClusterConfig config;
    config.host = "h";
    config.ca_pem = row.ca_pem;
    config.client_cert_pem = row.cert_pem;
    config.client_key_pem = row.key_pem;
    const auto made = TlsContext::Make(config);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().field == row.field);
  }
}

}  // namespace
}  // namespace shm::kube
