#include "cli/alert_helper.h"

#include <optional>
#include <string>

#include "base/whole_io.h"
#include "cli/alert_command.h"
#include "cli/alert_post.h"
#include "cli/message.h"
#include "report/alert_request.h"

namespace heapgauge::cli {
namespace {

// A request has a few alerts; more is not from the library.
constexpr size_t kMostBytes = size_t{64} << 20;

}  // namespace

int RunAlertHelper(int in, int out) {
  std::string text;
  ReadAll(in, kMostBytes, &text);  // a torn request is not understood
  const std::optional<AlertRequest> request = DecodeAlertRequest(text);
  if (!request) {
    return Fail("alert-helper is started by the library, with its request on standard input");
  }
  std::string problem;
  if (!request->exec.empty()) problem = RunAlertCommand(*request);
  if (!request->url.empty() && problem.empty()) problem = PostAlerts(*request);
  WriteAll(out, problem.empty() ? kAlertDelivered : problem + "\n");
  return kExitGood;
}

}  // namespace heapgauge::cli
