#include "shim/said_above.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc_stat.h"
#include "shim/said_mark.h"

namespace heapgauge {
namespace {

constexpr int kMostAncestors = 32;
// What is executed in between (sudo, a static program) may not have the library.
constexpr int kMostApart = 1;
constexpr char kLibrary[] = "/libheapgauge.so";

int Open(const char* process, const char* what) noexcept {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%s/%s", process, what);
  return open(path, O_RDONLY | O_CLOEXEC);
}

// The beginning of one of its files, as a string; false where it can't be read.
bool Read(const char* process, const char* what, char* text, size_t room) noexcept {
  const int file = Open(process, what);
  if (file < 0) return false;
  const ssize_t length = read(file, text, room - 1);
  close(file);
  text[length > 0 ? length : 0] = '\0';
  return length > 0;
}

// As the mounted /proc counts, which may be that of an outer namespace of processes.
long ParentOf(const char* process) noexcept {
  char text[512];
  if (!Read(process, "stat", text, sizeof(text))) return 0;
  return ParentInStat(text);
}

bool HasLibrary(const char* process) noexcept {
  const int file = Open(process, "maps");
  if (file < 0) return false;
  char text[4096];
  size_t kept = 0;  // the end of the last piece: a name may lie across two
  bool found = false;
  for (ssize_t got; !found && (got = read(file, text + kept, sizeof(text) - kept)) > 0;) {
    const size_t length = kept + static_cast<size_t>(got);
    found = memmem(text, length, kLibrary, sizeof(kLibrary) - 1) != nullptr;
    kept = length < sizeof(kLibrary) ? length : sizeof(kLibrary);
    memmove(text, text + length - kept, kept);
  }
  close(file);
  return found;
}

bool SpokeFor(const char* process, const struct stat& own) noexcept {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%s/exe", process);
  struct stat other;
  if (stat(path, &other) == 0) {
    return other.st_dev == own.st_dev && other.st_ino == own.st_ino && HasLibrary(process);
  }
  char names[2][32];
  return Read(process, "comm", names[0], sizeof(names[0])) &&
         Read("self", "comm", names[1], sizeof(names[1])) && strcmp(names[0], names[1]) == 0;
}

}  // namespace

bool SaidAbove() noexcept {
  struct stat own;
  if (stat("/proc/self/exe", &own) != 0) return false;
  char process[24] = "self";
  char root[24] = "self";
  int apart = 0;  // generations without the library
  for (int i = 0; i < kMostAncestors; ++i) {
    const long parent = ParentOf(process);
    if (parent <= 0) break;
    snprintf(process, sizeof(process), "%ld", parent);
    if (SpokeFor(process, own)) return true;
    if (apart > kMostApart) continue;
    if (HasLibrary(process)) {
      memcpy(root, process, sizeof(root));
      apart = 0;
    } else {
      ++apart;
    }
  }
  // Whoever is alone leaves nothing behind; it may be the last of its tree, which was executed in
  // the first one's place.
  return !MarkSaid(root, own, strcmp(root, "self") != 0);
}

}  // namespace heapgauge
