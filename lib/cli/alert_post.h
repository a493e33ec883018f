// Posts alerts to HEAPGAUGE_ALERT_URL.
#ifndef HEAPGAUGE_CLI_ALERT_POST_H_
#define HEAPGAUGE_CLI_ALERT_POST_H_

#include <string>

#include "report/alert_request.h"

namespace heapgauge::cli {

// Posts the body until it is accepted (any 2xx), with growing pauses where trying again may help:
// no connection, no answer, 408, 429, 5xx.  A redirect is not followed: where alerts go is said in
// one place.  "" when accepted, else what went wrong.
std::string PostAlerts(const AlertRequest& request);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_ALERT_POST_H_
