// The HTTP server: what it answers, and to whom.
#ifndef HEAPGAUGE_SERVE_SERVER_H_
#define HEAPGAUGE_SERVE_SERVER_H_

#include <string>

#include "serve/settings.h"

namespace heapgauge::serve {

// Serves until the process of the settings has ended, or a signal ends it.  Returns "" or why it
// can't serve, one line.
std::string Serve(const Settings& settings);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_SERVER_H_
