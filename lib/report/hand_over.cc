#include "report/hand_over.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/descriptor.h"
#include "report/safe_path.h"

namespace heapgauge {
namespace {

// The first of them are made with the directory, or by the first report.
constexpr size_t kMarks = 2;
constexpr const char* kFiles[] = {"owner",           "reports.jsonl",   "reports.jsonl.1",
                                  "reports.history", "report.txt",      "heap.pb.gz",
                                  "peak.json",       "alerts.jsonl",    "alerts.jsonl.1",
                                  "children.jsonl",  "children.jsonl.1"};
// Of a report that is being written.
constexpr const char* kUnfinished[] = {".report.txt.", ".heap.pb.gz.", ".peak.json.",
                                       ".reports.history."};

// The kernel's.
struct Entry {
  uint64_t file;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[1];
};

bool IsIgnored(const char* name) noexcept {
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return true;
  for (const char* start : kUnfinished) {
    if (strncmp(name, start, strlen(start)) == 0) return true;
  }
  return false;
}

bool HoldsReportsAlone(int directory) noexcept {
  alignas(Entry) char entries[2048];
  bool marked = false;
  for (;;) {
    const long got = syscall(SYS_getdents64, directory, entries, sizeof(entries));
    if (got <= 0) return got == 0 && marked;
    for (long at = 0; at < got;) {
      const auto* const entry = reinterpret_cast<const Entry*>(entries + at);
      at += entry->size;
      if (IsIgnored(entry->name)) continue;
      size_t known = 0;
      while (known < std::size(kFiles) && strcmp(entry->name, kFiles[known]) != 0) ++known;
      if (known == std::size(kFiles)) return false;
      marked = marked || known < kMarks;
    }
  }
}

}  // namespace

bool HandOverDirectory(int directory, uid_t from, uid_t to) noexcept {
  struct stat own;
  if (fstat(directory, &own) != 0 || !S_ISDIR(own.st_mode) || own.st_uid != from ||
      (own.st_mode & 0022) != 0 || !HoldsReportsAlone(directory)) {
    return false;
  }
  constexpr auto kSameGroup = static_cast<gid_t>(-1);
  for (const char* name : kFiles) {
    // The file that was looked at, and no other.
    const int file =
        AboveStandard(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (file < 0) continue;
    struct stat info;
    if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
        info.st_uid == from) {
      [[maybe_unused]] const int given = fchown(file, to, kSameGroup);
    }
    close(file);
  }
  return fchown(directory, to, kSameGroup) == 0;
}

}  // namespace heapgauge
