// Threads in rounds that allocate linked blocks of very different sizes, keep some, swap some with
// the other threads and free the rest (the shape of mstress).
#include <atomic>
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kTransfers = 1000;
constexpr int kRounds = 10;

std::atomic<uintptr_t*> g_transfer[kTransfers];

uintptr_t* Allocate(size_t words, workload::Random& random) {
  if (random.Below(1000) == 0) words *= 100;
  uintptr_t* const block =
      static_cast<uintptr_t*>(random.Below(4) == 0 ? std::calloc(words, sizeof(uintptr_t))
                                                   : std::malloc(words * sizeof(uintptr_t)));
  block[0] = words;
  for (size_t i = 1; i < words; i += 8) block[i] = words ^ i;
  return block;
}

void Stress(long operations, uint64_t seed, std::vector<uintptr_t*>* kept) {
  workload::Random random(seed);
  std::vector<uintptr_t*> mine;
  for (long i = 0; i < operations; ++i) {
    if (mine.empty() || random.Below(100) < 55) {
      mine.push_back(Allocate(1 + (size_t{1} << random.Below(8)), random));
    } else {
      const size_t which = random.Below(mine.size());
      std::free(mine[which]);
      mine[which] = mine.back();
      mine.pop_back();
    }
    if (random.Below(4) == 0 && !mine.empty()) {
      uintptr_t*& block = mine[random.Below(mine.size())];
      block = g_transfer[random.Below(kTransfers)].exchange(block);
      if (block == nullptr) block = Allocate(4, random);
    }
  }
  for (uintptr_t* block : mine) {
    if (random.Below(10) == 0) {
      kept->push_back(block);
    } else {
      std::free(block);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 6'000'000, 2);
  const size_t count = static_cast<size_t>(arguments.threads);
  std::vector<std::vector<uintptr_t*>> kept(count);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) {
      threads.emplace_back(Stress, arguments.scale / arguments.threads / kRounds,
                           static_cast<uint64_t>(round) * 100 + i, &kept[i]);
    }
    for (std::thread& thread : threads) thread.join();
    for (auto& set : kept) {  // half of what a round kept survives the next one
      for (size_t i = 0; i < set.size() / 2; ++i) {
        std::free(set.back());
        set.pop_back();
      }
    }
  }
  for (auto& set : kept) {
    for (uintptr_t* block : set) std::free(block);
  }
  for (auto& slot : g_transfer) std::free(slot.exchange(nullptr));
  return workload::Finish(0);  // who swaps with whom is up to the scheduler
}
