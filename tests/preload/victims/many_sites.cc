// More distinct stacks than the site table has room for under a small memory limit: they fall to
// one site together, and the totals stay right.
#include "victim.h"

namespace {

// 2^17 different stacks out of two functions.
__attribute__((noinline)) void* Left(unsigned path, int depth);
__attribute__((noinline)) void* Right(unsigned path, int depth);

void* Next(unsigned path, int depth) {
  if (depth == 0) {
    void* const block = malloc(16);
    VICTIM_REQUIRE(block != nullptr);
    return block;
  }
  void* const block = path % 2 == 0 ? Left(path / 2, depth - 1) : Right(path / 2, depth - 1);
  asm volatile("" ::: "memory");  // no tail call: the frame is needed
  return block;
}
void* Left(unsigned path, int depth) {
  void* const block = Next(path, depth);
  asm volatile("nop" ::: "memory");
  return block;
}
void* Right(unsigned path, int depth) {
  void* const block = Next(path, depth);
  asm volatile("nop; nop" ::: "memory");
  return block;
}

double TotalBytes() {
  heapgauge_status (*take)(heapgauge_snapshot*, size_t) = nullptr;
  void (*release)(heapgauge_snapshot*) = nullptr;
  *reinterpret_cast<void**>(&take) = victim_api("heapgauge_take_snapshot");
  *reinterpret_cast<void**>(&release) = victim_api("heapgauge_snapshot_free");
  if (take == nullptr) return -1;
  heapgauge_snapshot snapshot{};
  snapshot.size = sizeof(snapshot);
  VICTIM_REQUIRE(take(&snapshot, 1) == HEAPGAUGE_OK);
  VICTIM_REQUIRE(snapshot.dropped_samples == 0);
  const double bytes = snapshot.interval_bytes == 1 ? snapshot.live_bytes : -1;
  release(&snapshot);
  return bytes;
}

}  // namespace

int main() {
  constexpr unsigned kStacks = 20000;
  static void* blocks[kStacks];
  const double before = TotalBytes();
  for (unsigned i = 0; i < kStacks; ++i) blocks[i] = Next(i, 17);
  const double full = TotalBytes();
  if (full >= 0) VICTIM_REQUIRE(full - before == 16.0 * kStacks);
  for (void* block : blocks) free(block);
  const double after = TotalBytes();
  if (after >= 0) VICTIM_REQUIRE(after == before);
  puts("sites done");
  return 0;
}
