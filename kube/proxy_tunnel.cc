#include "kube/proxy_tunnel.h"

#include <openssl/bio.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace shm::kube {
namespace {

constexpr std::size_t kMaxAnswer = 16 * 1024;  // of the proxy's answer to CONNECT, without body
constexpr std::size_t kMaxPhrase = 100;        // of its words that go into a message

std::string Request(const ProxyUrl& proxy, const std::string& target) {
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                        "\r\nUser-Agent: shm-operator/" SHM_VERSION "\r\n";
  if (const std::string authorization = AuthorizationOf(proxy); !authorization.empty()) {
    request += "Proxy-Authorization: " + authorization + "\r\n";
  }
  return request + "\r\n";
}

struct Status {
  int code = 0;        // 0: this is no HTTP
  std::string phrase;  // printable
};

Status ReadStatus(std::string_view answer) {
  Status status;
  const std::string_view line = answer.substr(0, answer.find_first_of("\r\n"));
  if (line.substr(0, 7) != "HTTP/1.") return status;
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view rest = line.substr(std::min(space + 1, line.size()));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), status.code);
  if (error != std::errc()) return {};
  status.phrase = rest.substr(static_cast<std::size_t>(end - rest.data()), kMaxPhrase);
  std::replace_if(
      status.phrase.begin(), status.phrase.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return status;
}

}  // namespace

struct ProxyTunnel::Way {
  enum class State { kAsking, kListening, kOpen, kFailed };
  std::shared_ptr<ProxyTunnel> tunnel;
  State state = State::kAsking;
  std::size_t asked = 0;  // bytes of the request that are on their way
  std::string answer;
};

ProxyTunnel::ProxyTunnel(const ProxyUrl& proxy, const std::string& target)
    : name_(NameOf(proxy)),
      target_(target),
      request_(Request(proxy, target)),
      has_credentials_(!AuthorizationOf(proxy).empty()) {}

Result<std::shared_ptr<ProxyTunnel>> ProxyTunnel::Make(const ProxyUrl& proxy,
                                                       const std::string& target,
                                                       const std::string& ca_pem) {
  std::shared_ptr<ProxyTunnel> tunnel(new ProxyTunnel(proxy, target));
  if (!proxy.tls) return tunnel;
  auto tls = TlsContext::Make(proxy.host, ca_pem);
  if (!tls.ok()) return tls.error();
  tunnel->tls_ = std::move(tls).value();
  return tunnel;
}

BIO_METHOD* ProxyTunnel::Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_FILTER, "proxy tunnel");
    BIO_meth_set_read(made, &ProxyTunnel::Read);
    BIO_meth_set_write(made, &ProxyTunnel::Write);
    BIO_meth_set_ctrl(made, &ProxyTunnel::Control);
    BIO_meth_set_destroy(made, &ProxyTunnel::Destroy);
    return made;
  }();
  return method;
}

// inner TLS | this layer | TLS with the proxy, where it has that | the wire
void ProxyTunnel::Install(SSL* ssl) {
  BIO* below = SSL_get_rbio(ssl);
  BIO* layer = BIO_new(Method());
  if (below == nullptr || layer == nullptr || BIO_method_type(below) == BIO_method_type(layer)) {
    BIO_free(layer);
    return;
  }
  BIO_set_data(layer, new Way{shared_from_this(), Way::State::kAsking, 0, {}});
  BIO_set_init(layer, 1);
  BIO_up_ref(below);  // the chain's; SSL_set_bio lets go of the connection's own
  if (tls_) {
    SSL* outer = SSL_new(tls_->get());
    SSL_set_connect_state(outer);
    SSL_set_mode(outer, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    BIO* encrypted = BIO_new(BIO_f_ssl());
    BIO_set_ssl(encrypted, outer, BIO_CLOSE);
    below = BIO_push(encrypted, below);
  }
  BIO_push(layer, below);
  SSL_set_bio(ssl, layer, layer);
}

int ProxyTunnel::Read(BIO* bio, char* data, int size) {
  auto* way = static_cast<Way*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!way->tunnel->IsOpen(bio)) return -1;
  const int got = BIO_read(BIO_next(bio), data, size);
  BIO_copy_next_retry(bio);
  return got;
}

int ProxyTunnel::Write(BIO* bio, const char* data, int size) {
  auto* way = static_cast<Way*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!way->tunnel->IsOpen(bio)) return -1;
  const int put = BIO_write(BIO_next(bio), data, size);
  BIO_copy_next_retry(bio);
  return put;
}

long ProxyTunnel::Control(BIO* bio, int command, long number, void* pointer) {
  // How chains are joined and parted is each layer's own affair.
  if (command == BIO_CTRL_PUSH || command == BIO_CTRL_POP) return 1;
  if (command == BIO_CTRL_DUP) return 0;
  if (command != BIO_CTRL_FLUSH) return BIO_ctrl(BIO_next(bio), command, number, pointer);
  BIO_clear_retry_flags(bio);
  const long flushed = BIO_ctrl(BIO_next(bio), command, number, pointer);
  BIO_copy_next_retry(bio);
  return flushed;
}

int ProxyTunnel::Destroy(BIO* bio) {
  delete static_cast<Way*>(BIO_get_data(bio));
  BIO_set_data(bio, nullptr);
  return 1;
}

// False: not yet, with the flags of a retry set, or never.
bool ProxyTunnel::IsOpen(BIO* bio) {
  Way& way = *static_cast<Way*>(BIO_get_data(bio));
  if (way.state == Way::State::kAsking && Ask(bio, way)) way.state = Way::State::kListening;
  if (way.state == Way::State::kListening && Listen(bio, way)) Judge(way);
  return way.state == Way::State::kOpen;
}

bool ProxyTunnel::Ask(BIO* bio, Way& way) {
  while (way.asked < request_.size()) {
    const int put = BIO_write(BIO_next(bio), request_.data() + way.asked,
                              static_cast<int>(request_.size() - way.asked));
    if (put <= 0) {
      Broke(bio, way);
      return false;
    }
    way.asked += static_cast<std::size_t>(put);
  }
  return true;
}

// Byte by byte, so that nothing after the answer is taken.
bool ProxyTunnel::Listen(BIO* bio, Way& way) {
  while (way.answer.size() < kMaxAnswer) {
    char byte = 0;
    if (BIO_read(BIO_next(bio), &byte, 1) != 1) {
      Broke(bio, way);
      return false;
    }
    way.answer += byte;
    if (byte != '\n') continue;
    const std::string_view answer(way.answer);
    if (answer.ends_with("\r\n\r\n") || answer.ends_with("\n\n")) return true;
  }
  return true;
}

void ProxyTunnel::Judge(Way& way) {
  const Status status = ReadStatus(way.answer);
  way.state = status.code == 200 ? Way::State::kOpen : Way::State::kFailed;
  const std::string heard = std::to_string(status.code) + status.phrase;
  if (way.answer.size() >= kMaxAnswer) {
    way.state = Way::State::kFailed;
    SetError("the proxy " + name_ + " has not ended its answer to CONNECT after 16 KiB");
  } else if (status.code == 200) {
    SetError("");
  } else if (status.code == 0) {
    SetError("the proxy " + name_ + " does not speak HTTP/1");
  } else if (status.code == 407) {
    SetError("the proxy " + name_ +
             (has_credentials_ ? " refuses the user or password of its URL: "
                               : " wants a user and password in its URL: ") +
             heard);
  } else {
    SetError("the proxy " + name_ + " does not connect to " + target_ + ": " + heard);
  }
}

// Nothing came, or nothing went: for now, or for good.
void ProxyTunnel::Broke(BIO* bio, Way& way) {
  BIO_copy_next_retry(bio);
  if (BIO_should_retry(bio)) return;
  way.state = Way::State::kFailed;
  const std::string refused = tls_ ? tls_->TakeVerifyError() : "";
  SetError(refused.empty() ? "the connection to the proxy " + name_ + " broke"
                           : "the certificate of the proxy " + name_ + " was refused: " + refused);
}

void ProxyTunnel::SetError(const std::string& error) {
  MutexLock lock(mutex_);
  error_ = error;
}

std::string ProxyTunnel::LastError() const {
  MutexLock lock(mutex_);
  return error_;
}

}  // namespace shm::kube
