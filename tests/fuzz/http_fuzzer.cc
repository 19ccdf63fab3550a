// Any bytes as a connection's, in any pieces: through the server's own Connection and Hub, over a
// socket pair. Whatever comes,
// - each answer is a whole HTTP response, and there is one for each request and each refusal;
// - each request that reaches the handler is the one that a strict second reader finds there, so
//   that none is smuggled, and it is within the caps;
// - after a refusal nothing is handled and the connection is closed;
// - when the peer has left, neither a connection, nor bytes on account, nor a descriptor is left;
// - where the bytes were cut makes no difference.
//
// The first two characters of an input are no bytes of the connection: how it is cut ('0': not,
// '1': into single bytes, else at random, with it as the seed), and what befalls the connection in
// its middle (Event, from '0').
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http_connection.h"
#include "tests/fuzz/http_reference.h"

namespace {

using namespace shm::runtime;
namespace reference = shm::http_reference;
using internal::net::io_context;

enum class Event { kNone, kDeadline, kLeave, kEvict, kAbort, kCloseAfterResponses, kDrain };
constexpr int kEvents = static_cast<int>(Event::kDrain) + 1;

// Small ones, which inputs reach, and deadlines that have always passed when they are enforced.
HttpLimits Limits() {
  HttpLimits limits;
  limits.header_bytes = 512;
  limits.body_bytes = 1'024;
  limits.all_bodies_bytes = 512;
  limits.small_body_bytes = 256;
  limits.handshake = limits.header = limits.body = limits.idle = limits.write = {};
  return limits;
}

// What a connection came to.
struct Outcome {
  std::vector<reference::Request> handled;  // without fields
  std::vector<Rejection> rejections;
  std::string answers;
  bool closed = false;  // by the server, before the peer left
};

class Exchange {
 public:
  Exchange() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
    peer_ = ends[1];
    ::fcntl(peer_, F_SETFL, O_NONBLOCK);
    hub_.options.limits = Limits();
    hub_.options.on_reject = [this](Rejection reason) { outcome_.rejections.push_back(reason); };
    hub_.dispatch = [this](const std::shared_ptr<internal::Session>& session) { Handle(*session); };
    // What Connection does with a socket works with any stream socket.
    internal::tcp::socket socket(io_, internal::tcp::v4(), ends[0]);
    const auto session =
        std::make_shared<internal::Connection<internal::PlainStream>>(hub_, std::move(socket));
    hub_.Add(session, 0);
    session_ = session;
    session->Start();
    Run();
  }

  void Send(std::string_view piece) {
    // The peer takes every answer at once, so there is room; an end of the connection is no matter.
    (void)::send(peer_, piece.data(), piece.size(), MSG_NOSIGNAL);
    Run();
  }

  void Befall(Event event) {
    if (event == Event::kCloseAfterResponses) hub_.close_after_responses = true;
    if (event == Event::kDrain) hub_.draining = true;
    if (const auto session = session_.lock()) {
      if (event == Event::kDeadline) session->EnforceDeadline();
      if (event == Event::kLeave || event == Event::kDrain) session->LeaveWhenIdle();
      if (event == Event::kEvict) session->Evict();
      if (event == Event::kAbort) session->Abort();
    }
    Run();
  }

  // The peer says no more, and the server has to end what is left.
  Outcome Leave() {
    ::shutdown(peer_, SHUT_WR);
    const bool closed = outcome_.closed;
    Run();
    if (hub_.size() != 0 || !session_.expired()) std::abort();
    if (hub_.in_flight != 0) std::abort();
    ::close(peer_);
    outcome_.closed = closed;
    return std::move(outcome_);
  }

 private:
  void Run() {
    io_.restart();
    io_.poll();
    std::array<char, 4096> piece;
    for (;;) {
      const auto got = ::recv(peer_, piece.data(), piece.size(), 0);
      if (got == 0) outcome_.closed = true;
      if (got <= 0) return;
      outcome_.answers.append(piece.data(), static_cast<std::size_t>(got));
      io_.poll();
    }
  }

  void Handle(internal::Session& session) {
    const Request& request = session.request();
    std::string target(request.path);
    if (!request.query.empty()) target += "?" + std::string(request.query);
    outcome_.handled.push_back(
        {std::string(request.method), target, {}, std::string(request.body)});
    session.Respond({200, "text/plain", std::to_string(outcome_.handled.size()), {{"X-A", "b"}}});
  }

  static io_context io_;  // keeps descriptors of its own
  internal::Hub hub_;
  std::weak_ptr<internal::Session> session_;
  int peer_ = -1;
  Outcome outcome_;
};

io_context Exchange::io_{1};

std::vector<std::string_view> Cut(std::string_view bytes, char how) {
  if (how == '0') return {bytes};
  std::minstd_rand random(static_cast<unsigned char>(how));
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    const std::size_t most = std::max<std::size_t>(1, bytes.size() / 4);
    const std::size_t size = how == '1' && pieces.size() < 512 ? 1 : 1 + random() % most;
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

Outcome Play(std::string_view bytes, char how, Event event) {
  Exchange exchange;
  const std::vector<std::string_view> pieces = Cut(bytes, how);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i == pieces.size() / 2) exchange.Befall(event);
    exchange.Send(pieces[i]);
  }
  return exchange.Leave();
}

// Those that close without a word.
bool IsAnswered(Rejection reason) {
  return reason != Rejection::kEvicted && reason != Rejection::kWriteTimeout &&
         reason != Rejection::kHandshake;
}

void CheckHandled(const Outcome& outcome, std::string_view bytes) {
  for (const reference::Request& handled : outcome.handled) {
    const auto meant = reference::TakeRequest(bytes);
    if (!meant || meant->method != handled.method || meant->body != handled.body) std::abort();
    const std::string& target = meant->target;
    if (target != handled.target && target != handled.target + "?") std::abort();
    if (meant->header_bytes > Limits().header_bytes) std::abort();
    if (handled.body.size() > Limits().body_bytes) std::abort();
  }
}

void CheckAnswers(const Outcome& outcome, bool aborted) {
  std::string_view rest = outcome.answers;
  std::size_t answered = 0;
  bool closing = false;
  while (!rest.empty()) {
    const bool to_head =
        answered < outcome.handled.size() ? outcome.handled[answered].method == "HEAD" : false;
    std::string_view after = rest;
    auto answer = reference::TakeResponse(after, to_head);
    // One that refuses a HEAD has no body either.
    if (!answer && answered == outcome.handled.size()) {
      after = rest;
      answer = reference::TakeResponse(after, true);
    }
    if (!answer || closing) std::abort();
    rest = after;
    if (answer->status == 100) continue;
    if (answered < outcome.handled.size()) {
      const std::string number = to_head ? "" : std::to_string(answered + 1);
      if (answer->status != 200 || answer->body != number) std::abort();
    } else if (answer->status < 400) {
      std::abort();
    }
    ++answered;
    closing = answer->fields["connection"] == std::vector<std::string>{"close"};
  }
  const auto refused =
      std::count_if(outcome.rejections.begin(), outcome.rejections.end(), IsAnswered);
  if (refused > 1 || (refused == 1 && !closing)) std::abort();
  if (!aborted && answered != outcome.handled.size() + static_cast<std::size_t>(refused)) {
    std::abort();
  }
  if (closing && !outcome.closed) std::abort();
}

bool Has(const Outcome& outcome, Rejection reason) {
  return std::count(outcome.rejections.begin(), outcome.rejections.end(), reason) > 0;
}

// Whether a peer that leaves in the middle of what is wrong already is told so, and for which of
// several reasons, may depend on what is seen first.
void CheckSame(const Outcome& one, const Outcome& other) {
  if (Has(one, Rejection::kOverloaded) || Has(other, Rejection::kOverloaded)) return;
  if (one.handled.size() != other.handled.size()) std::abort();
  const bool refused = !one.rejections.empty() || !other.rejections.empty();
  if (!refused && one.answers != other.answers) std::abort();
}

std::size_t Descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const char how = static_cast<char>(data[0]);
  const auto event = static_cast<Event>((data[1] + 36 * kEvents - '0') % kEvents);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  // What the process needs once is open after the first.
  [[maybe_unused]] static const Outcome first = Play("", '0', Event::kNone);
  const std::size_t descriptors = Descriptors();
  const Outcome outcome = Play(bytes, how, event);
  if (Descriptors() != descriptors) std::abort();
  CheckHandled(outcome, bytes);
  CheckAnswers(outcome, event == Event::kAbort);
  if (event == Event::kNone) CheckSame(outcome, Play(bytes, how == '0' ? '1' : '0', event));
  return 0;
}
