#include "trace/loader_clock.h"

#include <dlfcn.h>
#include <link.h>

#include <catch2/catch.hpp>
#include <set>

namespace heapgauge {
namespace {

// As whoever takes stock does.
int Tell(dl_phdr_info* info, size_t, void* clock) {
  static_cast<LoaderClock*>(clock)->Told(info->dlpi_adds);
  return 1;
}

TEST_CASE("the clock goes on with every load, and stands otherwise", "[trace][loader_clock]") {
  LoaderClock clock;
  clock.Initialize();
  REQUIRE(clock.watches());
  std::set<uint64_t> seen = {clock.Now()};
  CHECK(clock.Now() != 0);
  CHECK(clock.Now() == *seen.begin());
  for (int round = 0; round < 50; ++round) {
    void* const module = dlopen(round % 2 == 0 ? FIRST_MODULE : SECOND_MODULE, RTLD_NOW);
    REQUIRE(module != nullptr);
    CAPTURE(round);
    const uint64_t loaded = clock.Now();
    CHECK(seen.insert(loaded).second);
    CHECK(clock.Now() == loaded);
    // One that is there already is not loaded.
    void* const again = dlopen(round % 2 == 0 ? FIRST_MODULE : SECOND_MODULE, RTLD_NOW);
    CHECK(clock.Now() == loaded);
    dlclose(again);
    // Half of the rounds drop what turned out to be no count; that is told once more, or not.
    if (round % 4 > 1) dl_iterate_phdr(Tell, &clock);
    seen.insert(clock.Now());
    dlclose(module);
    seen.insert(clock.Now());
  }
  CHECK(clock.watches());
}

TEST_CASE("a clock that watches nothing goes on when it is told", "[trace][loader_clock]") {
  LoaderClock clock;
  const uint64_t before = clock.Now();
  CHECK(before != 0);
  CHECK_FALSE(clock.watches());
  clock.Told(7);
  const uint64_t seven = clock.Now();
  CHECK(seven != before);
  clock.Told(7);
  CHECK(clock.Now() == seven);
  clock.Told(8);
  CHECK(clock.Now() != seven);
}

}  // namespace
}  // namespace heapgauge
