#include "graph/kernel_words.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"
#include "base/directory_entries.h"
#include "base/raw_syscall.h"
#include "graph/holder_search.h"
#include "graph/thread_list.h"

namespace heapgauge {
namespace {

bool IsEpoll(int folder, const char* name) noexcept {
  constexpr char kEpoll[] = "anon_inode:[eventpoll]";
  char target[64];
  const long got = RawSyscall(SYS_readlinkat, folder, name, target, sizeof(target));
  return got == sizeof(kEpoll) - 1 && std::memcmp(target, kEpoll, sizeof(kEpoll) - 1) == 0;
}

bool ReadLines(const char* path, MappedArray<uint64_t>& words, char* room, size_t bytes) noexcept {
  const Descriptor file = Descriptor::OpenToRead(path);
  // No such file: it was closed meanwhile, or this kernel has none.
  if (!file.valid()) return errno != EMFILE && errno != ENFILE;
  size_t kept = 0;  // of a line that is not whole
  for (;;) {
    const long got = RawSyscall(SYS_read, file.get(), room + kept, bytes - 1 - kept);
    if (got == -EINTR) continue;
    if (got <= 0) return got == 0;
    room[kept + static_cast<size_t>(got)] = '\0';
    char* line = room;
    for (char* end = nullptr; (end = std::strchr(line, '\n')) != nullptr; line = end + 1) {
      *end = '\0';
      uint64_t word = 0;
      if (KernelWordOf(line, &word) && word != 0 && !words.Add(word)) return false;
    }
    kept = std::strlen(line);
    if (kept + 1 >= bytes) return false;
    std::memmove(room, line, kept);
  }
}

}  // namespace

bool KernelWordOf(const char* line, uint64_t* word) noexcept {
  const char* at = nullptr;
  if (std::strncmp(line, "tfd:", 4) == 0) {
    at = std::strstr(line, " data:");
    if (at != nullptr) at += 6;
  } else if (std::strncmp(line, "signal:", 7) == 0) {
    at = std::strchr(line, '/');
    if (at != nullptr) ++at;
  }
  if (at == nullptr) return false;
  char* end = nullptr;
  *word = std::strtoull(at, &end, 16);
  return end != at;
}

bool ReadKernelWords(pid_t thread, int most_descriptors, MappedArray<uint64_t>& words, char* room,
                     size_t room_bytes) noexcept {
  bool all = ReadLines("/proc/self/timers", words, room, room_bytes);
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/fd", thread);
  const int opened = static_cast<int>(
      RawSyscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  const Descriptor folder(AboveStandard(opened));
  if (!folder.valid()) return false;
  constexpr int kDots = 2;  // the directory's own two
  if (!ForEachName(folder.get(), most_descriptors + kDots, [](const char*) { return true; }))
    return false;
  if (RawSyscall(SYS_lseek, folder.get(), 0, SEEK_SET) != 0) return false;
  const bool listed = ForEachName(folder.get(), INT_MAX, [&](const char* name) {
    if (!IsEpoll(folder.get(), name)) return true;
    std::snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", thread, name);
    all = ReadLines(path, words, room, room_bytes) && all;
    return true;
  });
  return all && listed;
}

void HolderSearch::ScanKernel() noexcept {
  pid_t thread = getpid();
  for (const Thread& one : around_.threads()) {
    if (FirstThreadIsOver() && one.id != getpid() && one.id != gettid()) thread = one.id;
  }
  // At the end of the process nobody waits for events any more.
  const int most = around_.at_end() ? INT_MAX - kMostWatched : kMostWatched;
  if (!ReadKernelWords(thread, most, kernel_words_, room_.data(), kRoomBytes)) too_late_ = true;
  const Hit hit{0, kUnknownRoot};
  for (const uint64_t word : kernel_words_) Reach(word, 0, &hit, 0, 1);
  kernel_words_.Release();
  phase_ = Phase::kDrainKernel;
}

}  // namespace heapgauge
