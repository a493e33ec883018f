// Batches of blocks of one size, allocated together and freed in order, in reverse and interleaved
// (the shape of glibc's own malloc benchmark), in one thread or several.
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kBatch = 1600;
constexpr size_t kSizes[] = {16, 32, 64, 128, 256, 512, 1024};

void RunBatches(long batches) {
  std::vector<void*> blocks(kBatch);
  for (long i = 0; i < batches; ++i) {
    const size_t bytes = kSizes[static_cast<size_t>(i) % std::size(kSizes)];
    for (void*& block : blocks) {
      block = std::malloc(bytes);
      *static_cast<char*>(block) = 1;
    }
    switch (i / static_cast<long>(std::size(kSizes)) % 3) {
      case 0:
        for (void* block : blocks) std::free(block);
        break;
      case 1:
        for (size_t at = kBatch; at > 0; --at) std::free(blocks[at - 1]);
        break;
      default:
        for (size_t at = 0; at < kBatch; at += 2) std::free(blocks[at]);
        for (size_t at = 1; at < kBatch; at += 2) std::free(blocks[at]);
        break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 12'000, 1);
  std::vector<std::thread> threads;
  for (int i = 1; i < arguments.threads; ++i) {
    threads.emplace_back(RunBatches, arguments.scale / arguments.threads);
  }
  RunBatches(arguments.scale / arguments.threads);
  for (std::thread& thread : threads) thread.join();
  return workload::Finish(0);
}
