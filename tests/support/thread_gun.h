// A starting gun: threads that all begin at the same moment, so that their first steps really
// collide.
//
// Fire() creates the threads, waits until every one of them stands at the line, lets them go and
// joins them.  Without the line a short body is over before the next thread has been created, and a
// race test tests nothing.
#ifndef HEAPGAUGE_TESTS_SUPPORT_THREAD_GUN_H_
#define HEAPGAUGE_TESTS_SUPPORT_THREAD_GUN_H_

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace heapgauge::test {

class ThreadGun final {
 public:
  explicit ThreadGun(size_t threads) : threads_(threads) {}

  // Runs body(0) .. body(threads - 1), each on its own thread.
  template <typename Body>
  void Fire(Body&& body) const {
    std::atomic<size_t> missing{threads_};
    std::vector<std::thread> runners;
    runners.reserve(threads_);
    for (size_t index = 0; index < threads_; ++index) {
      runners.emplace_back([&, index] {
        missing.fetch_sub(1);  // seq_cst: a test has no reason to be clever
        while (missing.load() != 0) std::this_thread::yield();
        body(index);
      });
    }
    for (std::thread& runner : runners) runner.join();
  }

 private:
  const size_t threads_;
};

// A thread that repeats `body` until the scope ends: the reporter of a race test.
class Background final {
 public:
  template <typename Body>
  explicit Background(Body body)
      : thread_([this, body = std::move(body)]() mutable {
          do {
            body();
            rounds_.fetch_add(1);
          } while (!stop_.load());
        }) {}
  ~Background() {
    stop_.store(true);
    thread_.join();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  size_t rounds() const { return rounds_.load(); }
  // Returns once `body` has run from beginning to end at least once since the call.
  void AwaitRound() const {
    const size_t before = rounds();
    while (rounds() < before + 2) std::this_thread::yield();
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<size_t> rounds_{0};
  std::thread thread_;  // last: starts when the rest is set up
};

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_SUPPORT_THREAD_GUN_H_
