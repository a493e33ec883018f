// Each thread frees a block that another one allocated, then writes small blocks of its own many
// times (the shape of cache-scratch): an allocator, or a tracker, that makes threads share cache
// lines shows here.
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kBytes = 8;
constexpr int kWrites = 200;

void Scratch(char* handed, long rounds, uint64_t* result) {
  std::free(handed);
  uint64_t sum = 0;
  for (long i = 0; i < rounds; ++i) {
    volatile char* const block = static_cast<char*>(std::malloc(kBytes));
    for (int write = 0; write < kWrites; ++write) {
      for (size_t at = 0; at < kBytes; ++at) block[at] = static_cast<char>(block[at] + write);
      sum += static_cast<unsigned char>(block[0]) & 1U;
    }
    std::free(const_cast<char*>(block));
  }
  *result = sum != 0 ? 1 : 0;  // the block's first content is anybody's
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 500'000, 2);
  const size_t count = static_cast<size_t>(arguments.threads);
  std::vector<char*> handed(count);
  for (char*& block : handed) block = static_cast<char*>(std::malloc(kBytes));
  std::vector<uint64_t> results(count);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back(Scratch, handed[i], arguments.scale / arguments.threads, &results[i]);
  }
  for (std::thread& thread : threads) thread.join();
  return workload::Finish(count);
}
