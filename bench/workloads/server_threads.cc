// Server threads that replace random blocks of a set and hand the whole set to a successor thread
// (the shape of larson): blocks outlive their threads and die in other ones.
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kBlocks = 1000;
constexpr long kReplacementsAThread = 50'000;

using Blocks = std::vector<unsigned char*>;

// Replaces blocks, then starts its successor and ends, as a server hands on its connections.
void Serve(Blocks* blocks, long left, uint64_t seed, uint64_t* result) {
  workload::Random random(seed);
  const long mine = left < kReplacementsAThread ? left : kReplacementsAThread;
  for (long i = 0; i < mine; ++i) {
    unsigned char*& block = (*blocks)[random.Below(kBlocks)];
    *result += block[0];
    delete[] block;
    const size_t bytes = random.Between(10, 500);
    block = new unsigned char[bytes];
    block[0] = block[bytes - 1] = static_cast<unsigned char>(i);
  }
  if (left > mine) {
    std::thread successor(Serve, blocks, left - mine, seed + 1000, result);
    successor.join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 12'000'000, 2);
  const size_t count = static_cast<size_t>(arguments.threads);
  std::vector<Blocks> blocks(count, Blocks(kBlocks));
  for (Blocks& set : blocks) {
    for (unsigned char*& block : set) block = new unsigned char[64]();
  }
  std::vector<uint64_t> results(count);
  std::vector<std::thread> servers;
  for (size_t i = 0; i < count; ++i) {
    servers.emplace_back(Serve, &blocks[i], arguments.scale / arguments.threads, i, &results[i]);
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    servers[i].join();
    sum += results[i];
    for (unsigned char* block : blocks[i]) delete[] block;
  }
  return workload::Finish(sum);
}
