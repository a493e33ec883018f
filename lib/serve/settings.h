// How heapgauge-serve is started.
#ifndef HEAPGAUGE_SERVE_SETTINGS_H_
#define HEAPGAUGE_SERVE_SETTINGS_H_

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace heapgauge::serve {

struct Settings {
  std::string directory;  // of the reports
  std::string host;       // a literal address or "localhost"
  int port = 0;           // 0: any
  std::string token;      // "": none is asked for
  pid_t pid = 0;          // ends with this process; 0: runs until it is stopped
  bool announce = false;  // the port goes to the file `http` in the directory
  std::string once;       // not "": no directory, but the file of this name on standard input, once
  std::string media_type;  // of that file
  std::string origin;      // who else than a visitor may read it
};

// Arguments, or where there are none the same from standard input, one a line: the library has no
// other way to hand them over.
absl::StatusOr<Settings> ReadSettings(const std::vector<std::string>& arguments);

// "127.0.0.1:9191" -> host and port; "[::1]:0".
bool SplitAddress(const std::string& address, std::string* host, int* port);

// Reached from this machine alone?
bool IsLoopback(const std::string& host);

}  // namespace heapgauge::serve

#endif  // HEAPGAUGE_SERVE_SETTINGS_H_
