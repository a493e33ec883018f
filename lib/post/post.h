// Posts alerts to HEAPGAUGE_ALERT_URL.
#ifndef HEAPGAUGE_POST_POST_H_
#define HEAPGAUGE_POST_POST_H_

#include <string>

#include "alert/alert_request.h"

namespace heapgauge::post {

// Posts the body until it is accepted (any 2xx), with growing pauses where trying again may help:
// no connection, no answer, 408, 429, 5xx.  A redirect is not followed: where alerts go is said in
// one place.  "" when accepted, else what went wrong.
std::string PostAlerts(const AlertRequest& request);

}  // namespace heapgauge::post

#endif  // HEAPGAUGE_POST_POST_H_
