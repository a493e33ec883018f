// checkout_service: a small web shop with a defect that can be switched on.  See README.md.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <variant>

#include "options.h"
#include "service.h"

namespace {

// Blocks the two stop signals in this thread and every later one, so that only sigwait sees them
// and the service stops in an orderly way, at a point of its own choosing.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

bool WritePidFile(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fprintf(file, "%d\n", static_cast<int>(getpid()));
  return std::fclose(file) == 0;
}

void PrintTruth(const checkout::LeakTotals& leaked) {
  std::printf("checkout_service: leaked %" PRIu64 " bytes in %" PRIu64
              " coupons over %.1f s (%.0f bytes/s)\n",
              leaked.bytes, leaked.objects, leaked.seconds, leaked.bytes_per_s);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = checkout::ParseServiceOptions(argc, argv);
  if (const int* const status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<checkout::ServiceOptions>(parsed);

  const sigset_t stop_signals = BlockStopSignals();
  checkout::Service service(options);
  const int port = service.Bind();
  if (port < 0) {
    std::fprintf(stderr, "checkout_service: can't listen on 127.0.0.1:%d: %s\n", options.port,
                 std::strerror(errno));
    return 1;
  }
  if (!options.pid_file.empty() && !WritePidFile(options.pid_file)) {
    std::fprintf(stderr, "checkout_service: can't write %s: %s\n", options.pid_file.c_str(),
                 std::strerror(errno));
    return 1;
  }
  service.Start();
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&stop_signals, &signal);
  service.Stop();
  if (!options.pid_file.empty()) std::remove(options.pid_file.c_str());
  PrintTruth(service.shop().coupons.Leaked());
  return 0;
}
