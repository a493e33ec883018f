// Half of the threads allocate, the other half free what those allocated (the shape of
// xmalloc-test): every block dies in another thread than it was born in.
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "workload.h"

namespace {

constexpr size_t kBatch = 256;

struct Batch {
  unsigned char* blocks[kBatch];
};

// A short queue: neither side may run far ahead, as in a real pipeline.
class Queue {
 public:
  void Push(Batch* batch) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() < 64; });
    waiting_.push_back(batch);
    changed_.notify_all();
  }
  Batch* Pop() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty(); });
    Batch* const batch = waiting_.back();
    waiting_.pop_back();
    changed_.notify_all();
    return batch;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch*> waiting_;
};

void Produce(Queue* queue, long batches, uint64_t seed) {
  workload::Random random(seed);
  for (long i = 0; i < batches; ++i) {
    Batch* const batch = new Batch;
    for (unsigned char*& block : batch->blocks) {
      const size_t bytes = random.Between(16, 256);
      block = static_cast<unsigned char*>(std::malloc(bytes));
      block[0] = static_cast<unsigned char>(bytes);
    }
    queue->Push(batch);
  }
}

void Consume(Queue* queue, long batches, uint64_t* sum) {
  for (long i = 0; i < batches; ++i) {
    Batch* const batch = queue->Pop();
    for (unsigned char* block : batch->blocks) {
      *sum += block[0];
      std::free(block);
    }
    delete batch;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const workload::Arguments arguments(argc, argv, 8'000'000, 2);
  const size_t pairs = static_cast<size_t>((arguments.threads + 1) / 2);
  const long batches = arguments.scale / static_cast<long>(kBatch * pairs);
  std::vector<Queue> queues(pairs);
  std::vector<uint64_t> sums(pairs);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < pairs; ++i) {
    threads.emplace_back(Produce, &queues[i], batches, i);
    threads.emplace_back(Consume, &queues[i], batches, &sums[i]);
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  return workload::Finish(sum);
}
