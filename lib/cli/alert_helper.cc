#include "cli/alert_helper.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "cli/alert_command.h"
#include "cli/alert_post.h"
#include "cli/message.h"
#include "report/alert_request.h"

namespace heapgauge::cli {
namespace {

std::string ReadAll(int in) {
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(in, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

void WriteAll(int out, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(out, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
}

}  // namespace

int RunAlertHelper(int in, int out) {
  const std::optional<AlertRequest> request = DecodeAlertRequest(ReadAll(in));
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
