// The HTTP server: what it answers, and to whom.
#ifndef HEAPGAUGE_SERVE_SERVER_H_
#define HEAPGAUGE_SERVE_SERVER_H_

#include <string>

#include "serve/settings.h"

namespace httplib {
class Server;
}  // namespace httplib

namespace heapgauge::serve {

// Limits, headers, and who is answered at all: all but the addresses (routes.h).
void Prepare(const Settings& settings, httplib::Server* server);

// Serves until the process of the settings has ended, or a signal ends it.  Returns "" or why it
// can't serve, one line.
std::string Serve(const Settings& settings);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_SERVER_H_
