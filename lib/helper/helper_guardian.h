// The process between a host and its symbolize helper.
//
//   host ── clone, no exit signal ──► guardian ── clone, exec ──► helper
//
// Why two: execve resets a child's exit signal to SIGCHLD, so a helper that is the host's own child
// would be seen by its SIGCHLD handler and reaped by its waitpid(-1).  An orphan goes to the
// nearest reaper, which in a container is often the host.  So the guardian, which never execs, is
// the child; it starts the helper, carries the bytes, keeps the deadline, reaps the helper and
// ends.  All pipes live in the guardian's own descriptor table: the host's gets no entry, and
// SIGPIPE can't reach it.
//
// The guardian shares the host's memory (copying a large host's page tables would stall it) and
// runs while the host does.  Hence the rules for this file: system calls on registers only, no
// errno, no libc beyond clone(), no thread-local storage, no sanitizer instrumentation.
//
// G1  Everything it writes to is in GuardianJob and its response; the asking thread reads them
//     after it has reaped it.
// G2  Once the helper runs the guardian has no rights (guardian_rights.h), and nothing that the
//     helper reads can be changed any more: the request lies in a file of its own.
// G3  It ends soon after the host's rights have changed, and its helper before it.
#ifndef HEAPGAUGE_HELPER_HELPER_GUARDIAN_H_
#define HEAPGAUGE_HELPER_HELPER_GUARDIAN_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "base/macros.h"
#include "base/root_identity.h"

// glibc's clone() by its other exported name.
extern "C" int __clone(int (*entry)(void*), void* stack_top, int flags, void* argument,
                       ...) noexcept;

namespace heapgauge {

// clone(2), running `entry` on the stack that ends at `stack_top`; -1 and errno on failure.  Not by
// the name clone: thread sanitizer intercepts that, taking every clone for a fork.
HG_ALWAYS_INLINE pid_t CloneProcess(int (*entry)(void*), void* stack_top, int flags,
                                    void* argument) noexcept {
  return __clone(entry, stack_top, flags, argument);
}

struct GuardianJob {
  // Given.
  const char* helper = nullptr;  // absolute path
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* request = nullptr;
  size_t request_size = 0;
  char* response = nullptr;
  size_t response_room = 0;
  uint64_t deadline_ns = 0;  // CLOCK_MONOTONIC
  uint64_t look_ns = 0;      // how often to look whether the helper is to end, below a second
  pid_t host = 0;
  void* helper_stack_top = nullptr;
  RootIdentity root;  // of the start
  bool shares_memory = true;
  // Not zero: helpers are to end.  Of all, and of this one.
  const Atomic<uint32_t>* all_stopped = nullptr;
  Atomic<uint32_t> stopped{0};

  // Found.
  enum class Outcome : uint32_t {
    kUnfinished,  // somebody killed the guardian
    kNoPipe,      // error_code: of pipe2
    kNoRequest,   // error_code: it could not be handed over
    kNoProcess,   // error_code: of clone
    kNoExec,      // error_code: of execve
    kOtherRoot,   // the host has entered another root directory; no program of there is run
    kDeadline,    // the helper was killed
    kTooMuch,     // it said more than response_room; killed
    kStopped,     // somebody asked for it, or the host's rights have changed; the helper was killed
    kEnded,       // wait_status
  };
  Outcome outcome = Outcome::kUnfinished;
  int error_code = 0;
  int wait_status = 0;
  size_t response_size = 0;
};

// Entry point for CloneProcess(); takes a GuardianJob.  All signals must be blocked.
int RunGuardian(void* job) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_HELPER_GUARDIAN_H_
