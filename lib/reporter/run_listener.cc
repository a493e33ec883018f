#include "reporter/run_listener.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/proc_stat.h"

namespace heapgauge {
namespace {

// What a SIGTERM through run comes late by, 50 ms in the mean; a look is a load and a wait.
constexpr uint64_t kLookNs = 100'000'000;
constexpr int kMostGenerations = 32;   // generations
constexpr int kMostDescriptors = 256;  // run has five, and what it was started with
constexpr size_t kPageBytes = 4096;
constexpr char kCommand[] = "heapgauge";

struct Ancestor {
  pid_t parent = 0;
  bool may_be_run = false;
};

Ancestor Look(pid_t pid) noexcept {
  char path[32];
  char text[256];
  snprintf(path, sizeof(path), "/proc/%d/stat", static_cast<int>(pid));
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t got = read(file, text, sizeof(text) - 1);
  close(file);
  text[got > 0 ? got : 0] = '\0';
  // "123 (name) S 122 "; the name may hold anything.
  const char* const name = strchr(text, '(');
  if (name == nullptr || *StatField(text, kParentField) == '\0') return {};
  return {ParentInStat(text), strncmp(name + 1, kCommand, sizeof(kCommand) - 1) == 0};
}

bool IsPage(int file) noexcept {
  struct stat info {};
  const int seals = fcntl(file, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(file, &info) == 0 &&
         info.st_uid == geteuid() && info.st_size == static_cast<off_t>(kPageBytes);
}

// The page that `pid` holds; -1: it holds none, or we may not see it.
int OpenPageOf(pid_t pid) noexcept {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%d/fd", static_cast<int>(pid));
  DIR* const listing = opendir(path);
  if (listing == nullptr) return -1;
  constexpr char kPrefix[] = "/memfd:";
  int found = -1;
  for (int i = 0; i < kMostDescriptors && found < 0; ++i) {
    const dirent* const entry = readdir(listing);
    if (entry == nullptr) break;
    char target[64] = "";
    const ssize_t size = readlinkat(dirfd(listing), entry->d_name, target,
                                    sizeof(target) - 1);  // NUL stays
    if (size <= 0 || strncmp(target, kPrefix, sizeof(kPrefix) - 1) != 0 ||
        strncmp(target + sizeof(kPrefix) - 1, RunPage::kName, sizeof(RunPage::kName) - 1) != 0) {
      continue;
    }
    found = openat(dirfd(listing), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (found >= 0 && !IsPage(found)) {
      close(found);
      found = -1;
    }
  }
  closedir(listing);
  return found;
}

}  // namespace

void RunListener::Listen() noexcept {
  pid_t above = getppid();
  for (int i = 0; i < kMostGenerations && above > 0 && file_ < 0; ++i) {
    const Ancestor ancestor = Look(above);
    if (ancestor.may_be_run) file_ = OpenPageOf(above);
    above = ancestor.parent;
  }
  if (file_ < 0) return;
  void* const page = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, file_, 0);
  // P1: for all requests first, so that none can slip through between the look and the lock.
  struct flock all = RunPageBytes(F_RDLCK, 0, 0);
  if (page == MAP_FAILED || static_cast<const RunPage*>(page)->magic != RunPage::kMagic ||
      fcntl(file_, F_OFD_SETLK, &all) != 0) {
    if (page != MAP_FAILED) munmap(page, kPageBytes);
    close(file_);
    file_ = -1;
    return;
  }
  madvise(page, kPageBytes, MADV_DONTFORK);
  page_ = static_cast<const RunPage*>(page);
  Answer();  // what was asked before we came
}

void RunListener::Leave() noexcept {
  if (page_ == nullptr) return;
  munmap(const_cast<RunPage*>(page_), kPageBytes);
  close(file_);
  page_ = nullptr;
  file_ = -1;
}

uint64_t RunListener::NextLookNs(uint64_t now_ns, uint64_t deadline_ns) const noexcept {
  return page_ == nullptr ? deadline_ns : std::min(deadline_ns, now_ns + kLookNs);
}

uint32_t RunListener::Request() const noexcept {
  return page_->request.load(std::memory_order_acquire);  // acquire: pairs with ReportCall::Ask()
}

bool RunListener::IsAsked() const noexcept {
  return page_ != nullptr && RunPage::NumberOf(Request()) != answered_;
}

bool RunListener::IsLast() const noexcept {
  struct sigaction now {};
  return sigaction(RunPage::SignalOf(Request()), nullptr, &now) == 0 &&
         (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

void RunListener::Ignore() noexcept {
  if (page_ != nullptr) answered_ = RunPage::NumberOf(Request());
}

void RunListener::Answer() noexcept {
  Ignore();
  struct flock answered = RunPageBytes(F_UNLCK, 0, answered_ + 1);
  fcntl(file_, F_OFD_SETLK, &answered);
}

}  // namespace heapgauge
