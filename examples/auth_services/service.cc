#include "service.h"

#include <httplib.h>
#include <sys/socket.h>

#include <cstdlib>
#include <heapgauge/heapgauge.hpp>

namespace auth {
namespace {

constexpr char kHost[] = "127.0.0.1";

// A header of the request; nullptr without it.
const char* HeaderOf(const httplib::Request& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? nullptr : found->second.c_str();
}

std::unique_ptr<httplib::Server> MakeServer(int threads) {
  auto server = std::make_unique<httplib::Server>();
  server->new_task_queue = [threads] {
    return new httplib::ThreadPool(static_cast<size_t>(threads));
  };
  server->set_keep_alive_max_count(1);
  server->set_tcp_nodelay(true);
  // httplib's default is SO_REUSEPORT, with which a second service would silently share our port.
  server->set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  return server;
}

}  // namespace

Service::Service(const Options& options)
    : options_(options), tokens_(MakeServer(options.threads)), admin_(MakeServer(2)) {
  tokens_->Post("/token", [this](const httplib::Request& request, httplib::Response& response) {
    Answer(request, response);
  });
  admin_->Post("/set",
               [this](const httplib::Request& request, httplib::Response&) { Set(request); });
  admin_->Get("/stats", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(Stats(), "application/json");
  });
}

Service::~Service() { Stop(); }

void Service::Answer(const httplib::Request& request, httplib::Response& response) {
  // What came in with the request: the path it took so far.
  const heapgauge::ScopedRequest scope(HeaderOf(request, "baggage"));
  busy_.fetch_add(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(options_.work_ms));
  if (options_.role == "gateway") response.status = Login(request);
  if (options_.role == "auth") response.status = Validate(request);
  if (options_.role == "session") response.status = Lookup(request);
  busy_.fetch_sub(1);
}

int Service::Login(const httplib::Request& request) { return Ask("auth", request); }

// A signed token needs nobody else; of any other, session knows whose it is.
int Service::Validate(const httplib::Request& request) {
  const std::string token = request.get_header_value("token");
  if (token.rfind("signed-", 0) == 0) return 200;
  return Ask("session", request);
}

// The defect: session leaves it to auth to say whether the token is still good, and auth asks
// session.  The connection to the database stays open meanwhile: so it looks like the database.
int Service::Lookup(const httplib::Request& request) {
  connections_.fetch_add(1);
  Query();
  const int status = circle_.load() ? Ask("auth", request) : 200;
  connections_.fetch_sub(1);
  return status;
}

int Service::Ask(const char* peer, const httplib::Request& request) {
  int port = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = ports_.find(peer);
    if (found == ports_.end()) return 503;
    port = found->second;
  }
  // What is allocated from here on waits for the peer's answer.
  const heapgauge::ScopedCall call(peer);
  httplib::Headers headers = {{"token", request.get_header_value("token")}};
  char baggage[8193];
  if (!options_.without_header &&
      heapgauge_call_baggage(HeaderOf(request, "baggage"), baggage, sizeof baggage) > 0) {
    headers.emplace("baggage", baggage);
  }
  const std::string document(options_.document_kib * 1024, 'd');
  httplib::Client client(kHost, port);
  client.set_tcp_nodelay(true);
  client.set_read_timeout(options_.timeout_s);
  const auto answer = client.Post("/token", headers, document, "application/octet-stream");
  return answer ? answer->status : 504;
}

// What a database would do: nothing for a while, with the row's buffer waiting for it.
void Service::Query() {
  const heapgauge::ScopedCall call("database");
  const std::string row(options_.document_kib * 1024, 'r');
  const auto began = std::chrono::steady_clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  for (auto now = began; now - began < query_time_; now = std::chrono::steady_clock::now()) {
    changed_.wait_for(lock, query_time_ - (now - began));
  }
}

void Service::Set(const httplib::Request& request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, value] : request.params) {
    const int number = std::atoi(value.c_str());
    if (name == "circle") {
      circle_.store(number != 0);
    } else if (name == "query_ms") {
      query_time_ = std::chrono::milliseconds(number);
    } else {
      ports_[name] = number;
    }
  }
  changed_.notify_all();
}

std::string Service::Stats() const {
  return "{\"busy\":" + std::to_string(busy_.load()) +
         ",\"database_connections\":" + std::to_string(connections_.load()) + "}\n";
}

std::optional<Ports> Service::Bind() {
  int port = options_.port;
  if (port == 0) {
    port = tokens_->bind_to_any_port(kHost);
  } else if (!tokens_->bind_to_port(kHost, port)) {
    return std::nullopt;
  }
  const int admin = admin_->bind_to_any_port(kHost);
  if (port < 0 || admin < 0) return std::nullopt;
  return Ports{port, admin};
}

void Service::Start() {
  for (httplib::Server* const server : {tokens_.get(), admin_.get()}) {
    listeners_.emplace_back([server] { server->listen_after_bind(); });
    while (!server->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Service::Stop() {
  tokens_->stop();
  admin_->stop();
  for (std::thread& listener : listeners_) listener.join();
  listeners_.clear();
}

}  // namespace auth
