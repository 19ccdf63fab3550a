#include "runtime/http_server.h"

// The one place where the server side of cpprestsdk is seen. `details` is what its own transports
// implement; the version is pinned in CMakeLists.txt.
#include <cpprest/details/http_server.h>
#include <cpprest/details/http_server_api.h>
#include <cpprest/http_listener.h>
#include <openssl/crypto.h>

#include <atomic>
#include <map>

#include "core/mutex.h"
#include "runtime/http_listener.h"

namespace shm::runtime {
namespace {

namespace listener = web::http::experimental::listener;
namespace server_details = web::http::experimental::details;

// Carries a request through http_listener and its response back, without copies of either.
struct Exchange final : web::http::details::_http_server_context {
  explicit Exchange(std::shared_ptr<internal::Session> its) : session(std::move(its)) {}
  std::shared_ptr<internal::Session> session;
  Response response;
};

// The transports that are about to open or open, by the host of their listener's URI: http_listener
// hands its transport nothing else that could tell two of them apart.
class Registry {
 public:
  void Put(const std::string& name, std::shared_ptr<internal::Listener> transport)
      SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    transports_[name] = std::move(transport);
  }
  void Erase(const std::string& name) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    transports_.erase(name);
  }
  std::shared_ptr<internal::Listener> Find(const std::string& name) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = transports_.find(name);
    return found == transports_.end() ? nullptr : found->second;
  }

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<internal::Listener>> transports_ SHM_GUARDED_BY(mutex_);
};

Registry& Transports() {
  static Registry* const registry = new Registry;  // outlives every static of cpprestsdk
  return *registry;
}

// What stands under every http_listener of the process.
class BoundedServer final : public server_details::http_server {
 public:
  pplx::task<void> start() override { return pplx::task_from_result(); }
  pplx::task<void> stop() override { return pplx::task_from_result(); }

  pplx::task<void> register_listener(listener::details::http_listener_impl* its) override {
    const auto transport = Transports().Find(its->uri().host());
    if (!transport) throw std::logic_error("listener of unknown name");
    transport->hub().dispatch = [its](std::shared_ptr<internal::Session> session) {
      Dispatch(its, std::move(session));
    };
    transport->Run();
    return pplx::task_from_result();
  }

  pplx::task<void> unregister_listener(listener::details::http_listener_impl* its) override {
    if (const auto transport = Transports().Find(its->uri().host())) transport->Stop();
    // Stop ends TLS connections on this thread, one of cpprestsdk's pool, which outlives OpenSSL's
    // cleanup at the exit of the process: what OpenSSL keeps of the thread would leak.
    OPENSSL_thread_stop();
    return pplx::task_from_result();
  }

  pplx::task<void> respond(web::http::http_response response) override {
    auto* exchange = static_cast<Exchange*>(response._get_server_context());
    const std::shared_ptr<internal::Session> session = std::move(exchange->session);
    session->Respond(std::move(exchange->response));
    return pplx::task_from_result();
  }

 private:
  static void Dispatch(listener::details::http_listener_impl* its,
                       std::shared_ptr<internal::Session> session) {
    const std::string method(session->request().method);
    auto request =
        web::http::http_request::_create_request(std::make_unique<Exchange>(std::move(session)));
    request.set_method(method);
    its->handle_request(std::move(request));
  }
};

// cpprestsdk drops its transport with the last http_listener, and would put its own stock one under
// the next: so ours is registered again before the first one of each run. Opening and closing are
// serialized, for nothing may come between the question and the registration.
Mutex& RegistrationMutex() {
  static Mutex* const mutex = new Mutex;
  return *mutex;
}

void OpenOnBoundedServer(listener::http_listener& its) {
  MutexLock lock(RegistrationMutex());
  if (!server_details::http_server_api::has_listener()) {
    server_details::http_server_api::register_server_api(std::make_unique<BoundedServer>());
  }
  its.open().wait();
}

void CloseListener(listener::http_listener& its) {
  MutexLock lock(RegistrationMutex());
  its.close().wait();
}

class CpprestServer final : public HttpServer {
 public:
  ~CpprestServer() override { Stop(); }

  Result<void> Start(HttpServerOptions options, Handler handler) override {
    transport_ = std::make_shared<internal::Listener>(std::move(options));
    if (Result<void> bound = transport_->Bind(); !bound) {
      transport_.reset();
      return bound;
    }
    handler_ = std::move(handler);
    static std::atomic<int> count{0};
    name_ = "listener-" + std::to_string(++count);
    Transports().Put(name_, transport_);
    return Open();
  }

  std::uint16_t port() const override { return transport_ ? transport_->port() : 0; }
  void CloseAfterResponses() override {
    if (transport_) transport_->hub().close_after_responses = true;
  }

  bool Drain(std::chrono::milliseconds deadline) override {
    if (!transport_) return true;
    const internal::Clock::time_point end = internal::Clock::now() + deadline;
    transport_->hub().draining = true;
    transport_->StopAccepting(end);
    transport_->hub().LeaveWhenIdle();
    return transport_->hub().WaitUntilEmpty(end);
  }

  void Stop() override {
    if (!open_) return;
    open_ = false;
    try {
      CloseListener(listener_);
    } catch (...) {
      // Nothing is left to close; the transport's destructor joins its threads.
    }
    Transports().Erase(name_);
  }

  std::size_t connections() const override {
    internal::Listener* const running = running_;
    return running ? running->hub().size() : 0;
  }
  std::size_t requests_in_flight() const override {
    internal::Listener* const running = running_;
    return running ? running->hub().in_flight.load() : 0;
  }

 private:
  Result<void> Open() {
    try {
      listener_ = listener::http_listener(
          web::uri("http://" + name_ + ":" + std::to_string(transport_->port()) + "/"));
      const auto serve = [this](web::http::http_request request) { Serve(std::move(request)); };
      listener_.support(serve);
      OpenOnBoundedServer(listener_);
    } catch (const std::exception& error) {
      Transports().Erase(name_);
      transport_.reset();
      return Error{"", std::string("the listener did not open: ") + error.what()};
    }
    open_ = true;
    running_ = transport_.get();
    return {};
  }

  void Serve(web::http::http_request request) {
    auto* exchange = static_cast<Exchange*>(request._get_server_context());
    exchange->response = Handle(exchange->session->request());
    request.reply(static_cast<web::http::status_code>(exchange->response.status));
  }

  // A handler's exception ends its request, nothing else.
  Response Handle(const Request& request) const {
    try {
      return handler_(request);
    } catch (...) {
      transport_->hub().Reject(Rejection::kHandlerFailed);
      return Response{500, "text/plain", "the request could not be handled\n", {}};
    }
  }

  std::shared_ptr<internal::Listener> transport_;
  // For who asks from other threads, which the metrics of a program do while it starts.
  std::atomic<internal::Listener*> running_{nullptr};
  Handler handler_;
  std::string name_;
  listener::http_listener listener_;
  bool open_ = false;
};

}  // namespace

std::string_view RejectionName(Rejection reason) {
  switch (reason) {
    case Rejection::kMalformed:
      return "malformed";
    case Rejection::kTimeout:
      return "timeout";
    case Rejection::kMethod:
      return "method";
    case Rejection::kBodyTooLarge:
      return "body_too_large";
    case Rejection::kExpectation:
      return "expectation";
    case Rejection::kHeaderTooLarge:
      return "header_too_large";
    case Rejection::kHandlerFailed:
      return "handler_failed";
    case Rejection::kOverloaded:
      return "overloaded";
    case Rejection::kHandshake:
      return "handshake";
    case Rejection::kConnectionLimit:
      return "connection_limit";
    case Rejection::kEvicted:
      return "evicted";
    case Rejection::kWriteTimeout:
      return "write_timeout";
    case Rejection::kDescriptorsExhausted:
      return "descriptors_exhausted";
  }
  return "unknown";
}

std::unique_ptr<HttpServer> MakeHttpServer() { return std::make_unique<CpprestServer>(); }

}  // namespace shm::runtime
