#include "base/age_buckets.h"

#include <catch2/catch.hpp>
#include <cstdint>

namespace heapgauge {
namespace {

constexpr uint64_t kNsPerHour = 3600ULL * 1'000'000'000;

TEST_CASE("every bucket begins where the one before it ends", "[base]") {
  CHECK(AgeBucketLowNs(0) == 0);
  CHECK(AgeBucketLowNs(1) == uint64_t{1} << kAgeBase);
  for (size_t bucket = 1; bucket < kAgeBuckets; ++bucket) {
    INFO("bucket " << bucket);
    const uint64_t low = AgeBucketLowNs(bucket);
    CHECK(low > AgeBucketLowNs(bucket - 1));
    CHECK(AgeBucket(low) == bucket);
    CHECK(AgeBucket(low - 1) == bucket - 1);
  }
}

TEST_CASE("two buckets span a factor of two", "[base]") {
  for (size_t bucket = 1; bucket + 2 < kAgeBuckets; ++bucket) {
    CHECK(AgeBucketLowNs(bucket + 2) == 2 * AgeBucketLowNs(bucket));
  }
}

TEST_CASE("the first bucket holds the very young and the last one all the old", "[base]") {
  CHECK(AgeBucket(0) == 0);
  CHECK(AgeBucket(16'383) == 0);
  CHECK(AgeBucket(uint64_t{1} << 45) == kAgeBuckets - 1);
  CHECK(AgeBucket(9 * kNsPerHour) < kAgeBuckets - 1);
  CHECK(AgeBucket(10 * kNsPerHour) == kAgeBuckets - 1);
  CHECK(AgeBucket(UINT64_MAX) == kAgeBuckets - 1);
}

TEST_CASE("seconds are the nanoseconds' seconds", "[base]") {
  CHECK(AgeBucketLowSeconds(0) == 0);
  CHECK(AgeBucketLowSeconds(AgeBucket(uint64_t{1} << 30)) == Approx(1.073741824));
}

}  // namespace
}  // namespace heapgauge
