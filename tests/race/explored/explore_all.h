// Every interleaving, with how many there were in the test's output.
#ifndef HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORE_ALL_H_
#define HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORE_ALL_H_

#include <catch2/catch.hpp>

#include "race/explored/explorer.h"

namespace heapgauge::test {

inline void ExploreAll(Explorer& explorer) {
  const bool good = explorer.Run();
  INFO("threads in the order of their moves: " << explorer.Schedule());
  CHECK(good);
  CHECK(explorer.complete());
  CHECK(explorer.executions() > 1);
  WARN(explorer.executions() << " executions");
}

}  // namespace heapgauge::test

#endif  // HEAPGAUGE_TESTS_RACE_EXPLORED_EXPLORE_ALL_H_
