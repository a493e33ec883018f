// Children of a tracked process, where HEAPGAUGE_CHILDREN is "summary".
//
// The root of a family is the first tracked process above: what it forked, what those forked, and
// what exec made of them are its children.  A child that ends within its first report interval
// appends one line to the root's children.jsonl, by itself, while it ends: no thread, no helper, no
// directory, no names, and nothing from the heap.  One that lives longer has its directory below
// the root's.
//
// A fork's child knows the root from its parent's memory.  A root that forks again and again looks
// its directory up itself, now and then: its children then open the path and see by the file's
// number that they are there, where each else would ask /proc and walk down from / step by step.  One that exec made looks for it in
// /proc, when it takes its first sample: upwards while the parent has the core mapped.  Its
// directory is where the root's own name, pid and working directory put it.  What is not to be
// found out (no /proc, an orphan, another user's) makes the process a root itself.
//
// Any thread; nothing here waits.
#ifndef HEAPGAUGE_REPORTER_FAMILY_H_
#define HEAPGAUGE_REPORTER_FAMILY_H_

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "report/safe_path.h"

namespace heapgauge {

// What a short child says of itself.
struct ChildLine {
  pid_t pid = 0;
  const char* exe = "";
  double lifetime_s = 0;
  uint64_t live_bytes = 0;
  uint64_t allocated_bytes = 0;
  bool has_status = false;
  int status = 0;
  const char* module = nullptr;  // nullptr: no call site
  uint64_t offset = 0;
  uint64_t site_live_bytes = 0;
};

// One line of children.jsonl with its end, at most `room` bytes and 0 at the end; its size.
inline constexpr size_t kChildLineBytes = 4096;
size_t WriteChildLine(const ChildLine& child, char (&to)[kChildLineBytes]) noexcept;

class ModuleLedger;
struct StoredSite;

// The line's module and offset: the innermost frame outside the C and C++ libraries.  Takes no lock
// of the loader's.
void FindCallsite(const StoredSite& site, const ModuleLedger& modules, ChildLine* line) noexcept;
// Before forks: the executable's path, which children would look up each.
void LearnExecutable() noexcept;

class Family final {
 public:
  // Once, at the start: HEAPGAUGE_OUTPUT as it is written, and this process's own %e.
  void Initialize(const std::string& written, const std::string& program, bool summary);

  // In a fork's child; `parents`: the parent's directory if it has made one; the parent began at
  // `parent_began`, by FileClock().
  void ForkedInChild(pid_t parent, const char* parents, const timespec& parent_began) noexcept;

  // In a process that forks again and again; `own`: its directory if it has made one; it began at
  // `began`.
  void LearnForChildren(const char* own, const timespec& began) noexcept;

  bool summary() const noexcept { return summary_; }
  // IsChild() has not been asked, or is being answered.
  bool IsUndecided() const noexcept {
    // relaxed: a late look asks again.
    return summary_ && state_.load(std::memory_order_relaxed) < kRoot;
  }
  // True for a child.  The first call of an exec'ed process reads /proc.
  bool IsChild() noexcept;

  // True when the root has ended without a directory: from then on this process is a root itself.
  bool IsOrphan();

  // Appends the line to the root's children.jsonl.  False when that could not be.
  bool Append(const ChildLine& child) noexcept;

  // The pattern for the directory of this child, below the root's, which is made if need be; ""
  // when that could not be.  May throw std::bad_alloc.
  std::string PatternBelowRoot();

  // The root's directory as far as it is known, "" else.  `look`: nobody else asks meanwhile.
  const char* RootPath(bool look);

 private:
  enum State : int { kUnknown, kLooking, kRoot, kChild };

  pid_t TopmostAbove(pid_t parent) noexcept;
  bool ExpandRoot();
  int OpenFirstOwn(bool create) noexcept;
  int OpenRoot();
  int OpenLearnt() const noexcept;
  bool RootHasEnded() const noexcept;

  bool summary_ = false;
  bool name_has_pid_ = true;
  std::string pattern_;  // HEAPGAUGE_OUTPUT, absolute
  std::string written_;  // the same as the user wrote it
  std::string host_;
  std::string own_path_;  // where this process's directory would be, had it no other owner
  std::atomic<int> state_{kUnknown};
  pid_t root_ = 0;
  timespec root_began_{};
  pid_t forked_by_ = 0;
  bool is_roots_ = false;      // the root has reported there
  bool look_further_ = false;  // there may be a tracked process above root_
  char root_path_[PathScratch::kBytes] = "";
  // By LearnForChildren(), for children: the directory, and its number.
  std::atomic<bool> learning_{false};
  std::atomic<bool> learnt_{false};
  bool learnt_is_roots_ = false;
  dev_t learnt_device_ = 0;
  ino_t learnt_inode_ = 0;
  char learnt_path_[PathScratch::kBytes] = "";
  PathScratch scratch_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_FAMILY_H_
