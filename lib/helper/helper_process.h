// Runs a helper once, outside the host: request in, response out, within a time limit.
#ifndef HEAPGAUGE_HELPER_HELPER_PROCESS_H_
#define HEAPGAUGE_HELPER_HELPER_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "helper/helper_guardian.h"
#include "helper/running_helpers.h"

namespace heapgauge {

// Why a host that has entered another root has no helper, for people.
inline constexpr char kNothingRunHere[] =
    "in another root directory or namespace of mounts nothing is run";

struct HelperRun {
  enum class Outcome : uint8_t {
    kEnded,     // by itself, with exit status 0
    kFailed,    // it crashed, or ended with another status
    kTimedOut,  // it was killed at the deadline
    kStopped,   // it was killed, or not started, because the host changes its rights
    kNotStarted,
  };
  Outcome outcome = Outcome::kNotStarted;
  std::string_view output;  // what it wrote, also when it failed; as long as `memory` lives
  std::string problem;      // for people; "" after kEnded
  std::shared_ptr<const void> memory;
};

// True while a system call filter kills for what helpers take: none is started then.
void ForbidHelpers(bool forbidden) noexcept;

// One process of a helper.  The host sees no signal, no child (unless it waits with __WALL), no
// descriptor and no terminal output of it.  The helper gets the request on standard input and this
// environment only: LC_ALL=C, PATH, and heapgauge switched off in case /etc/ld.so.preload loads us
// everywhere.  It ends with the host, at the limit, when this object goes, and when the host's
// rights change (running_helpers.h).
class HelperProcess final {
 public:
  // How often its guardian looks whether it is to end, and a host that changes its rights waits.
  static constexpr std::chrono::milliseconds kLook{10};

  // Any thread; does not wait.  `helper`: absolute path of the program.
  HelperProcess(std::string helper, std::string request, std::chrono::milliseconds limit,
                std::chrono::milliseconds look = kLook);
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  // True once there is nothing to wait for.
  bool Done();
  // Waits for that, a little longer than the limit at most.
  HelperRun Finish();

 private:
  class Memory;

  void Start(std::chrono::milliseconds limit, std::chrono::milliseconds look);
  void Kill();
  bool Reap();
  bool ReapBefore(uint64_t deadline_ns);

  std::string helper_;
  std::shared_ptr<const Memory> memory_;
  RunningHelper running_;
  GuardianJob* job_ = nullptr;
  pid_t guardian_ = -1;  // not reaped yet
  uint64_t give_up_ns_ = 0;
  std::string problem_;
  bool held_back_ = false;
};

// The same for callers that wait.
HelperRun RunHelper(const std::string& helper, const std::string& request,
                    std::chrono::milliseconds limit);

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_HELPER_PROCESS_H_
