// auth_service gateway|auth|session: three services that ask each other about tokens, and a circle
// among them that can be switched on.  See README.md.
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "service.h"

int main(int argc, char** argv) {
  auth::Options options;
  CLI::App app("Validates tokens, in one of three roles.  Listens on loopback.", "auth_service");
  app.add_option("ROLE", options.role, "gateway, auth or session")
      ->required()
      ->check(CLI::IsMember({"gateway", "auth", "session"}));
  app.add_option("--port", options.port, "Port on 127.0.0.1; 0 takes a free one and prints it")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Requests in work at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--work-ms", options.work_ms, "What a request takes here, besides its calls")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_s, "Seconds until a call is given up")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--document-kib", options.document_kib, "What travels with a token")
      ->check(CLI::Range(size_t{1}, size_t{1024}))
      ->capture_default_str();
  app.add_flag("--without-header", options.without_header, "Calls carry no baggage header");
  CLI11_PARSE(app, argc, argv);

  // Only sigwait sees them, so the service stops at a point of its own choosing.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  auth::Service service(options);
  const auto ports = service.Bind();
  if (!ports) {
    std::fprintf(stderr, "auth_service: can't listen on 127.0.0.1:%d: %s\n", options.port,
                 std::strerror(errno));
    return 1;
  }
  service.Start();
  std::printf("listening on 127.0.0.1:%d, admin %d\n", ports->tokens, ports->admin);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop_signals, &signal);
  service.Stop();
  return 0;
}
