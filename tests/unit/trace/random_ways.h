// Random ways down a stack, whose frames are of every kind.
#ifndef HEAPGAUGE_TESTS_UNIT_TRACE_RANDOM_WAYS_H_
#define HEAPGAUGE_TESTS_UNIT_TRACE_RANDOM_WAYS_H_

#include <alloca.h>

#include <cstddef>
#include <random>

namespace heapgauge::test {

#define HG_NO_TAIL_CALL asm volatile("" ::: "memory")

// Compiled with -O2 -fomit-frame-pointer wherever it is used.
class RandomWays {
 public:
  explicit RandomWays(unsigned seed) : random_(seed) {}
  virtual ~RandomWays() = default;

  // `depth` frames further in, and Visit() at the bottom.  Two of its calls only their return
  // addresses tell apart.
  __attribute__((noinline)) void Down(int depth) {
    Pass();
    if (depth == 0) {
      Visit();
      HG_NO_TAIL_CALL;
      return;
    }
    switch (random_() % 5) {
      case 0:
        Constant(depth - 1);
        break;
      case 1:
        Sized(depth - 1);
        break;
      case 2:
        Hole(depth - 1);
        break;
      case 3:
        Down(depth - 1);
        HG_NO_TAIL_CALL;
        break;
      default:
        Down(depth - 1);
        HG_NO_TAIL_CALL;
    }
    Pass();
    HG_NO_TAIL_CALL;
  }

 protected:
  virtual void Visit() = 0;
  // At every frame on the way.
  virtual void Pass() {}
  std::mt19937& random() { return random_; }

 private:
  // Of constant size.
  __attribute__((noinline)) void Constant(int depth) {
    char room[40];
    asm volatile("" ::"r"(room) : "memory");
    Down(depth);
    HG_NO_TAIL_CALL;
  }

  // Of a size found at run time, reached by the frame pointer.
  __attribute__((noinline)) void Sized(int depth) {
    const size_t bytes = random_() % 3 * 64 + 16;
    auto* const room = static_cast<volatile char*>(alloca(bytes));
    room[bytes - 1] = 1;
    Down(depth);
    HG_NO_TAIL_CALL;
  }

  // Leaves an old frame's words where a new frame may lie.
  __attribute__((noinline)) void Hole(int depth) {
    const size_t bytes = random_() % 2 * 256 + 512;
    auto* const room = static_cast<volatile char*>(alloca(bytes));
    if (random_() % 4 == 0) room[bytes / 2] = 1;
    Down(depth);
    HG_NO_TAIL_CALL;
  }

  std::mt19937 random_;
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_UNIT_TRACE_RANDOM_WAYS_H_
