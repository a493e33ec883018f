// Shared by the workloads: a fixed random sequence, their arguments, and a way to keep results
// alive.
#ifndef HEAPGAUGE_BENCH_WORKLOADS_WORKLOAD_H_
#define HEAPGAUGE_BENCH_WORKLOADS_WORKLOAD_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace workload {

// The same sequence on every machine: two runs of a program make the same requests.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  uint64_t Below(uint64_t bound) { return (Next() >> 32) * bound >> 32; }
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }

 private:
  uint64_t state_;
};

// Object sizes of ordinary programs: mostly small, a long tail.
inline size_t UsualSize(Random& random) {
  const uint64_t kind = random.Below(100);
  if (kind < 60) return random.Between(8, 64);
  if (kind < 90) return random.Between(64, 256);
  if (kind < 99) return random.Between(256, 2048);
  return random.Between(2048, 16384);
}

// PROGRAM [SCALE [THREADS]]
struct Arguments {
  long scale;
  int threads;
  Arguments(int argc, char** argv, long usual_scale, int usual_threads)
      : scale(argc > 1 ? std::atol(argv[1]) : usual_scale),
        threads(argc > 2 ? std::atoi(argv[2]) : usual_threads) {
    if (scale < 1 || threads < 1) {
      std::fprintf(stderr, "usage: %s [SCALE [THREADS]]\n", argv[0]);
      std::exit(2);
    }
  }
};

// The printed result is the same for every run: a preload that changed it would have broken the
// program.
inline int Finish(uint64_t result) {
  std::printf("%016llx\n", static_cast<unsigned long long>(result));
  return 0;
}

}  // namespace workload

#endif  // HEAPGAUGE_BENCH_WORKLOADS_WORKLOAD_H_
