#include "graph/thread_list.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("what the kernel tells of a blocked thread", "[graph]") {
  Thread thread;
  ReadSyscallLine("202 0x55d0 0x189 0x2 0x0 0x7f01 0xffffffff 0x7ffd1000 0x7f1234\n", &thread);
  CHECK(thread.stack_pointer == 0x7ffd1000);
  CHECK(thread.words[0] == 0x55d0);
  CHECK(thread.words[4] == 0x7f01);
}

TEST_CASE("of a thread outside a call the stack pointer alone is known", "[graph]") {
  Thread thread;
  ReadSyscallLine("-1 0x7ffd1000 0x7f1234\n", &thread);
  CHECK(thread.stack_pointer == 0x7ffd1000);
  CHECK(thread.words[0] == 0);
}

TEST_CASE("a thread that runs, and lines that are none, tell nothing", "[graph]") {
  for (const char* const text : {"running\n", "", "\n", "7", "-1", "-", "12 0x1", "0 running"}) {
    Thread thread;
    ReadSyscallLine(text, &thread);
    CHECK(thread.stack_pointer == 0);
  }
}

}  // namespace
}  // namespace heapgauge
