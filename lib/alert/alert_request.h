// What the library asks heapgauge-alert to deliver, and what it answers.
#ifndef HEAPGAUGE_ALERT_ALERT_REQUEST_H_
#define HEAPGAUGE_ALERT_ALERT_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

struct AlertRequest {
  int64_t host_pid = 0;  // its environment and directory are the command's
  std::string exec;      // run by /bin/sh once for each event; "" = not
  std::vector<std::string> events;
  int64_t exec_limit_ms = 0;  // for each of them
  std::string url;            // posted to until it is accepted; "" = not
  std::string body;
  int64_t retry_ms = 0;  // give up after
};

std::string EncodeAlertRequest(const AlertRequest& request);
std::optional<AlertRequest> DecodeAlertRequest(std::string_view text);

// The answer when all was delivered; any other is what went wrong, in one line.
inline constexpr char kAlertDelivered[] = "delivered\n";

// True for http:// and https:// with a host.
bool IsAlertUrl(std::string_view url);

}  // namespace heapgauge

#endif  // HEAPGAUGE_ALERT_ALERT_REQUEST_H_
