#include "graph/kernel_words.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("what the kernel has been given stands in the lines of sets and of timers", "[graph]") {
  uint64_t word = 0;
  REQUIRE(KernelWordOf("tfd:        5 events:       19 data:     55d0c0ffee10  pos:0 ino:1c sdev:e",
                       &word));
  CHECK(word == 0x55d0c0ffee10);
  REQUIRE(KernelWordOf("signal: 10/00007f12c0ffee00", &word));
  CHECK(word == 0x7f12c0ffee00);
  for (const char* line :
       {"", "pos:\t0", "flags:\t02", "tfd:        5 events:       19", "signal: 10", "signal: 10/",
        "tfd: 5 data:", "notify: signal/pid.2634"}) {
    INFO(line);
    CHECK_FALSE(KernelWordOf(line, &word));
  }
}

TEST_CASE("all that descriptors are watched for is found, however small the room", "[graph]") {
  SearchMemory memory(size_t{1} << 20);
  MappedArray<uint64_t> words(memory);
  MappedArray<char> room(memory);
  REQUIRE(room.Resize(4096));
  constexpr uint64_t kFirst = 0x1234'0000'0000;
  const int set = epoll_create1(0);
  int watched[200];
  for (uint64_t i = 0; i < std::size(watched); ++i) {
    watched[i] = eventfd(0, 0);
    epoll_event event = {};
    event.data.u64 = kFirst + i;
    REQUIRE(epoll_ctl(set, EPOLL_CTL_ADD, watched[i], &event) == 0);
  }
  // To ask for more than that would hold up whoever waits for their events.
  CHECK_FALSE(ReadKernelWords(getpid(), static_cast<int>(std::size(watched)), words, room.data(),
                              room.size()));
  words.Clear();
  REQUIRE(ReadKernelWords(getpid(), kMostWatched, words, room.data(), room.size()));
  std::sort(words.begin(), words.end());
  for (uint64_t i = 0; i < std::size(watched); ++i) {
    CHECK(std::binary_search(words.begin(), words.end(), kFirst + i));
    close(watched[i]);
  }
  close(set);
  // Of a process that is gone nothing is known.
  words.Clear();
  CHECK_FALSE(ReadKernelWords(999'999'999, kMostWatched, words, room.data(), room.size()));
}

}  // namespace
}  // namespace heapgauge
