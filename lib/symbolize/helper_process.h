// Runs the symbolize helper once: request in, response out, within a time limit.
#ifndef HEAPGAUGE_SYMBOLIZE_HELPER_PROCESS_H_
#define HEAPGAUGE_SYMBOLIZE_HELPER_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace heapgauge::symbolize {

struct HelperRun {
  enum class Outcome : uint8_t {
    kEnded,     // by itself, with exit status 0
    kFailed,    // it crashed, or ended with another status
    kTimedOut,  // it was killed at the deadline
    kNotStarted,
  };
  Outcome outcome = Outcome::kNotStarted;
  std::string_view output;  // what it wrote, also when it failed; as long as `memory` lives
  std::string problem;      // for people; "" after kEnded
  std::shared_ptr<const void> memory;
};

// The host sees no signal, no child (unless it waits with __WALL), no descriptor and no terminal
// output of it.  The helper gets the request on standard input and this environment only: LC_ALL=C,
// PATH, and heapgauge switched off in case /etc/ld.so.preload loads us everywhere.
//
// The calling thread waits; it may be any thread.  `helper`: absolute path of an executable.
HelperRun RunHelper(const std::string& helper, const std::string& request,
                    std::chrono::milliseconds limit);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_HELPER_PROCESS_H_
