// Many small objects of random size, freed in random order, in one thread or several that share
// nothing (the shape of alloc-test).
#include <cstring>
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kSlots = 1 << 15;

void Churn(long operations, uint64_t seed, uint64_t* result) {
  workload::Random random(seed);
  struct Slot {
    unsigned char* block = nullptr;
    size_t bytes = 0;
  };
  std::vector<Slot> slots(kSlots);
  uint64_t sum = 0;
  for (long i = 0; i < operations; ++i) {
    Slot& slot = slots[random.Below(kSlots)];
    if (slot.block != nullptr) {
      sum += slot.block[slot.bytes - 1];
      std::free(slot.block);
    }
    slot.bytes = workload::UsualSize(random);
    slot.block = static_cast<unsigned char*>(std::malloc(slot.bytes));
    // Programs write what they allocate, but seldom all of it.
    std::memset(slot.block, static_cast<int>(i), slot.bytes < 64 ? slot.bytes : 64);
    slot.block[slot.bytes - 1] = static_cast<unsigned char>(i);
  }
  for (Slot& slot : slots) std::free(slot.block);
  *result = sum;
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 4'000'000, 1);
  std::vector<uint64_t> results(static_cast<size_t>(arguments.threads));
  std::vector<std::thread> threads;
  for (size_t i = 1; i < results.size(); ++i) {
    threads.emplace_back(Churn, arguments.scale / arguments.threads, i + 1, &results[i]);
  }
  Churn(arguments.scale / arguments.threads, 1, &results[0]);
  for (std::thread& thread : threads) thread.join();
  uint64_t sum = 0;
  for (const uint64_t result : results) sum += result;
  return workload::Finish(sum);
}
