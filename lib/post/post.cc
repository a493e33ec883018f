#include "post/post.h"

#include <fmt/core.h>
#include <httplib.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <thread>

#include "report/printable.h"

namespace heapgauge::post {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{15'000};
constexpr time_t kConnectSeconds = 5;
constexpr time_t kAnswerSeconds = 10;

// A receiver that never stops answering must not fill the memory that we share with the watched
// process's container.
constexpr rlimit kMostMemory{rlim_t{32} << 20, rlim_t{32} << 20};

struct Attempt {
  std::string problem;  // "" = accepted
  bool again = false;   // trying again may help
};

Attempt Post(httplib::Client& client, const std::string& path, const AlertRequest& request) {
  const httplib::Headers headers = {{"User-Agent", "heapgauge"}};
  const httplib::Result result = client.Post(path, headers, request.body, "application/json");
  if (!result) {
    return {fmt::format("no answer from {}: {}", request.url, httplib::to_string(result.error())),
            true};
  }
  const int status = result->status;
  if (status >= 200 && status < 300) return {};
  std::string problem = fmt::format("{} answers {}", request.url, status);
  if (status >= 300 && status < 400) {
    problem += fmt::format(", a redirect to {}; set that address if it is right",
                           result->get_header_value("Location"));
  } else if (!result->body.empty()) {
    problem += ": " + CutEnd(Printable(result->body), 200);
  }
  return {problem, status == 408 || status == 429 || status >= 500};
}

}  // namespace

std::string PostAlerts(const AlertRequest& request) {
  if (!IsAlertUrl(request.url)) return request.url + " is no http:// or https:// address";
  const size_t host = request.url.find("://") + 3;
  const size_t slash = std::min(request.url.find('/', host), request.url.size());
  const std::string path = slash < request.url.size() ? request.url.substr(slash) : "/";
  setrlimit(RLIMIT_DATA, &kMostMemory);
  httplib::Client client(request.url.substr(0, slash));
  if (!client.is_valid()) return request.url + " can't be used: the address is not understood";
  client.set_connection_timeout(kConnectSeconds);
  client.set_read_timeout(kAnswerSeconds);
  client.set_write_timeout(kAnswerSeconds);
  client.set_follow_location(false);
  const auto deadline = Clock::now() + milliseconds(request.retry_ms);
  try {
    for (milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
      const Attempt attempt = Post(client, path, request);
      if (attempt.problem.empty() || !attempt.again || Clock::now() + pause >= deadline) {
        return attempt.problem;
      }
      std::this_thread::sleep_for(pause);
    }
  } catch (const std::bad_alloc&) {
    return request.url + " answers without end";
  }
}

}  // namespace heapgauge::post
