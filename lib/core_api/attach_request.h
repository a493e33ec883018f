// What `heapgauge attach` hands to the library inside the process, and what comes back.
//
// It lies in memory of that process which the command has filled from outside, so it holds no
// pointers.  The command and the library may be of different builds: whoever does not know the
// other's version refuses.
#ifndef HEAPGAUGE_CORE_API_ATTACH_REQUEST_H_
#define HEAPGAUGE_CORE_API_ATTACH_REQUEST_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge {

// Exported by libheapgauge.so: int32_t (*)(AttachRequest*), an AttachResult.
inline constexpr char kAttachEntryName[] = "heapgauge_attach";
// The name of the thread that loads the library: by it the library knows that it is to wait for the
// request instead of reading the environment.
inline constexpr char kAttachThreadName[] = "heapgauge-attach";
inline constexpr uint32_t kAttachVersion = 1;

enum class AttachAction : uint32_t { kStart, kStop };

enum class AttachResult : int32_t {
  kDone = 0,
  kRefused = 1,   // `text` says why
  kNoReport = 2,  // done, but the first report could not be written
};

struct AttachRequest {
  static constexpr size_t kSettingsBytes = 24 * 1024;
  static constexpr size_t kTextBytes = 4608;

  uint32_t version = kAttachVersion;
  uint32_t bytes = sizeof(AttachRequest);
  AttachAction action = AttachAction::kStart;
  uint32_t reserved = 0;
  uint64_t sample_interval = 0;        // of a process that is tracked already; 0: as it is
  char settings[kSettingsBytes] = "";  // NAME=value, each with its NUL; an empty one ends them
  char text[kTextBytes] = "";          // back: the report directory, or what is wrong
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_CORE_API_ATTACH_REQUEST_H_
