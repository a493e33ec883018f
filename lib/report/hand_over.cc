#include "report/hand_over.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/descriptor.h"
#include "base/directory_entries.h"
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

bool IsIgnored(const char* name) noexcept {
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return true;
  for (const char* start : kUnfinished) {
    if (strncmp(name, start, strlen(start)) == 0) return true;
  }
  return false;
}

bool HoldsReportsAlone(int directory) noexcept {
  bool marked = false;
  const bool alone = ForEachName(directory, INT_MAX, [&marked](const char* name) {
    if (IsIgnored(name)) return true;
    size_t known = 0;
    while (known < std::size(kFiles) && strcmp(name, kFiles[known]) != 0) ++known;
    marked = marked || known < kMarks;
    return known < std::size(kFiles);
  });
  return alone && marked;
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
