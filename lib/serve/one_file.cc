#include "serve/one_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "page/random_token.h"
#include "serve/request_gate.h"

namespace heapgauge::serve {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);
constexpr time_t kRequestSeconds = 5;
constexpr size_t kThreads = 4;

}  // namespace

std::string ServeOnce(const OneFile& file) {
  std::mutex mutex;
  std::condition_variable changed;
  bool fetched = false;

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_payload_max_length(0);
  server.set_read_timeout(kRequestSeconds);
  server.set_write_timeout(kRequestSeconds);
  server.set_keep_alive_max_count(1);
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    fcntl(socket, F_SETFD, FD_CLOEXEC);
  });
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"}});
  if (!file.origin.empty()) {
    server.set_post_routing_handler([&file](const httplib::Request&, httplib::Response& response) {
      response.set_header("Access-Control-Allow-Origin", file.origin);
      response.set_header("Access-Control-Allow-Private-Network", "true");
      response.set_header("Vary", "Origin");
    });
  }
  server.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const Refusal refusal = Judge("", request.get_header_value("Host"), "");
    if (refusal.status == 0) return httplib::Server::HandlerResponse::Unhandled;
    response.status = refusal.status;
    response.set_content(refusal.reason + "\n", "text/plain");
    return httplib::Server::HandlerResponse::Handled;
  });
  const std::string path = "/" + RandomToken() + "/" + file.name;
  server.Get(path, [&](const httplib::Request&, httplib::Response& response) {
    // A browser asks for a page again when it is shown in a second window: what it has read to the
    // end counts as fetched.
    response.set_content_provider(
        file.content.size(), file.media_type,
        [&file](size_t offset, size_t length, httplib::DataSink& sink) {
          return sink.write(file.content.data() + offset, length);
        },
        [&](bool whole) {
          const std::lock_guard lock(mutex);
          fetched = fetched || whole;
          changed.notify_one();
        });
  });
  server.Options(path, [](const httplib::Request&, httplib::Response& response) {
    response.set_header("Access-Control-Allow-Methods", "GET");
    response.status = 204;
  });

  constexpr char kHost[] = "127.0.0.1";
  const int port = file.port != 0 ? (server.bind_to_port(kHost, file.port) ? file.port : -1)
                                  : server.bind_to_any_port(kHost);
  if (port < 0) return fmt::format("{}:{} can't be listened on", kHost, file.port);
  fmt::print("http://{}:{}{}\n", kHost, port, path);
  std::fflush(stdout);
  std::thread answering([&server] { server.listen_after_bind(); });
  bool served = false;
  {
    std::unique_lock lock(mutex);
    served = changed.wait_for(lock, kPatience, [&] { return fetched; });
  }
  server.stop();
  answering.join();
  return served ? std::string() : "nobody has fetched the file within two minutes";
}

}  // namespace heapgauge::serve
