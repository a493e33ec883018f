// REQUIRE for the inside of long loops: Catch counts and expands every assertion, which takes 0.5
// us each.
#ifndef HEAPGAUGE_TESTS_SUPPORT_INSIST_H_
#define HEAPGAUGE_TESTS_SUPPORT_INSIST_H_

#include <catch2/catch.hpp>

#define HG_INSIST(condition)            \
  do {                                  \
    if (!(condition)) FAIL(#condition); \
  } while (false)

#endif  // HEAPGAUGE_TESTS_SUPPORT_INSIST_H_
