// Lets a process end whose main() has left by pthread_exit().
//
// The C library ends such a process, by exit(0), when the last thread leaves; the report thread
// counts as one, and would keep it alive for good.  So when the first thread leaves and there is a
// report thread, one more is started, by a thread of the host's: it looks every kPauseNs whether
// only ours are left, and then does what the last of the host's would have done.
//
// Why a thread of its own: exit() runs the host's handlers and writes out its streams, and the
// report thread has left the host's table of descriptors (private_descriptors.h).  Of the host's
// own threads the last one to leave can't be told beforehand.  A program whose main() returns, or
// that calls exit(), pays one pthread key.
//
// A thread that is ended by the kernel runs no handler.  The report thread looks every now and then
// whether it is alone with a dead first thread (HostIsGone), and then ends the process with the
// status that the first thread died with.
#ifndef HEAPGAUGE_REPORTER_END_WATCH_H_
#define HEAPGAUGE_REPORTER_END_WATCH_H_

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "core_api/core_api.h"

namespace heapgauge {

class EndWatch final {
 public:
  // Once, from the constructor.  `retire` sends the report thread away; called when it can't be
  // found out whether it is the last.
  void Initialize(ThreadState* (*this_thread)() noexcept, void (*retire)() noexcept) noexcept;

  // The calling thread is the process's first: from the constructor, and in a fork's child.
  void WatchFirstThread() noexcept;

  // The report thread was started, by the calling thread of the host's; and, on it, that it goes.
  // In this order around the thread's life, so that it never counts as ours alone for too long:
  // a process with a thread of the host's must not look finished.
  void ReporterStarted() noexcept;
  void ReporterLeaves() noexcept;

  // The host has one thread and we have none, as the C library counts; false where it hides that.
  bool HostIsAlone() const noexcept;

  // On the report thread: true when the host's threads are gone without a word, as a seccomp filter
  // kills the thread that it catches, or the exit system call ends it.
  bool HostIsGone() const noexcept;
  // Then: ends the process as its first thread ended, for the kernel takes the status of the last.
  [[noreturn]] static void EndAsHostDid() noexcept;

 private:
  static void OnFirstThreadLeaves(void* watch) noexcept;
  static void* Main(void* watch);

  bool CanCount() const noexcept;
  bool OnlyOursAreLeft() const noexcept;
  void StartOnce() noexcept;

  ThreadState* (*this_thread_)() noexcept = nullptr;
  void (*retire_)() noexcept = nullptr;
  bool has_key_ = false;
  pthread_key_t key_{};
  const unsigned* c_library_count_ = nullptr;  // its own number of threads; nullptr: not to be had
  uint64_t host_mask_ = 0;
  std::atomic<int> reporters_{0};
  std::atomic<bool> first_left_{false};
  std::atomic<bool> started_{false};
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_END_WATCH_H_
