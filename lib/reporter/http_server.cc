#include "reporter/http_server.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/raw_log.h"
#include "helper/program_path.h"

namespace heapgauge {
namespace {

// It ends with its process, by itself and by its guardian.
constexpr std::chrono::milliseconds kNoLimit = std::chrono::hours(24 * 365 * 10);
// How long a host that changes its rights waits for it.
constexpr std::chrono::milliseconds kLook{50};
constexpr uint64_t kShortNs = 60'000'000'000;
constexpr int kMostShortLives = 3;

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

bool HttpServer::IsAskedFor(const Options& options) {
  return strcasecmp(options.http.value, "off") != 0;
}

HttpServer::HttpServer(const Options& options)
    : address_(options.http.value),
      token_file_(options.http_token_file.value),
      program_(FindProgram(kServeProgram)) {
  if (!program_.empty()) return;
  RawLog(LogLevel::kWarning,
         "HEAPGAUGE_HTTP: heapgauge-serve is not beside the library; reports "
         "go to the report directory alone");
  wanted_ = false;
}

void HttpServer::Tend(const std::string& directory) {
  if (!wanted_ || directory.empty()) return;
  Look();
  if (server_ != nullptr || !wanted_) return;
  std::string request = "--announce\n--directory\n" + directory + "\n--listen\n" + address_ +
                        "\n--pid\n" + std::to_string(getpid()) + "\n";
  if (!token_file_.empty()) request += "--token-file\n" + token_file_ + "\n";
  started_ns_ = MonotonicNs();
  server_ = std::make_unique<HelperProcess>(program_, std::move(request), kNoLimit, kLook);
}

void HttpServer::Look() {
  if (server_ != nullptr && server_->Done()) TakeEnd();
}

void HttpServer::TakeEnd() {
  const HelperRun run = std::exchange(server_, nullptr)->Finish();
  if (run.outcome == HelperRun::Outcome::kStopped) return;
  // It says so itself when there is no use in another one; without a word somebody killed it, or
  // the thread that had started it has ended.
  const std::string line = FirstLine(run.output);
  short_lives_ = MonotonicNs() - started_ns_ < kShortNs ? short_lives_ + 1 : 0;
  if (line.empty() && short_lives_ < kMostShortLives) return;
  wanted_ = false;
  RawLog(LogLevel::kWarning, "HEAPGAUGE_HTTP: %s; reports go to the report directory alone",
         line.empty() ? run.problem.c_str() : line.c_str());
}

}  // namespace heapgauge
