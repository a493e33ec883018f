// Labels across coroutines: each request keeps its own, whichever thread goes on with it.
//
//   c++ -std=c++20 coroutines.cc $(pkg-config --cflags --libs heapgauge) -pthread -o coroutines
//   HEAPGAUGE_SAMPLE_INTERVAL=1 HEAPGAUGE_OUTPUT=out ./coroutines
//   heapgauge report out --by route; heapgauge report out --by peer
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heapgauge/heapgauge.hpp"

namespace {

// What waits to be resumed, by any thread.
class Loop final {
 public:
  void Post(std::coroutine_handle<> work) {
    const std::scoped_lock lock(mutex_);
    waiting_.push_back(work);
  }
  // Until nothing waits; out of order, so that requests get mixed up.
  void Run() {
    for (std::coroutine_handle<> work; (work = Next()) != nullptr;) work.resume();
  }

 private:
  std::coroutine_handle<> Next() {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) return nullptr;
    turn_ += 7;
    std::swap(waiting_[turn_ % waiting_.size()], waiting_.back());
    const std::coroutine_handle<> last = waiting_.back();
    waiting_.pop_back();
    return last;
  }

  std::mutex mutex_;
  std::vector<std::coroutine_handle<>> waiting_;
  std::size_t turn_ = 0;
};

Loop g_loop;
std::mutex g_mutex;
std::vector<std::unique_ptr<char[]>> g_kept;

void Keep(std::size_t bytes) {
  auto block = std::make_unique<char[]>(bytes);
  const std::scoped_lock lock(g_mutex);
  g_kept.push_back(std::move(block));
}

struct Request {
  struct promise_type {
    Request get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::abort(); }
  };
};

// Waits for a peer's answer.  The labels go along as a value; none is left on the thread.
struct Answer {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> request) { g_loop.Post(request); }
  void await_resume() const noexcept {}
};

Request Serve(const char* route, const char* peer, std::size_t bytes) {
  heapgauge::Context mine;
  {
    const heapgauge::ScopedLabel label("route", route);
    mine = heapgauge::Context();
  }
  heapgauge::Context calling;
  {
    const heapgauge::ScopedContext work(mine);
    const heapgauge::ScopedCall call(peer);
    Keep(bytes);
    calling = heapgauge::Context();
  }
  co_await Answer();  // on, maybe, by another thread
  {
    const heapgauge::ScopedContext work(calling);
    Keep(2 * bytes);  // the answer
  }
  co_await Answer();
  const heapgauge::ScopedContext work(mine);
  Keep(3 * bytes);  // what comes of it: no call is out any more
}

}  // namespace

int main() {
  {
    const std::scoped_lock lock(g_mutex);
    g_kept.reserve(10'000);
  }
  for (int i = 0; i < 100; ++i) {
    Serve("/cart", "stock", 1000);
    Serve("/search", "index", 500);
  }
  std::vector<std::thread> pool;
  for (int i = 0; i < 4; ++i) pool.emplace_back([] { g_loop.Run(); });
  for (std::thread& thread : pool) thread.join();
  if (heapgauge::WriteReport() == heapgauge::Status::kOk) {
    std::printf("%s\n", std::string(heapgauge::ReportDirectory()).c_str());
  }
  return 0;
}
