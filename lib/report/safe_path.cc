#include "report/safe_path.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/root_identity.h"
#include "report/kept_place.h"

namespace heapgauge {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

// Closes quietly: errno stays.
void Close(int fd) noexcept {
  const int number = errno;
  if (fd >= 0) close(fd);
  errno = number;
}

// Could somebody else have put a name into this directory, or replaced one in it?
bool OthersMayReplaceIn(const struct stat& directory) noexcept {
  if ((directory.st_mode & S_ISVTX) != 0) return false;
  return (directory.st_mode & S_IWOTH) != 0 ||
         ((directory.st_mode & S_IWGRP) != 0 && directory.st_gid != getegid());
}

bool IsTrusted(const struct stat& link, int directory) noexcept {
  struct stat above;
  return (link.st_uid == 0 || link.st_uid == geteuid()) && fstat(directory, &above) == 0 &&
         !OthersMayReplaceIn(above);
}

// Cuts the first component off `rest`; nullptr when there is none.  *last: nothing comes behind.
char* NextComponent(char** rest, bool* last) noexcept {
  char* at = *rest;
  for (;;) {
    while (*at == '/') ++at;
    if (at[0] == '.' && (at[1] == '/' || at[1] == '\0')) {
      ++at;
      continue;
    }
    break;
  }
  if (*at == '\0') return nullptr;
  char* end = at;
  while (*end != '/' && *end != '\0') ++end;
  char* next = end;
  if (*end == '/') *next++ = '\0';
  char* ahead = next;
  while (*ahead == '/' || (ahead[0] == '.' && (ahead[1] == '/' || ahead[1] == '\0'))) ++ahead;
  *last = *ahead == '\0';
  *rest = next;
  return at;
}

// Puts what the link `name` in `directory` says in front of `rest`; the new rest, or nullptr.
char* Follow(int directory, const char* name, const char* rest, PathScratch* scratch) noexcept {
  const ssize_t size = readlinkat(directory, name, scratch->target, PathScratch::kBytes);
  if (size <= 0) return nullptr;
  const size_t head = static_cast<size_t>(size);
  const size_t tail = strlen(rest);
  if (head + 1 + tail + 1 > PathScratch::kBytes) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
  memmove(scratch->rest + head + 1, rest, tail + 1);
  memcpy(scratch->rest, scratch->target, head);
  scratch->rest[head] = '/';
  return scratch->rest;
}

int OpenLast(int directory, const char* name, bool create, PathAnswer* answer) noexcept {
  if (create) {
    answer->made = mkdirat(directory, name, 0700) == 0;
    if (!answer->made && errno != EEXIST) {
      answer->making = true;
      return -1;
    }
  }
  const int fd =
      AboveStandard(openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd >= 0) return fd;
  const int number = errno;
  struct stat there;
  if (fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(there.st_mode)) {
    answer->refused = "is a symbolic link, which reports never follow";
    errno = EPERM;
  } else {
    errno = number;
  }
  return -1;
}

// One component that is not the last: its descriptor, or -1.
int OpenParent(int directory, const char* name, bool create) noexcept {
  constexpr int kFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(directory, name, kFlags);
  if (fd < 0 && errno == ENOENT && create &&
      (mkdirat(directory, name, 0700) == 0 || errno == EEXIST)) {
    fd = openat(directory, name, kFlags);
  }
  return AboveStandard(fd);
}

// Where a walk begins.
int Start(char** rest, PathAnswer* answer) noexcept {
  const bool absolute = **rest == '/';
  int fd = AboveStandard(open(absolute ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0 || !(absolute ? IsAnotherRoot(fd) : RootHasChanged())) return fd;
  Close(fd);
  const char* left = nullptr;
  fd = OpenKeptPlace(*rest, &left);
  if (fd >= 0) {
    *rest += left - *rest;
    return fd;
  }
  answer->refused = "is not to be had from the root directory that the program has entered";
  errno = EPERM;
  return -1;
}

int Walk(const char* path, bool create, bool to_parent, PathScratch* scratch,
         PathAnswer* answer) noexcept {
  *answer = PathAnswer{};
  const size_t size = strlen(path);
  if (size >= PathScratch::kBytes) {
    errno = ENAMETOOLONG;
    answer->making = create;
    return -1;
  }
  memmove(scratch->rest, path, size + 1);
  char* rest = scratch->rest;
  int at = Start(&rest, answer);
  int links = 0;
  while (at >= 0) {
    bool last = true;
    char* const name = NextComponent(&rest, &last);
    if (to_parent && last) return at;
    if (name == nullptr || last) {
      const int found = OpenLast(at, name != nullptr ? name : ".", create, answer);
      Close(at);
      return found;
    }
    const int next = OpenParent(at, name, create);
    struct stat info;
    if (next < 0 || fstat(next, &info) != 0) {
      answer->making = create;
      Close(next);
      Close(at);
      return -1;
    }
    if (S_ISDIR(info.st_mode)) {
      Close(at);
      at = next;
      continue;
    }
    Close(next);
    if (!S_ISLNK(info.st_mode)) {
      errno = ENOTDIR;
    } else if (!IsTrusted(info, at)) {
      answer->refused =
          "leads through a symbolic link of another user's, or one that others may replace; name "
          "the directory itself";
      errno = EPERM;
    } else if (++links > kMostLinks) {
      errno = ELOOP;
    } else if (char* const followed = Follow(at, name, rest, scratch)) {
      rest = followed;
      if (*rest == '/') {
        Close(at);
        at = Start(&rest, answer);
      }
      continue;
    }
    answer->making = create;
    Close(at);
    return -1;
  }
  answer->making = create;
  return -1;
}

}  // namespace

int OpenDirectorySafely(const char* path, bool create, PathScratch* scratch,
                        PathAnswer* answer) noexcept {
  return Walk(path, create, false, scratch, answer);
}

int OpenParentSafely(const char* path, PathScratch* scratch) noexcept {
  PathAnswer answer;
  return Walk(path, false, true, scratch, &answer);
}

}  // namespace heapgauge
