#include "serve/connection_watch.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace heapgauge::serve {
namespace {

constexpr int kPairs = 20;

bool IsOpen(int socket) {
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

// In a process of its own, which has no other sockets.  Returns which pairs are open afterwards.
unsigned OpenAfterALook() {
  std::array<std::array<int, 2>, kPairs> pairs;
  for (int i = 0; i < kPairs; ++i) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i].data()) != 0) _exit(100);
    // The later ones have the lower numbers.
    for (const int end : {0, 1}) {
      const int number = 200 - 2 * i - end;
      if (dup2(pairs[i][end], number) != number || close(pairs[i][end]) != 0) _exit(101);
      pairs[i][end] = number;
    }
  }
  ConnectionWatch watch({.longest = std::chrono::seconds(1000), .most = 6});
  watch.Look(ConnectionWatch::Clock::now());
  unsigned open = 0;
  for (int i = 0; i < kPairs; ++i) open |= IsOpen(pairs[i][0]) ? 1u << i : 0;
  return open;
}

TEST_CASE("of connections that came between two looks the last ones stay", "[serve]") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (int fd = 0; fd < 1024; ++fd) close(fd);
    // Three pairs are the six sockets that may stay.
    _exit(OpenAfterALook() == 7u << (kPairs - 3) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace
}  // namespace heapgauge::serve
