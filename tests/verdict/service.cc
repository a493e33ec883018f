// verdict_service SCENARIO SECONDS: what happens to a service in hours, in seconds.
//
// Births follow a clock of its own that never leaps: where the machine is busy the service does
// less in the same time, and its objects live as long as ever by that clock.  Every scenario has
// ordinary requests beside it.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <queue>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr double kTick = 0.01;         // [s]
constexpr double kLongestTick = 0.05;  // more than that passed: the machine was busy

struct Object {
  double dies_s;
  void* block;
  bool operator<(const Object& other) const { return dies_s > other.dies_s; }
};

void* Filled(void* block, size_t bytes) {
  std::memset(block, 1, bytes);
  return block;
}

}  // namespace

// One allocation site each, under a name that the driver looks for.
extern "C" {
#define SITE(name) \
  __attribute__((noinline)) void* name(size_t bytes) { return Filled(std::malloc(bytes), bytes); }
SITE(MakeRequest)
SITE(MakeOrder)
SITE(MakeEntry)
SITE(MakeRule)
SITE(MakeJob)
SITE(MakeScratch)
}

namespace {

class Service {
 public:
  explicit Service(double seconds) : seconds_(seconds) {}

  double now_s() const { return now_s_; }
  double part() const { return now_s_ / seconds_; }
  bool Done() const { return now_s_ >= seconds_; }

  // `per_s` objects a second, carried over between ticks.
  int Due(double& carry, double per_s) const {
    carry += per_s * tick_s_;
    const int due = static_cast<int>(carry);
    carry -= due;
    return due;
  }

  void Until(double lives_s, void* block) { objects_.push({now_s_ + lives_s, block}); }

  // Between 20 and 200 ms, the shorter the more often.
  double ShortLife() { return 0.02 + 0.18 * std::rand() / RAND_MAX * std::rand() / RAND_MAX; }

  void Requests(double per_s) {
    for (int i = Due(requests_, per_s); i > 0; --i) Until(ShortLife(), MakeRequest(512));
  }

  // Orders die like requests, but one in `kept` never does; 0: none is kept.
  void Orders(double per_s, int kept) {
    for (int i = Due(orders_, per_s); i > 0; --i) {
      void* const order = MakeOrder(512);
      if (kept > 0 && ++made_ % kept == 0) continue;
      Until(ShortLife(), order);
    }
  }

  void Tick() {
    std::this_thread::sleep_for(std::chrono::duration<double>(kTick));
    const auto wall = std::chrono::steady_clock::now();
    tick_s_ = std::min(kLongestTick, std::chrono::duration<double>(wall - wall_).count());
    wall_ = wall;
    now_s_ += tick_s_;
    while (!objects_.empty() && objects_.top().dies_s <= now_s_) {
      std::free(objects_.top().block);
      objects_.pop();
    }
  }

 private:
  double seconds_;
  double now_s_ = 0;
  double tick_s_ = 0;
  double requests_ = 0;
  double orders_ = 0;
  int made_ = 0;
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  std::priority_queue<Object> objects_;
};

constexpr double kTraffic = 1500;  // requests a second
constexpr double kOrders = 400;
constexpr int kKept = 8;  // one order in so many leaks

void Leak(Service& service) {
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    service.Orders(kOrders, kKept);
  }
}

// Traffic triples, and the leak comes with it.
void LeakInRise(Service& service) {
  while (!service.Done()) {
    service.Tick();
    const bool rose = service.part() > 0.3;
    service.Requests(rose ? 3 * kTraffic : kTraffic);
    service.Orders(rose ? 3 * kOrders : kOrders, rose ? 3 * kKept : 0);
  }
}

void LeakMidway(Service& service) {
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    service.Orders(kOrders, service.part() > 0.4 ? kKept : 0);
  }
}

// No order is ever freed.
void LeakAll(Service& service) {
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    service.Orders(0.3 * kOrders, 1);
  }
}

void Threefold(Service& service) {
  while (!service.Done()) {
    service.Tick();
    const double factor = service.part() > 0.4 ? 3 : 1;
    service.Requests(factor * kTraffic);
    service.Orders(factor * kOrders, 0);
  }
}

// Fills in three seconds; then every newcomer pushes out the oldest.
void Cache(Service& service) {
  constexpr double kMisses = 400;
  std::deque<void*> entries;
  double misses = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    for (int i = service.Due(misses, kMisses); i > 0; --i) {
      entries.push_back(MakeEntry(1024));
      if (entries.size() <= 3 * kMisses) continue;
      std::free(entries.front());
      entries.pop_front();
    }
  }
}

// Rules are read when half of the time is over, and kept.
void LateSetUp(Service& service) {
  double rules = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    if (service.part() < 0.5 || service.part() > 0.54) continue;
    for (int i = service.Due(rules, 4000); i > 0; --i) MakeRule(2048);
  }
}

// For a third of the time more jobs come than are worked off; then the queue is drained.
void Backlog(Service& service) {
  std::deque<void*> jobs;
  double come = 0;
  double go = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    const bool slow = service.part() > 0.1 && service.part() < 0.4;
    for (int i = service.Due(come, 400); i > 0; --i) jobs.push_back(MakeJob(1024));
    for (int i = service.Due(go, slow ? 250 : 1200); i > 0 && !jobs.empty(); --i) {
      std::free(jobs.front());
      jobs.pop_front();
    }
  }
}

// Threads come and go; what one made goes with it.
void ThreadChurn(Service& service) {
  struct Worker {
    double ends_s;
    std::thread thread;
  };
  std::deque<Worker> workers;
  double started = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    for (int i = service.Due(started, 25); i > 0; --i) {
      const double lives_s = 0.1 + 0.4 * std::rand() / RAND_MAX;
      workers.push_back({service.now_s() + 0.6, std::thread([lives_s] {
                           std::vector<void*> scratch;
                           for (int k = 0; k < 30; ++k) scratch.push_back(MakeScratch(1024));
                           std::this_thread::sleep_for(std::chrono::duration<double>(lives_s));
                           for (void* block : scratch) std::free(block);
                         })});
    }
    while (!workers.empty() && workers.front().ends_s < service.now_s()) {
      workers.front().thread.join();
      workers.pop_front();
    }
  }
  for (Worker& worker : workers) worker.thread.join();
}

// The next three grow, and not in the live heap.  Mappings are made and kept, past malloc.
void Mappings(Service& service) {
  constexpr size_t kBytes = size_t{256} << 10;
  double due = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    for (int i = service.Due(due, 10); i > 0; --i) {
      Filled(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
             kBytes);
    }
  }
}

// Threads are started, use some stack and wait for ever.
void Threads(Service& service) {
  double due = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    for (int i = service.Due(due, 10); i > 0; --i) {
      std::thread([] {
        char used[150 << 10];
        Filled(used, sizeof(used));
        __asm__ volatile("" : : "r"(used) : "memory");
        for (;;) pause();
      }).detach();
    }
  }
}

// Blocks are cut down to their first bytes, and the next ones are a little larger than what became
// free: nothing fits into any hole, and of the heap a hundredth lives.
void Fragments(Service& service) {
  size_t bytes = 1200;
  double due = 0;
  while (!service.Done()) {
    service.Tick();
    service.Requests(kTraffic);
    for (int i = service.Due(due, 10); i > 0; --i, bytes += 32) {
      std::vector<void*> blocks(80);
      for (void*& block : blocks) block = MakeScratch(bytes);
      for (void* const block : blocks) {
        [[maybe_unused]] void* const kept = std::realloc(block, 24);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr struct {
    std::string_view name;
    void (*run)(Service&);
  } kScenarios[] = {
      {"leak", Leak},
      {"leak_in_rise", LeakInRise},
      {"leak_midway", LeakMidway},
      {"leak_all", LeakAll},
      {"threefold", Threefold},
      {"cache", Cache},
      {"late_set_up", LateSetUp},
      {"backlog", Backlog},
      {"thread_churn", ThreadChurn},
      {"mappings", Mappings},
      {"threads", Threads},
      {"fragments", Fragments},
  };
  if (argc != 3) return 2;
  Service service(std::atof(argv[2]));
  for (const auto& scenario : kScenarios) {
    if (scenario.name != argv[1]) continue;
    scenario.run(service);
    return 0;
  }
  std::fprintf(stderr, "verdict_service: no scenario %s\n", argv[1]);
  return 2;
}
