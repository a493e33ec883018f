// The command line of checkout_service.
#ifndef CHECKOUT_SERVICE_OPTIONS_H
#define CHECKOUT_SERVICE_OPTIONS_H

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>

#include "coupon.h"

namespace checkout {

struct ServiceOptions {
  int port = 0;      // 0: one that is free
  int threads = 16;  // a kept-alive connection holds one, so also the most clients at a time
  std::chrono::milliseconds session_ttl{60'000};
  size_t cache_entries = 512;  // of each cache
  size_t products = 2000;
  size_t receipts = 1000;
  size_t coupon_bytes = 4096;
  Defect defect = Defect::kNone;
  std::string pid_file;  // empty: none
};

// The options, or the exit status of a command line that is answered already: 0 after --help, 2
// after a mistake, which is named in one line on stderr.
std::variant<ServiceOptions, int> ParseServiceOptions(int argc, char** argv);

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_OPTIONS_H
