// The server that HEAPGAUGE_HTTP asks for: a heapgauge-serve that lives as long as this process,
// reads its report directory and opens all sockets.  Nothing of it runs in the host.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_HTTP_SERVER_H_
#define HEAPGAUGE_REPORTER_HTTP_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "helper/helper_process.h"
#include "options/options.h"

namespace heapgauge {

class HttpServer final {
 public:
  static bool IsAskedFor(const Options& options);

  explicit HttpServer(const Options& options);

  // After each report: starts it where the reports are known to be, and once more when it was ended
  // because the host changed its rights.
  void Tend(const std::string& directory);
  // Between reports: says why it has ended, if it has.
  void Look();

 private:
  void TakeEnd();

  const std::string address_;
  const std::string token_file_;
  const std::string program_;
  bool wanted_ = true;  // until a line has said why there is none
  std::unique_ptr<HelperProcess> server_;
  uint64_t started_ns_ = 0;
  int short_lives_ = 0;  // in a row
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HTTP_SERVER_H_
