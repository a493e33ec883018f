// Every interleaving of a few small threads: a model checker whose model is the code itself.
//
// The threads are fibers of one real thread.  Each stops before every operation on an Atomic
// (base/atomic.h, compiled with HEAPGAUGE_MARKED_POINTS), and the explorer says who goes on.  An
// execution is repeated from the start with another choice, depth first, until all are done.
//
// Two operations that touch different atomics, or both only read, may change places without
// anybody noticing; of executions that differ by such changes alone one is enough (sleep sets:
// Godefroid, Partial-Order Methods, 1996).  A thread that yields is not asked again before another
// one has written: it would find what it found.  When all yield and none has written, they wait for
// good, and that is found.
//
// What is explored is sequentially consistent: each operation at once and for all.  That an order
// weaker than that suffices is for the reasons beside each memory_order, and for ThreadSanitizer.
#ifndef HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORER_H_
#define HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORER_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace heapgauge::test {

class Explorer final {
 public:
  // No exception may leave a body, and what it leaves on its stack is never destroyed.
  using Body = std::function<void()>;

  // setup(): a new world, and what its threads do.  check(): after all of them are through; false
  // ends the exploration.
  Explorer(std::function<std::vector<Body>()> setup, std::function<bool()> check)
      : setup_(std::move(setup)), check_(std::move(check)) {}

  // False when check() failed, or threads that wait for each other; Schedule() shows how.
  bool Run(uint64_t most_executions = 2'000'000);

  uint64_t executions() const { return executions_; }  // those that came to an end
  bool complete() const { return complete_; }
  // The threads in the order in which they moved in the last execution.
  std::string Schedule() const;

  // From Atomic and from sched_yield().
  static void AtMarkedPoint(const void* place, bool writes) noexcept;
  static void AtYield() noexcept;

 private:
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    Body body;
    bool done = false;
    bool waits = false;           // has yielded, and nobody has written since
    const void* place = nullptr;  // of the operation that comes next
    bool writes = false;
  };
  // The state before a move.
  struct Choice {
    uint32_t enabled = 0;
    uint32_t asleep = 0;  // whose move now would repeat an execution
    uint32_t tried = 0;
    size_t chosen = 0;
  };
  enum class End : uint8_t { kDone, kRepeats, kStuck };

  void Begin();
  End Execute();
  bool NextChoice();
  void Move(size_t fiber);
  uint32_t Enabled() const;
  bool Independent(size_t a, size_t b) const;
  void Stop() noexcept;  // back to the explorer
  static void Entry(unsigned high, unsigned low);

  const std::function<std::vector<Body>()> setup_;
  const std::function<bool()> check_;
  std::vector<Fiber> fibers_;
  std::vector<Choice> path_;
  ucontext_t explorer_;
  Fiber* running_ = nullptr;
  uint64_t executions_ = 0;
  bool complete_ = false;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORER_H_
