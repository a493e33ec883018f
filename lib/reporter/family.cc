#include "reporter/family.h"

#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/descriptor.h"
#include "base/proc_stat.h"
#include "base/raw_log.h"
#include "elf/maps.h"
#include "report/directory_owner.h"
#include "report/output_directory.h"

namespace heapgauge {
namespace {

constexpr char kLines[] = "children.jsonl";
constexpr char kRotated[] = "children.jsonl.1";
constexpr off_t kRotateBytes = off_t{64} << 20;  // as reports.jsonl
constexpr int kAncestors = 16;                   // generations
constexpr int kMostNames = 8;
constexpr size_t kMostMaps = size_t{256} << 10;  // bytes of text
constexpr char kCore[] = "libheapgauge-core.so";

// A file of /proc/PID, whole or its first `room` - 1 bytes; the size, 0 at the end.
size_t ReadOf(pid_t pid, const char* name, char* to, size_t room) noexcept {
  char path[48];
  snprintf(path, sizeof(path), "/proc/%d/%s", static_cast<int>(pid), name);
  const int fd = AboveStandard(open(path, O_RDONLY | O_CLOEXEC));
  to[0] = '\0';
  if (fd < 0) return 0;
  const ssize_t got = read(fd, to, room - 1);
  close(fd);
  if (got <= 0) return 0;
  to[got] = '\0';
  return static_cast<size_t>(got);
}

pid_t ParentOf(pid_t pid) noexcept {
  char stat[512];
  ReadOf(pid, "stat", stat, sizeof(stat));
  return ParentInStat(stat);
}

// By FileClock(); 0 where it can't be had.  The kernel tells it in ticks of 10 ms; the library
// there began a little later, which this is to be near.
timespec BeganAt(pid_t pid) noexcept {
  char stat[512];
  timespec now{};
  if (ReadOf(pid, "stat", stat, sizeof(stat)) == 0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
    return {};
  }
  constexpr long long kSecond = 1'000'000'000;
  const long long tick = kSecond / sysconf(_SC_CLK_TCK);
  const long long began = (strtoll(StatField(stat, kStartTimeField), nullptr, 10) + 1) * tick;
  const long long ago = now.tv_sec * kSecond + now.tv_nsec - began;
  const timespec wall = FileClock();
  const long long at = wall.tv_sec * kSecond + wall.tv_nsec - (ago > 0 ? ago : 0);
  return {static_cast<time_t>(at / kSecond), static_cast<long>(at % kSecond)};
}

// Also one that is about to be gone, or that nobody has waited for yet: it will not report any
// more.  The first thread alone may have left.
bool HasEnded(pid_t pid) noexcept {
  if (kill(pid, 0) != 0 && errno == ESRCH) return true;
  constexpr unsigned long kExiting = 4;  // PF_EXITING
  char stat[512];
  if (ReadOf(pid, "stat", stat, sizeof(stat)) == 0) return false;
  const char state = *StatField(stat, kStateField);
  const bool leaves =
      state == 'Z' || state == 'X' || (strtoul(StatField(stat, 9), nullptr, 10) & kExiting) != 0;
  return leaves && strtol(StatField(stat, 20), nullptr, 10) <= 1;
}

// Does the process run our core?  A debugger maps it, too, to read its symbols, and does not run it.
bool IsTracked(pid_t pid, char (&buffer)[PathScratch::kBytes]) noexcept {
  MapsReader maps(pid, buffer);
  for (MapsLine line; maps.bytes_read() < kMostMaps && maps.Next(&line);) {
    if (line.executable && line.path.find(kCore) != std::string_view::npos) return true;
  }
  return false;
}

const char* LastComponent(const char* path) noexcept {
  const char* const slash = strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

// The %e of another process, as ProgramPath() there has it: the name that exec was given if that
// leads to the executable.  The kernel keeps that name's first bytes as the process's own.
std::string ProgramOf(pid_t pid) {
  char path[48];
  snprintf(path, sizeof(path), "/proc/%d/exe", static_cast<int>(pid));
  std::string executable = ExecutableName(path);
  char comm[32];
  char argument[512];
  if (ReadOf(pid, "comm", comm, sizeof(comm)) == 0) return executable;
  comm[strcspn(comm, "\n")] = '\0';
  if (ReadOf(pid, "cmdline", argument, sizeof(argument)) == 0) return executable;
  const std::string name = LastComponent(argument);
  if (name.empty() || name == executable || name.substr(0, 15) != comm) return executable;
  struct stat running {};
  if (stat(path, &running) != 0) return executable;
  const auto leads_there = [&running](const std::string& candidate) {
    struct stat found {};
    return stat(candidate.c_str(), &found) == 0 && found.st_dev == running.st_dev &&
           found.st_ino == running.st_ino;
  };
  if (strchr(argument, '/') != nullptr) {
    const std::string here = "/proc/" + std::to_string(pid) + "/cwd/";
    return leads_there(*argument == '/' ? argument : here + argument) ? name : executable;
  }
  const char* const search = getenv("PATH");
  const std::vector<std::string> places =
      absl::StrSplit(search != nullptr ? search : "/bin:/usr/bin", ':');
  const bool found = std::any_of(places.begin(), places.end(), [&](const std::string& place) {
    return leads_there(place + "/" + name);
  });
  return found ? name : executable;
}

}  // namespace

void Family::Initialize(const std::string& written, const std::string& program, bool summary) {
  summary_ = summary;
  if (!summary) return;
  written_ = written;
  pattern_ = AbsoluteOutputPattern(written);
  name_has_pid_ = pattern_.find("%p") != std::string::npos;
  host_ = HostName();
  own_path_ = ExpandOutputPattern(pattern_, program, getpid(), host_);
}

void Family::ForkedInChild(pid_t parent, const char* parents,
                           const timespec& parent_began) noexcept {
  if (!summary_) return;
  forked_by_ = parent;
  const int state = state_.load(std::memory_order_relaxed);  // relaxed throughout: single-threaded
  if (state == kChild) return;                               // the root stays the same
  look_further_ = state != kRoot;                            // the parent had not asked
  const char* const path = parents != nullptr ? parents : own_path_.c_str();
  if (strlen(path) >= sizeof(root_path_)) return;
  strcpy(root_path_, path);
  is_roots_ = parents != nullptr;
  root_ = parent;
  root_began_ = parent_began;
  state_.store(kChild, std::memory_order_relaxed);
}

bool Family::IsChild() noexcept {
  if (!summary_) return false;
  int state = kUnknown;
  // acquire: what was found is visible; on success, too, for some compilers refuse less there.
  if (state_.compare_exchange_strong(state, kLooking, std::memory_order_acquire,
                                     std::memory_order_acquire)) {
    root_ = TopmostAbove(getppid());
    state = root_ != 0 ? kChild : kRoot;
    state_.store(state, std::memory_order_release);  // release: root_ comes with it
  }
  return state == kChild;
}

// The topmost of the tracked processes from `parent` upwards; 0: there is none.  One that is not
// tracked may stand between two that are: a static program, or one that HEAPGAUGE_ONLY leaves out.
pid_t Family::TopmostAbove(pid_t parent) noexcept {
  pid_t root = 0;
  int strangers = 0;
  for (int i = 0; i < kAncestors && parent > 0 && strangers < 2; ++i, parent = ParentOf(parent)) {
    if (IsTracked(parent, scratch_.rest)) {
      root = parent;
      strangers = 0;
    } else {
      ++strangers;
    }
  }
  return root;
}

// Of the root that /proc showed, where its directory is.
bool Family::ExpandRoot() {
  if (look_further_) {
    look_further_ = false;
    if (const pid_t above = TopmostAbove(ParentOf(root_))) {
      root_ = above;
      root_began_ = {};
      root_path_[0] = '\0';
      is_roots_ = false;
    }
  }
  if (root_path_[0] != '\0') return true;
  std::string pattern = pattern_;
  if (written_.empty() || written_.front() != '/') {
    char link[48];
    std::array<char, PathScratch::kBytes> here{};
    snprintf(link, sizeof(link), "/proc/%d/cwd", static_cast<int>(root_));
    const ssize_t size = readlink(link, here.data(), here.size() - 1);
    if (size <= 0 || here[0] != '/') return false;
    pattern = AbsoluteOutputPattern(written_, here.data());
  }
  const std::string path = ExpandOutputPattern(pattern, ProgramOf(root_), root_, host_);
  if (path.size() >= sizeof(root_path_)) return false;
  strcpy(root_path_, path.c_str());
  return true;
}

// The first of the names that the root would try (report_store.cc) that is its own; made with
// `create`.  -1, and root_path_ as it was, when none is to be had.
int Family::OpenFirstOwn(bool create) noexcept {
  Claimant root;
  root.pid = root_;
  root.instance = InstanceOf(root_);
  root.name_has_pid = name_has_pid_;
  root.began = root_began_.tv_sec != 0 ? root_began_ : BeganAt(root_);
  const size_t size = strlen(root_path_);
  for (int number = 1; number <= kMostNames; ++number) {
    char* const end = root_path_ + size;
    const size_t room = sizeof(root_path_) - size;
    if (number > 1 && name_has_pid_) {
      snprintf(end, room, ".%d", number);
    } else if (number > 1) {
      const int pid = static_cast<int>(root_);
      snprintf(end, room, number == 2 ? ".%d" : ".%d.%d", pid, number - 1);
    }
    PathAnswer answer;
    const int fd = OpenDirectorySafely(root_path_, create, &scratch_, &answer);
    if (fd < 0) break;
    if (answer.made) fchmod(fd, 0700);
    if (WhyUnsafe(fd) == nullptr && MayOwn(fd, root)) return fd;
    close(fd);
  }
  root_path_[size] = '\0';
  return -1;
}

// The root's directory, made for it if it has made none yet; -1 when that is not to be had.
int Family::OpenRoot() {
  if (!ExpandRoot()) return -1;
  int fd = -1;
  if (is_roots_) {
    PathAnswer answer;
    fd = OpenDirectorySafely(root_path_, true, &scratch_, &answer);
    if (fd >= 0 && WhyUnsafe(fd) != nullptr) {
      close(fd);
      fd = -1;
    }
  } else {
    fd = OpenFirstOwn(true);
  }
  if (fd >= 0) return fd;
  // A child that has given its rights up, say.
  const std::string fallback = FallbackOutput(root_path_);
  if (fallback.size() >= sizeof(root_path_)) return -1;
  strcpy(root_path_, fallback.c_str());
  is_roots_ = false;
  return OpenFirstOwn(true);
}

// Its own child knows at once; others see a process that ends in /proc for a moment longer.
bool Family::RootHasEnded() const noexcept {
  return root_ == forked_by_ ? getppid() != root_ : HasEnded(root_);
}

void Family::LearnForChildren(const char* own, const timespec& began) noexcept {
  // acquire and release: one thread at a time.
  if (!summary_ || state_.load(std::memory_order_acquire) != kRoot ||
      learning_.exchange(true, std::memory_order_acquire)) {
    return;
  }
  LearnExecutable();
  const char* const path = own != nullptr ? own : own_path_.c_str();
  // release: a child that another thread forks meanwhile takes nothing that is half written.
  learnt_.store(false, std::memory_order_release);
  if (strlen(path) < sizeof(root_path_)) {
    // A root has no root: these are the child's, which sets them itself.
    strcpy(root_path_, path);
    root_ = getpid();
    root_began_ = began;
    PathAnswer answer;
    const int fd = own != nullptr ? OpenDirectorySafely(root_path_, false, &scratch_, &answer)
                                  : OpenFirstOwn(false);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && WhyUnsafe(fd) == nullptr) {
      strcpy(learnt_path_, root_path_);
      learnt_is_roots_ = own != nullptr;
      learnt_device_ = info.st_dev;
      learnt_inode_ = info.st_ino;
      learnt_.store(true, std::memory_order_release);  // release: as above
    }
    if (fd >= 0) close(fd);
    root_path_[0] = '\0';
    root_ = 0;
    root_began_ = {};
  }
  learning_.store(false, std::memory_order_release);
}

// The directory that the root has looked up, if the path still leads there; -1: somebody has to
// walk.  No link is followed that would lead elsewhere: it is the same directory or none.
int Family::OpenLearnt() const noexcept {
  // acquire: pairs with the release in LearnForChildren().
  if (!learnt_.load(std::memory_order_acquire) || learnt_is_roots_ != is_roots_ ||
      (is_roots_ && strcmp(learnt_path_, root_path_) != 0)) {
    return -1;
  }
  const int fd = AboveStandard(open(learnt_path_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info;
  if (fd >= 0 && fstat(fd, &info) == 0 && info.st_dev == learnt_device_ &&
      info.st_ino == learnt_inode_ && WhyUnsafe(fd) == nullptr) {
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

// The root has ended without a report: nobody will look for its directory.
bool Family::IsOrphan() {
  if (is_roots_ || !RootHasEnded() || !ExpandRoot()) return false;
  if (!RootHasEnded()) return false;  // another one, further up
  const int fd = OpenFirstOwn(false);
  if (fd >= 0) close(fd);
  if (fd >= 0) return false;
  state_.store(kRoot, std::memory_order_release);  // release: as in IsChild()
  return true;
}

bool Family::Append(const ChildLine& child) noexcept {
  static char line[kChildLineBytes];
  int directory = OpenLearnt();
  try {
    if (directory < 0) directory = OpenRoot();
  } catch (...) {
  }
  if (directory < 0) return false;
  const size_t size = WriteChildLine(child, line);
  bool written = false;
  for (int attempt = 0; attempt < 2; ++attempt) {
    constexpr int kFlags =
        O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int file = AboveStandard(openat(directory, kLines, kFlags, 0600));
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
      if (file >= 0) close(file);
      break;
    }
    struct stat named;
    const bool full = info.st_size >= kRotateBytes;
    // Under the lock of the full file, and only while the name is still its: of many children at
    // once one renames it.
    if (full && attempt == 0 && flock(file, LOCK_EX | LOCK_NB) == 0 &&
        fstatat(directory, kLines, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        named.st_ino == info.st_ino && named.st_dev == info.st_dev) {
      renameat(directory, kLines, directory, kRotated);
    }
    if (full && attempt == 0) {
      close(file);
      continue;
    }
    // One write, to the end: lines of others are never torn by it, nor this one by theirs.
    written = write(file, line, size) == static_cast<ssize_t>(size);
    if (!written && errno == 0) errno = EIO;
    close(file);
    break;
  }
  close(directory);
  return written;
}

const char* Family::RootPath(bool look) {
  if (look && !ExpandRoot()) return "";
  return root_path_;
}

std::string Family::PatternBelowRoot() {
  if (IsOrphan()) return {};
  const std::string wanted = root_path_;
  const int directory = OpenRoot();
  if (directory < 0) return {};
  close(directory);
  if (!wanted.empty() &&
      wanted.compare(0, wanted.rfind('/'), root_path_, 0, wanted.rfind('/')) != 0) {
    RawLog(LogLevel::kWarning, "%s is not to be had for this child; its reports go below %s",
           wanted.c_str(), root_path_);
  }
  std::string pattern;
  for (const char* at = root_path_; *at != '\0'; ++at) pattern.append(*at == '%' ? 2 : 1, *at);
  return pattern + "/%e.%p";
}

}  // namespace heapgauge
