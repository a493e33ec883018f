#include "reporter/report_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/raw_log.h"
#include "base/root_identity.h"
#include "base/whole_io.h"
#include "report/history_file.h"
#include "report/json_writer.h"
#include "report/output_directory.h"
#include "report/pprof_writer.h"
#include "report/replace_file.h"
#include "report/safe_path.h"
#include "report/text_writer.h"

namespace heapgauge {
namespace {

constexpr char kJsonLines[] = "reports.jsonl";
constexpr char kAlertLines[] = "alerts.jsonl";
constexpr char kLost[] = "lost.json";
constexpr char kLostGraph[] = "lost.graph";
constexpr char kLostSuppressions[] = "lost.supp";
constexpr char kPeak[] = "peak.json";
constexpr double kPeakRise = 1.05;  // over the last one that was written
constexpr char kText[] = "report.txt";
constexpr char kProfile[] = "heap.pb.gz";
constexpr int kMostNames = 100;

// A descriptor that closes itself and never has one of the numbers that programs take for granted.
class File final {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(int directory, const char* name, int flags)
      : fd_(AboveStandard(openat(directory, name,
                                 flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600))) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }

 private:
  int fd_;
};

bool IsPlainFile(int fd, struct stat* info) {
  if (fstat(fd, info) != 0) return false;
  if (S_ISREG(info->st_mode)) return true;
  errno = EINVAL;
  return false;
}

pid_t CurrentThread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// Where a program is killed and started again in one directory, half-written files would pile up.
void RemoveLeftovers(int directory) {
  const int listing = CopyAboveStandard(directory);
  DIR* const names = listing >= 0 ? fdopendir(listing) : nullptr;
  if (names == nullptr) {
    if (listing >= 0) close(listing);
    return;
  }
  while (const dirent* const entry = readdir(names)) {
    for (const char* file : {kText, kProfile, kPeak}) {
      const pid_t writer = WriterOf(entry->d_name, file);
      if (writer > 0 && kill(writer, 0) != 0 && errno == ESRCH) {
        unlinkat(directory, entry->d_name, 0);
      }
    }
  }
  closedir(names);
}

}  // namespace

ReportStore::ReportStore(std::string pattern, std::string program, timespec began, bool keeps_lock)
    : pattern_(std::move(pattern)),
      program_(std::move(program)),
      host_(HostName()),
      keeps_lock_(keeps_lock) {
  owner_.pid = getpid();
  owner_.instance = InstanceOf(getpid());
  owner_.began = began;
  owner_.name_has_pid = pattern_.empty() || pattern_.find("%p") != std::string::npos;
}

ReportStore::~ReportStore() { LetGo(); }

bool ReportStore::IsExpected() const {
  const std::string wanted =
      path_.empty() ? ExpandOutputPattern(pattern_, program_, getpid(), host_) : path_;
  constexpr int kFewNames = 4;
  for (int number = 1; number <= kFewNames; ++number) {
    std::string error;
    const int directory = OpenReportDirectory(NameOf(wanted, number), false, &error);
    if (directory < 0) return false;
    struct stat info;
    const bool own = MayOwn(directory, owner_);
    // What has lines already is an earlier run's, and the mark is who it was made ready for.
    const bool marked = own && fstatat(directory, kJsonLines, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISREG(info.st_mode) &&
                        (info.st_size == 0 || IsNamedOwner(directory, owner_.instance));
    close(directory);
    if (own) return marked;
  }
  return false;
}

// The names of one process's directory, in the order in which they are tried: what is written, and
// with what tells processes apart.
std::string ReportStore::NameOf(const std::string& wanted, int number) const {
  if (number == 1) return wanted;
  if (owner_.name_has_pid) return fmt::format("{}.{}", wanted, number);
  if (number == 2) return fmt::format("{}.{}", wanted, owner_.pid);
  return fmt::format("{}.{}.{}", wanted, owner_.pid, number - 1);
}

bool ReportStore::Fail(const char* what, const char* name) {
  const std::string problem =
      fmt::format("{} {}{}{}: {}", what, path_, *name != '\0' ? "/" : "", name, strerror(errno));
  // One line a report: what ails one file as a rule ails them all.
  if (++problems_ == 1 && problem != said_) {
    RawLog(LogLevel::kError, "%s; this report is lost, the next one is tried", problem.c_str());
    said_ = problem;
  }
  return false;
}

void ReportStore::LetGo() {
  if (lock_ >= 0 && lock_thread_ == CurrentThread()) close(lock_);
  lock_ = -1;
}

// False when the directory is another process's.
bool ReportStore::Hold(int directory) {
  struct stat now;
  struct stat held;
  if (lock_ >= 0 && lock_thread_ == CurrentThread() && fstat(directory, &now) == 0 &&
      fstat(lock_, &held) == 0 && now.st_dev == held.st_dev && now.st_ino == held.st_ino) {
    return true;
  }
  LetGo();
  const int copy = CopyAboveStandard(directory);  // shares the lock
  if (copy < 0) return true;
  const DirectoryLock lock = LockDirectory(copy);
  if (lock == DirectoryLock::kAnothers || !MayOwn(directory, owner_) ||
      (lock == DirectoryLock::kUnknown && !IsFirst(directory, owner_))) {
    close(copy);
    return false;
  }
  if (lock == DirectoryLock::kHeld && keeps_lock_) {
    lock_ = copy;
    lock_thread_ = CurrentThread();
  } else {
    close(copy);
  }
  return true;
}

// `wanted`, or the next name that is free.
int ReportStore::OpenFree(const std::string& wanted, std::string* error) {
  for (int number = 1;; ++number) {
    // A container that is started again and again is always process 1: at last a name that nobody
    // has.
    path_ = number <= kMostNames
                ? NameOf(wanted, number)
                : fmt::format("{}.{}", wanted, MonotonicNs() + static_cast<uint64_t>(number));
    const int directory = OpenReportDirectory(path_, true, error);
    if (directory < 0 || Hold(directory)) return directory;
    close(directory);
  }
}

int ReportStore::Open() {
  std::string error;
  if (!path_.empty()) {
    int directory = OpenReportDirectory(path_, true, &error);
    // In another root, where no place was kept: the descriptor that holds the lock.
    if (directory < 0 && lock_ >= 0 && lock_thread_ == CurrentThread() && RootHasChanged()) {
      directory = CopyAboveStandard(lock_);
    }
    if (directory < 0) {
      Fail("can't open report directory", "");
      return -1;
    }
    if (Hold(directory)) return directory;
    close(directory);  // another process has taken it while we had no thread
  }
  const std::string wanted = ExpandOutputPattern(pattern_, program_, getpid(), host_);
  int directory = OpenFree(wanted, &error);
  if (directory >= 0) {
    RemoveLeftovers(directory);
    return directory;
  }
  if (RootHasChanged()) {
    path_.clear();
    if (error == said_) return -1;
    RawLog(LogLevel::kError, "%s; its reports end here", error.c_str());
    said_ = error;
    return -1;
  }
  const std::string fallback = FallbackOutput(wanted);
  std::string second_error;
  directory = OpenFree(fallback, &second_error);
  if (directory >= 0) {
    RawLog(LogLevel::kWarning, "%s; reports go to %s", error.c_str(), path_.c_str());
    return directory;
  }
  if (error != said_) {
    RawLog(LogLevel::kError, "%s, and %s; this report is lost, the next one is tried",
           error.c_str(), second_error.c_str());
    said_ = error;
  }
  path_.clear();
  return -1;
}

bool ReportStore::Append(int directory, const char* name, const std::string& lines) {
  {
    const File file(directory, name, O_RDWR | O_CREAT | O_APPEND);
    struct stat info;
    if (!file.ok() || !IsPlainFile(file.get(), &info)) return Fail("can't write", name);
    if (info.st_size == 0 || static_cast<uint64_t>(info.st_size) + lines.size() <= kRotateBytes) {
      const off_t end = EndOfLastLine(file.get(), info.st_size);
      if (end != info.st_size && ftruncate(file.get(), end) != 0) return Fail("can't mend", name);
      if (WriteAll(file.get(), lines)) return true;
      const int saved_errno = errno;
      [[maybe_unused]] const int cut = ftruncate(file.get(), end);  // no torn line
      errno = saved_errno;
      return Fail("can't write", name);
    }
  }
  const std::string rotated = std::string(name) + ".1";
  if (renameat(directory, name, directory, rotated.c_str()) != 0) return Fail("can't rotate", name);
  const File file(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  if (!file.ok() || !WriteAll(file.get(), lines)) return Fail("can't write", name);
  return true;
}

// What it loses is in the lines for a while, and after that is lost.
void ReportStore::KeepHistory(int directory) {
  try {
    const std::string batch = history_.Take();
    if (batch.empty() || AppendHistory(directory, batch, kMostHistory)) return;
    Fail("can't write", kHistoryFile);
  } catch (const std::bad_alloc&) {  // the report that is to be written may find enough
  }
}

bool ReportStore::AppendReport(int directory, const Report& report) {
  const std::string line = ToJson(report, kSitesInJson) + "\n";
  struct stat info;
  const bool is_full = fstatat(directory, kJsonLines, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                       static_cast<uint64_t>(info.st_size) + line.size() > kRotateBytes;
  // Before the old lines make way for these.
  if (is_full || history_.reports() >= kBatchReports || history_.bytes() >= kBatchBytes) {
    KeepHistory(directory);
  }
  if (!Append(directory, kJsonLines, line)) return false;
  if (report.final) return true;
  try {
    history_.Add(report, kSitesInJson);
  } catch (const std::bad_alloc&) {  // its line is written
  }
  return true;
}

bool ReportStore::Replace(int directory, const char* name, const std::string& content) {
  return ReplaceFile(directory, name, content) || Fail("can't write", name);
}

bool ReportStore::WriteAlerts(const std::string& lines) {
  problems_ = 0;
  const File directory(Open());
  return directory.ok() && Append(directory.get(), kAlertLines, lines);
}

bool ReportStore::WriteLost(const std::string& report, const std::string& graph,
                            const std::string& suppressions) {
  problems_ = 0;
  const File directory(Open());
  // The one that is looked for is the last one written.
  return directory.ok() && Replace(directory.get(), kLostGraph, graph) &&
         (suppressions.empty() || Replace(directory.get(), kLostSuppressions, suppressions)) &&
         Replace(directory.get(), kLost, report);
}

bool ReportStore::Write(const Report& report) {
  problems_ = 0;
  const File directory(Open());  // closed, too, when a writer finds no memory
  if (!directory.ok()) return false;
  // Before the line is appended: where memory runs out there is no line without its text.
  const std::string text = ToText(report);
  const bool appended = AppendReport(directory.get(), report);
  if (appended && !owner_forgotten_) {
    ForgetOwner(directory.get());
    owner_forgotten_ = true;
  }
  bool replaced = Replace(directory.get(), kText, text);
  replaced = Replace(directory.get(), kProfile, profiles_.Next(report)) && replaced;
  if (report.totals.live_bytes > kPeakRise * peak_bytes_ &&
      Replace(directory.get(), kPeak, ToJson(report, kSitesInJson) + "\n")) {
    peak_bytes_ = report.totals.live_bytes;
  }
  if (appended && replaced) said_.clear();
  return appended && replaced;
}

}  // namespace heapgauge
