#include "runtime/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "runtime/http_server.h"
#include "runtime/tls_probe.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::runtime {
namespace {

using testing::Peer;

struct Pair {
  std::string certificate;
  std::string key;
};

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// Self-signed for a day, which is all that these tests need.
Pair MakePair(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, certificate);
  Pair pair{Text(out), ""};
  out = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  pair.key = Text(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

struct TlsEcho {
  explicit TlsEcho(HttpServerOptions options = {}) {
    options.tls = tls;
    options.on_reject = [this](Rejection reason) {
      if (reason == Rejection::kHandshake) ++failed_handshakes;
    };
    const Handler handler = [](const Request& request) {
      return Response{200, "text/plain", std::string(request.path) + "\n", {}};
    };
    REQUIRE(server->Start(options, handler).ok());
  }
  std::shared_ptr<ServerTls> tls = std::make_shared<ServerTls>();
  std::atomic<int> failed_handshakes{0};
  std::unique_ptr<HttpServer> server = MakeHttpServer();
};

std::string Ask(Peer& peer, const std::string& path) {
  peer.Send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return peer.Receive(path + "\n");
}

// With a pair of which nothing more is asked.
void StartTls(TlsEcho& echo, Peer& peer) {
  const Pair pair = MakePair("any");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  REQUIRE(peer.StartTls());
}

TEST_CASE("C4: a pair that is damaged or mismatched is refused and the last good one stays") {
  const Pair good = MakePair("good");
  const Pair other = MakePair("other");
  ServerTls tls;
  REQUIRE(tls.SetPair(good.certificate, good.key).ok());
  const auto context = tls.context();
  struct Row {
    const char* what;
    std::string certificate, key;
    const char* field;
  };
  const Row rows[] = {
      {"another key", good.certificate, other.key, "tls.key"},
      {"half a certificate", good.certificate.substr(0, 100), good.key, "tls.crt"},
      {"half a key", good.certificate, good.key.substr(0, 100), "tls.key"},
      {"an empty certificate", "", good.key, "tls.crt"},
      {"an empty key", good.certificate, "", "tls.key"},
      {"swapped", good.key, good.certificate, "tls.crt"},
      {"half an intermediate", good.certificate + other.certificate.substr(0, 100), good.key,
       "tls.crt"},
      {"a damaged intermediate",
       good.certificate + std::string(other.certificate).replace(100, 20, std::string(20, '!')),
       good.key, "tls.crt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Result<void> set = tls.SetPair(row.certificate, row.key);
    REQUIRE_FALSE(set.ok());
    CHECK(set.error().field == row.field);
    CHECK(tls.context() == context);
  }
  CHECK(tls.SetPair(good.certificate, good.key).ok());
  CHECK(tls.context() == context);  // a repetition changes nothing
  CHECK(tls.info()->not_after - tls.info()->not_before == 86'400);
  CHECK(tls.info()->sha256.size() == 64);
}

TEST_CASE("Who comes before there is a pair waits for it, and is served") {
  TlsEcho echo;
  Peer early(echo.server->port());
  Peer second(echo.server->port());
  auto shaken = std::async(std::launch::async, [&early] { return early.StartTls(); });
  CHECK(shaken.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  const Pair pair = MakePair("first");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  REQUIRE(shaken.get());
  CHECK(Ask(early, "/hello").find("200 OK") != std::string::npos);
  REQUIRE(second.StartTls());
  CHECK(Ask(second, "/hello").find("200 OK") != std::string::npos);
}

TEST_CASE("Who has TLS's own messages answered and never reads keeps no place beyond its time") {
  HttpServerOptions options;
  options.limits.header = std::chrono::milliseconds(100);
  options.limits.connections = 1;
  TlsEcho echo(options);
  const Pair pair = MakePair("first");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  Peer flood(echo.server->port());
  REQUIRE(flood.StartTls());
  flood.FloodKeyUpdates();
  Peer good(echo.server->port());
  REQUIRE(good.StartTls());
  CHECK(Ask(good, "/hello").find("200 OK") != std::string::npos);
  CHECK(echo.server->connections() <= 1);
}

TEST_CASE("A server that never had a pair drains and stops in good time") {
  TlsEcho echo;
  Peer early(echo.server->port());
  CHECK(echo.server->Drain(std::chrono::milliseconds(10'000)));
  echo.server->Stop();
  CHECK(early.Receive().empty());
}

TEST_CASE("A certificate is swapped without dropping a connection") {
  TlsEcho echo;
  const Pair first = MakePair("first");
  const Pair second = MakePair("second");
  REQUIRE(echo.tls->SetPair(first.certificate, first.key).ok());
  Peer standing(echo.server->port());
  REQUIRE(standing.StartTls());
  CHECK(Ask(standing, "/1").find("200 OK") != std::string::npos);
  REQUIRE(echo.tls->SetPair(second.certificate, second.key).ok());
  CHECK(Ask(standing, "/2").find("200 OK") != std::string::npos);
  CHECK(standing.ServerSubject() == "/CN=first");
  Peer next(echo.server->port());
  REQUIRE(next.StartTls());
  CHECK(next.ServerSubject() == "/CN=second");
}

TEST_CASE("A13: a request of which half a TLS record came before the drain is answered") {
  HttpServerOptions options;
  options.threads = 1;
  TlsEcho echo(options);
  const Pair pair = MakePair("only");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  const std::uint16_t port = echo.server->port();
  Peer idle(port);
  REQUIRE(idle.StartTls());
  Ask(idle, "/first");
  const std::string record = idle.Encrypt("GET /last HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.SendBytes(record.substr(0, 20));
  {
    Peer other(port);  // when it is answered, the one thread has read the half
    REQUIRE(other.StartTls());
    Ask(other, "/other");
  }
  auto drained = std::async(std::launch::async,
                            [&echo] { return echo.server->Drain(std::chrono::seconds(10)); });
  while (Peer(port).connected()) std::this_thread::yield();
  idle.SendBytes(record.substr(20));
  const std::string answer = idle.Receive();
  CHECK(answer.ends_with("/last\n"));
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(drained.get());
}

TEST_CASE("C1: a probe sees which certificate is served, and says why it cannot") {
  TlsEcho echo;
  const std::uint16_t port = echo.server->port();
  const auto probe = [port](const std::string& address) {
    return ServedCertificate(address, port, "any.name", std::chrono::seconds(10));
  };
  CHECK_FALSE(probe("127.0.0.1").ok());
  for (const char* name : {"first", "second"}) {
    const Pair pair = MakePair(name);
    REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
    for (const char* address : {"127.0.0.1", "::ffff:127.0.0.1"}) {
      CAPTURE(address);
      CHECK(*probe(address) == echo.tls->info()->sha256);
    }
  }
  CHECK(probe("localhost").error().field == "address");
  echo.server->Stop();
  CHECK_THAT(probe("127.0.0.1").error().message, Catch::Contains("no connection"));
}

TEST_CASE("TLS below 1.2 is refused") {
  TlsEcho echo;
  const Pair pair = MakePair("only");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  for (const auto& [version, served] : {std::pair{TLS1_VERSION, false},
                                        {TLS1_1_VERSION, false},
                                        {TLS1_2_VERSION, true},
                                        {TLS1_3_VERSION, true}}) {
    CAPTURE(version);
    CHECK(Peer(echo.server->port()).StartTls(version) == served);
  }
  CHECK(echo.failed_handshakes == 2);
}

TEST_CASE("Nothing is kept of peers that have left") {
  TlsEcho echo;
  const Pair pair = MakePair("only");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  for (int i = 0; i < 3; ++i) {
    Peer peer(echo.server->port());
    REQUIRE(peer.StartTls(TLS1_2_VERSION, SSL_OP_NO_TICKET));
    CHECK(Ask(peer, "/").find("200 OK") != std::string::npos);
  }
  CHECK(SSL_CTX_sess_number(echo.tls->context().get()) == 0);
}

TEST_CASE("Renegotiation is refused, and the next peer is served") {
  TlsEcho echo;
  const Pair pair = MakePair("only");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  Peer peer(echo.server->port());
  REQUIRE(peer.StartTls(TLS1_2_VERSION));
  CHECK(Ask(peer, "/before").find("200 OK") != std::string::npos);
  CHECK_FALSE(peer.Renegotiate());
  Peer next(echo.server->port());
  REQUIRE(next.StartTls());
  CHECK(Ask(next, "/after").find("200 OK") != std::string::npos);
}

TEST_CASE("With a client authority, clients without a certificate of it are refused") {
  TlsEcho echo;
  const Pair pair = MakePair("only");
  echo.tls->RequireClientAuthority(pair.certificate);
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  Peer peer(echo.server->port());
  CHECK_FALSE(peer.StartTls(TLS1_2_VERSION));
  echo.tls->RequireClientAuthority("no certificate");
  CHECK_FALSE(echo.tls->SetPair(pair.certificate, pair.key).ok());
}

TEST_CASE("With a client authority, a client with a certificate of it is served") {
  TlsEcho echo;
  const Pair pair = MakePair("server");
  const Pair client = MakePair("kube-apiserver");
  const Pair stranger = MakePair("stranger");
  echo.tls->RequireClientAuthority(client.certificate);
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  Peer known(echo.server->port());
  known.Present(client.certificate, client.key);
  REQUIRE(known.StartTls());
  CHECK_THAT(Ask(known, "/known"), Catch::Contains("200 OK"));
  Peer other(echo.server->port());
  other.Present(stranger.certificate, stranger.key);
  CHECK_FALSE(other.StartTls(TLS1_2_VERSION));
}

// A record is one read. Where each ends amid a field, Beast goes on by itself.
TEST_CASE(
    "A header without an end is refused at its cap, not at its end or when its time is over") {
  HttpServerOptions options;
  options.limits.header = std::chrono::hours(1);
  TlsEcho echo(options);
  Peer peer(echo.server->port());
  StartTls(echo, peer);
  peer.Send("GET / HTTP/1.1\r\nHost: a\r\nx");
  std::string fields;
  while (fields.size() < 6'000) fields += "a: b\r\nx";
  for (int i = 0; i < 4; ++i) peer.Send(fields);
  CHECK_THAT(peer.Receive(), Catch::Contains(" 431 "));
}

TEST_CASE("A body whose every record ends amid a chunk's header counts all the same") {
  HttpServerOptions options;
  options.limits.all_bodies_bytes = 1'000'000;
  TlsEcho echo(options);
  Peer peer(echo.server->port());
  StartTls(echo, peer);
  peer.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1");
  const std::string record = "000\r\n" + std::string(4'096, 'x') + "\r\n1";
  for (int i = 0; i < 200; ++i) peer.Send(record);
  CHECK_THAT(peer.Receive(), Catch::Contains(" 503 "));
}

TEST_CASE("Bytes that are no handshake are counted and the next peer is served") {
  TlsEcho echo;
  const Pair pair = MakePair("only");
  REQUIRE(echo.tls->SetPair(pair.certificate, pair.key).ok());
  Peer plain(echo.server->port());
  plain.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  plain.Receive();
  CHECK(echo.failed_handshakes == 1);
  Peer peer(echo.server->port());
  REQUIRE(peer.StartTls());
  CHECK(Ask(peer, "/hello").find("200 OK") != std::string::npos);
}

}  // namespace
}  // namespace shm::runtime
