#include "shim/said_above.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory_entries.h"
#include "base/proc_stat.h"
#include "shim/said_mark.h"

namespace heapgauge {
namespace {

constexpr int kMostAncestors = 32;
constexpr int kMostProcesses = 4096;
// What is executed in between (sudo, a static program) may not have the library.
constexpr int kMostApart = 1;
constexpr char kLibrary[] = "/libheapgauge.so";
constexpr char kCore[] = "/libheapgauge-core.so";

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

// As the mounted /proc counts, which may be that of an outer namespace of processes; 0: not told.
long NumberOf(const char* process, int field) noexcept {
  char text[512];
  if (!Read(process, "stat", text, sizeof(text))) return 0;
  return strtol(StatField(text, field), nullptr, 10);
}

// Its parent is of another session: the one that it was executed by has ended.  What a service
// manager starts leads its own group.
bool IsOrphan() noexcept {
  char parent[24];
  snprintf(parent, sizeof(parent), "%ld", NumberOf("self", kParentField));
  char link[24];
  const ssize_t length = readlink("/proc/self", link, sizeof(link) - 1);
  link[length > 0 ? length : 0] = '\0';
  return NumberOf("self", kSessionField) != NumberOf(parent, kSessionField) &&
         NumberOf("self", kGroupField) != strtol(link, nullptr, 10);
}

struct Ours {
  bool library;
  bool core;
};

Ours OursIn(const char* process) noexcept {
  Ours found{};
  const int file = Open(process, "maps");
  if (file < 0) return found;
  char text[4096];
  size_t kept = 0;  // the end of the last piece: a name may lie across two
  for (ssize_t got; (got = read(file, text + kept, sizeof(text) - kept)) > 0;) {
    const size_t length = kept + static_cast<size_t>(got);
    found.library |= memmem(text, length, kLibrary, sizeof(kLibrary) - 1) != nullptr;
    found.core |= memmem(text, length, kCore, sizeof(kCore) - 1) != nullptr;
    kept = length < sizeof(kCore) ? length : sizeof(kCore);
    memmove(text, text + length - kept, kept);
  }
  close(file);
  return found;
}

// In one directory, as the programs that a package brings for itself.
bool LieTogether(const char* path, const char* other_path) noexcept {
  char texts[2][PATH_MAX];
  const char* const paths[2] = {path, other_path};
  size_t directories[2];
  for (int i = 0; i < 2; ++i) {
    const ssize_t length = readlink(paths[i], texts[i], sizeof(texts[i]) - 1);
    texts[i][length > 0 ? length : 0] = '\0';
    const char* const slash = strrchr(texts[i], '/');
    if (slash == nullptr) return false;
    directories[i] = static_cast<size_t>(slash - texts[i]);
  }
  return directories[0] == directories[1] && memcmp(texts[0], texts[1], directories[0]) == 0;
}

bool SpokeFor(const char* process, const struct stat& own, bool all_are_asked) noexcept {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%s/exe", process);
  struct stat other;
  if (stat(path, &other) == 0) {
    const bool same = other.st_dev == own.st_dev && other.st_ino == own.st_ino;
    if (!same && (!all_are_asked || !LieTogether("/proc/self/exe", path))) return false;
    const Ours ours = OursIn(process);
    return ours.library && (same || !ours.core);
  }
  char names[2][32];
  return Read(process, "comm", names[0], sizeof(names[0])) &&
         Read("self", "comm", names[1], sizeof(names[1])) && strcmp(names[0], names[1]) == 0;
}

// An orphan's ancestors are not told; its package's other programs run.
bool OneOfThePackageSpoke(const struct stat& own) noexcept {
  struct stat itself;
  if (stat("/proc/self", &itself) != 0) return false;
  const int processes = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (processes < 0) return false;
  bool spoke = false;
  ForEachName(processes, kMostProcesses, [&](const char* name) {
    if (name[0] < '1' || name[0] > '9') return true;
    char path[64];
    snprintf(path, sizeof(path), "/proc/%.20s", name);
    struct stat other;
    if (stat(path, &other) != 0 || other.st_uid != geteuid()) return true;
    spoke = other.st_ino != itself.st_ino && SpokeFor(name, own, true);
    return !spoke;
  });
  close(processes);
  return spoke;
}

}  // namespace

bool SaidAbove(bool all_are_asked) noexcept {
  struct stat own;
  if (stat("/proc/self/exe", &own) != 0) return false;
  if (all_are_asked && IsOrphan() && OneOfThePackageSpoke(own)) return true;
  char process[24] = "self";
  char root[24] = "self";
  int apart = 0;  // generations without the library
  for (int i = 0; i < kMostAncestors; ++i) {
    const long parent = NumberOf(process, kParentField);
    if (parent <= 0) break;
    snprintf(process, sizeof(process), "%ld", parent);
    if (SpokeFor(process, own, all_are_asked)) return true;
    if (apart > kMostApart) continue;
    if (OursIn(process).library) {
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
