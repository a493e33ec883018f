#include "graph/sliced_sort.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace heapgauge {
namespace {

TEST_CASE("what is sorted in steps is sorted, whatever its order was", "[graph]") {
  std::mt19937 random(7);
  for (const size_t count : {0, 1, 2, 1024, 1025, 5000, 100'000}) {
    for (int kind = 0; kind < 6; ++kind) {
      std::vector<uint32_t> values(count);
      for (size_t i = 0; i < count; ++i) {
        const uint32_t number = static_cast<uint32_t>(i);
        const uint32_t kinds[] = {static_cast<uint32_t>(random()),     number,      ~number, 5,
                                  static_cast<uint32_t>(random()) % 3, number % 700};
        values[i] = kinds[kind];
      }
      std::vector<uint32_t> sorted = values;
      std::sort(sorted.begin(), sorted.end());
      SlicedSort<uint32_t, std::less<>> sort;
      sort.Begin(values.data(), values.size());
      size_t steps = 0;
      for (; !sort.done(); ++steps) sort.Step(3000);
      CHECK(values == sorted);
      // In pieces: quicksort looks at each some log2(count / 1024) times, twice where pivots are bad.
      CHECK(steps >= count / 4096);
      CHECK(steps <= 2 + count / 60);
    }
  }
}

}  // namespace
}  // namespace heapgauge
