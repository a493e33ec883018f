#include "service.h"

#include <absl/time/time.h>
#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>

#include "routes.h"

namespace checkout {

Service::Service(const ServiceOptions& options)
    : options_(options), shop_(options), server_(std::make_unique<httplib::Server>()) {
  server_->new_task_queue = [this] {
    return new httplib::ThreadPool(static_cast<size_t>(options_.threads));
  };
  server_->set_keep_alive_max_count(1'000'000);
  server_->set_keep_alive_timeout(kKeepAliveSeconds);
  server_->set_payload_max_length(64 * 1024);
  server_->set_tcp_nodelay(
      true);  // replies leave in two writes; with Nagle the second one waits 40 ms
  // httplib's default is SO_REUSEPORT, with which a second service would silently share our port.
  server_->set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  server_->set_pre_routing_handler([this](const httplib::Request&, httplib::Response&) {
    shop_.requests.fetch_add(1, std::memory_order_relaxed);
    return httplib::Server::HandlerResponse::Unhandled;
  });
  server_->set_logger([this](const httplib::Request&, const httplib::Response& response) {
    if (response.status >= 500) shop_.errors.fetch_add(1, std::memory_order_relaxed);
  });
  AddShopRoutes(*server_, shop_);
  AddAdminRoutes(*server_, shop_);
}

Service::~Service() { Stop(); }

int Service::Bind() {
  static constexpr char kHost[] = "127.0.0.1";
  if (options_.port == 0) return server_->bind_to_any_port(kHost);
  return server_->bind_to_port(kHost, options_.port) ? options_.port : -1;
}

void Service::Start() {
  listener_ = std::thread([this] { Listen(); });
  sweeper_ = std::thread([this] { Sweep(); });
}

void Service::Stop() {
  {
    const absl::MutexLock lock(&stop_mutex_);
    stopping_ = true;
  }
  if (listener_.joinable()) {
    // stop() does nothing before the listener runs, and then it would never end.
    while (!server_->is_running() && !listener_ended_.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    server_->stop();
    listener_.join();
  }
  if (sweeper_.joinable()) sweeper_.join();
}

void Service::Listen() {
  if (!server_->listen_after_bind()) std::fputs("checkout_service: accept failed\n", stderr);
  listener_ended_.store(true);
}

void Service::Sweep() {
  for (;;) {
    {
      absl::MutexLock lock(&stop_mutex_);
      if (stop_mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::Seconds(1))) return;
    }
    shop_.sessions.Sweep(Clock::now());
    shop_.coupons.DrainAudit();
  }
}

}  // namespace checkout
