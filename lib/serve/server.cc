#include "serve/server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <httplib.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/whole_io.h"
#include "report/printable.h"
#include "serve/bounded_server.h"
#include "serve/connection_watch.h"
#include "serve/request_gate.h"
#include "serve/routes.h"

namespace heapgauge::serve {
namespace {

constexpr size_t kThreads = 32;
constexpr size_t kMostBodyBytes = 4096;  // settings alone have a body
constexpr ConnectionWatch::Limits kConnections{std::chrono::seconds(15), 96};
// A client that never stops must not fill the memory that we share with the watched process's
// container.
constexpr rlimit kMostMemory{rlim_t{1} << 30, rlim_t{1} << 30};

std::atomic<bool> g_stop{false};

void StopBySignal(int) { g_stop.store(true, std::memory_order_relaxed); }  // relaxed: a flag alone

// False once `process` (a pidfd) has ended.
bool Runs(int process, std::chrono::milliseconds wait) {
  pollfd end{process, POLLIN, 0};
  const int ready = poll(&end, process >= 0 ? 1 : 0, static_cast<int>(wait.count()));
  return ready <= 0;
}

// Where the port is, for people and scripts; readable by the owner alone, replaced whole.
std::string Announce(const std::string& directory, const std::string& address) {
  const std::string path = directory + "/http";
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = fd >= 0 && WriteAll(fd, address + "\n");
  if (fd >= 0) close(fd);
  if (written && rename(fresh.c_str(), path.c_str()) == 0) return {};
  return fmt::format("{}: {}", Printable(path), std::strerror(errno));
}

}  // namespace

void Prepare(const Settings& settings, httplib::Server* server) {
  server->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server->set_payload_max_length(kMostBodyBytes);
  // Not SO_REUSEPORT, which the library sets by itself: two servers would share a port unseen.
  server->set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    fcntl(socket, F_SETFD, FD_CLOEXEC);
  });
  server->set_default_headers({{"Cache-Control", "no-store"},
                               {"X-Content-Type-Options", "nosniff"},
                               {"Referrer-Policy", "no-referrer"}});
  // The page brings a policy of its own; default headers would stand beside it.
  server->set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
    constexpr char kPolicy[] = "Content-Security-Policy";
    if (response.has_header(kPolicy)) return;
    response.set_header(kPolicy,
                        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                        "base-uri 'none'; form-action 'none'");
  });
  server->set_pre_routing_handler([token = settings.token](const httplib::Request& request,
                                                           httplib::Response& response) {
    const Refusal refusal =
        Judge(token, request.get_header_value("Host"), request.get_header_value("Authorization"));
    const bool commands = request.path == "/snapshot" || request.path == "/config";
    if (refusal.status == 0 &&
        (commands ? request.method == "POST" : request.method == "GET" || request.method == "HEAD"))
      return httplib::Server::HandlerResponse::Unhandled;
    const bool method = refusal.status == 0;
    response.status = method ? 405 : refusal.status;
    if (response.status == 401) response.set_header("WWW-Authenticate", "Bearer");
    response.set_content((!method    ? refusal.reason
                          : commands ? "POST alone"
                                     : "GET and HEAD alone") +
                             "\n",
                         "text/plain");
    return httplib::Server::HandlerResponse::Handled;
  });
  server->set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty())
      response.set_content(fmt::format("{}\n", response.status), "text/plain");
  });
}

std::string Serve(const Settings& settings) {
  setrlimit(RLIMIT_DATA, &kMostMemory);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, StopBySignal);
  std::signal(SIGINT, StopBySignal);
  int process = -1;
  if (settings.pid > 0) {
    process = static_cast<int>(syscall(SYS_pidfd_open, settings.pid, 0));
    if (process < 0) return fmt::format("process {}: {}", settings.pid, std::strerror(errno));
  }
  struct stat status {};
  if (stat(settings.directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return fmt::format("{}: no report directory", Printable(settings.directory));

  BoundedServer server;
  ConnectionWatch connections(kConnections);
  Routes routes(settings.directory, settings.pid, !settings.token.empty(), &connections);
  Prepare(settings, &server);
  routes.AddTo(&server);
  errno = 0;
  const int port = settings.port != 0
                       ? (server.bind_to_port(settings.host, settings.port) ? settings.port : -1)
                       : server.bind_to_any_port(settings.host);
  const bool six = settings.host.find(':') != std::string::npos;
  const std::string host = six ? "[" + settings.host + "]" : settings.host;
  if (port < 0) {
    return fmt::format("{}:{} can't be listened on: {}", Printable(host), settings.port,
                       errno == EADDRINUSE ? "another program has it"
                       : errno != 0        ? std::strerror(errno)
                                           : "no such address");
  }
  const std::string url = fmt::format("http://{}:{}/", host, port);
  if (settings.announce) {
    if (std::string wrong = Announce(settings.directory, url); !wrong.empty()) return wrong;
  } else {
    fmt::print("{}\n", url);
    std::fflush(stdout);
  }

  std::thread answering([&server] { server.listen_after_bind(); });
  constexpr auto kLook = std::chrono::milliseconds(500);
  // relaxed: the flag alone
  while (!g_stop.load(std::memory_order_relaxed) && Runs(process, kLook))
    connections.Look(ConnectionWatch::Clock::now());
  routes.Stop();
  server.stop();
  answering.join();
  if (settings.announce) unlink((settings.directory + "/http").c_str());
  return {};
}

}  // namespace heapgauge::serve
