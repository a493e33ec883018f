// The history of a process as JSON, schema heapgauge.history/1.
#ifndef HEAPGAUGE_SERVE_HISTORY_JSON_H_
#define HEAPGAUGE_SERVE_HISTORY_JSON_H_

#include <string>

#include "page/history.h"

namespace heapgauge::serve {

std::string ToJson(const History& history);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_HISTORY_JSON_H_
