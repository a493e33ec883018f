// /etc/heapgauge-preload.conf: which programs of a machine are tracked when the library stands in
// /etc/ld.so.preload, and so in front of every program there is.
//
//   # a comment
//   /usr/sbin/nginx                        a glob on the executable's path; `*` takes slashes, too
//   postgres*                              without a slash: on its name
//   !*/pg_dump                             not these, whatever else is said
//   HEAPGAUGE_OUTPUT=/var/log/heapgauge/%e.%p     a setting of theirs; their environment goes first
//
// Where there is no such file every program is tracked.  A file that can't be trusted or read
// (not root's, writable by others, no regular file, longer than 64 KiB, a line longer than 1023
// bytes) chooses none; whoever sits at a terminal is told.
#ifndef HEAPGAUGE_SHIM_MACHINE_FILE_H_
#define HEAPGAUGE_SHIM_MACHINE_FILE_H_

#include <cstddef>

namespace heapgauge {

enum class MachineChoice : int { kNoFile, kTracked, kNotTracked };

// Names by which the program is known; a nullptr is none.
struct ProgramNames {
  const char* executable;
  const char* started_by;
};

class MachineFile final {
 public:
  constexpr MachineFile() noexcept = default;
  MachineFile(const MachineFile&) = delete;
  MachineFile& operator=(const MachineFile&) = delete;

  // `owner`: whose file it must be.
  MachineChoice Read(const char* path, unsigned owner, const ProgramNames& names) noexcept;

  // After Read(): NAME=value strings, nullptr at the end; and what is wrong with the file, or "".
  const char* const* settings() const noexcept { return settings_; }
  const char* problem() const noexcept { return problem_; }

  static constexpr size_t kMostBytes = 64 << 10;
  static constexpr size_t kMostLine = 1023;

 private:
  bool ReadLines(int file, const ProgramNames& names) noexcept;
  bool TakeLine(char* line, const ProgramNames& names) noexcept;
  bool KeepSetting(const char* line) noexcept;

  static constexpr size_t kMostSettings = 32;
  static constexpr size_t kSettingBytes = 4096;

  bool chosen_ = false;
  bool refused_ = false;
  size_t count_ = 0;
  size_t used_ = 0;
  const char* problem_ = "";
  const char* settings_[kMostSettings + 1] = {};
  char text_[kSettingBytes] = {};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SHIM_MACHINE_FILE_H_
