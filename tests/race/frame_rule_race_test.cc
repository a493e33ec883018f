#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "support/stress.h"
#include "support/thread_gun.h"
#include "trace/frame_rule.h"

namespace heapgauge {
namespace {

TEST_CASE("threads that fill, read and clear the rule cache get right rules alone", "[race]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  // Four times as many addresses as entries: most entries are fought over.
  const uintptr_t begin = reinterpret_cast<uintptr_t>(&std::qsort);
  std::vector<uint64_t> expected;
  for (uintptr_t step = 0; step < 65'536; ++step) {
    expected.push_back(FindFrameRule(begin + step).word());
  }
  std::atomic<uint64_t> wrong{0};
  test::ThreadGun(4).Fire([&](size_t thread) {
    std::mt19937_64 random(thread);
    for (size_t i = 0; i < 50'000 * test::kStress; ++i) {
      // Mostly a few hot addresses, as on real stacks.
      const uintptr_t step = random() % (random() % 4 == 0 ? expected.size() : 256);
      if (cache->Get(begin + step).word() != expected[step]) wrong.fetch_add(1);
      if (thread == 0 && i % 10'000 == 0) cache->Clear();
    }
  });
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace heapgauge
