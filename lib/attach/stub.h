// The code that runs inside the process for the command, and the memory it works in.
//
// A thread of the process is borrowed for a moment to make a thread of our own, and goes on where
// it was; the new one loads the library, makes the call, waits until the result has been read, and
// takes its own memory away.
#ifndef HEAPGAUGE_ATTACH_STUB_H_
#define HEAPGAUGE_ATTACH_STUB_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core_api/attach_request.h"

namespace heapgauge::attach {

enum class StubState : uint32_t { kNotBegun, kRunning, kDone, kFailed };

// The code knows these offsets by number.
struct StubData {
  uint64_t entry = 0;  // what to call with `request`; 0: load `path` and ask it for `name`
  uint64_t dlopen = 0;
  uint64_t dlsym = 0;
  uint64_t dlerror = 0;
  uint64_t munmap = 0;
  uint64_t pthread_self = 0;
  uint64_t pthread_detach = 0;
  uint64_t usleep = 0;
  uint64_t path = 0;
  uint64_t name = 0;
  uint64_t request = 0;
  uint64_t memory = 0;  // all of ours, and its size
  uint64_t memory_bytes = 0;
  uint64_t thread = 0;                  // pthread_t
  uint32_t create_result = UINT32_MAX;  // of pthread_create
  StubState state = StubState::kNotBegun;
  int32_t result = 0;          // of the call
  uint32_t acknowledged = 0;   // the result has been read
  uint64_t saved_context = 0;  // what the borrowed thread goes back to
  uint64_t pthread_create = 0;
  char error[1024] = "";  // why loading failed
  char path_text[4096] = "";
  char name_text[32] = "";
  AttachRequest request_data;
};
static_assert(offsetof(StubData, thread) == 0x68 && offsetof(StubData, create_result) == 0x70 &&
              offsetof(StubData, state) == 0x74 && offsetof(StubData, result) == 0x78 &&
              offsetof(StubData, acknowledged) == 0x7C &&
              offsetof(StubData, saved_context) == 0x80 &&
              offsetof(StubData, pthread_create) == 0x88 && offsetof(StubData, error) == 0x90);

// One page of code, then the data, then the stack of the borrowed thread.
inline constexpr size_t kStubCodeBytes = 4096;
inline constexpr size_t kStubBytes = 128 * 1024;
static_assert(kStubCodeBytes + sizeof(StubData) + 32 * 1024 < kStubBytes);

// Position-independent; begins with what the borrowed thread runs, with the address of the data in
// rbx.  Empty where attaching is not possible (other processors than x86-64).
std::string_view StubCode();

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_STUB_H_
