#include "process/process_stats.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

namespace heapgauge {
namespace {

TEST_CASE("resident memory follows what is touched", "[process][process_stats]") {
  constexpr size_t kBytes = size_t{64} << 20;
  AllocatorStats allocator;
  const uint64_t before = ReadProcessStats(allocator, 0, 0).rss_bytes;
  char* const block = static_cast<char*>(std::malloc(kBytes));
  REQUIRE(block != nullptr);
  std::memset(block, 1, kBytes);
  const uint64_t after = ReadProcessStats(allocator, 0, 0).rss_bytes;
  CHECK(block[kBytes - 1] == 1);
  std::free(block);
  REQUIRE(before > 0);
  CHECK(after - before > kBytes / 10 * 9);
  CHECK(after - before < kBytes / 10 * 12);
}

// A child, because limits can't be taken back.
TEST_CASE("a limit on data is found when it is the nearest", "[process][process_stats]") {
  // A sanitizer's allocator maps gigabytes at its first blocks of a size.
  AllocatorStats before;
  ReadProcessStats(before, 0, 0);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit small{rlim_t{3} << 30, rlim_t{3} << 30};
    setrlimit(RLIMIT_DATA, &small);
    AllocatorStats allocator;
    const ProcessStats stats = ReadProcessStats(allocator, 0, 0);
    const bool nearest = stats.limit && stats.limit->limit_bytes <= small.rlim_cur;
    _exit(nearest ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace
}  // namespace heapgauge
