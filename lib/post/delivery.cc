#include "post/delivery.h"

#include <fmt/core.h>

#include <cstdio>
#include <optional>
#include <string>

#include "alert/alert_request.h"
#include "base/whole_io.h"
#include "post/post.h"
#include "post/run_command.h"

namespace heapgauge::post {
namespace {

// A request has a few alerts; more is not from the library.
constexpr size_t kMostBytes = size_t{64} << 20;
constexpr int kNoRequest = 2;

}  // namespace

int DeliverAlerts(int in, int out) {
  std::string text;
  ReadAll(in, kMostBytes, &text);  // a torn request is not understood
  const std::optional<AlertRequest> request = DecodeAlertRequest(text);
  if (!request) {
    fmt::print(stderr,
               "heapgauge-alert: is started by the library, with its request on its input\n");
    return kNoRequest;
  }
  std::string problem;
  if (!request->exec.empty()) problem = RunAlertCommand(*request);
  if (!request->url.empty() && problem.empty()) problem = PostAlerts(*request);
  WriteAll(out, problem.empty() ? kAlertDelivered : problem + "\n");
  return 0;
}

}  // namespace heapgauge::post
