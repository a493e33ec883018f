#include "graph/memory_copy.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "graph/own_reader.h"

namespace heapgauge {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST_CASE("a copy stands still while the process goes on, and nobody is told of its end",
          "[graph][copy]") {
  static volatile sig_atomic_t signals = 0;
  struct sigaction counts = {};
  counts.sa_handler = [](int) { signals = signals + 1; };
  struct sigaction before = {};
  sigaction(SIGCHLD, &counts, &before);
  auto* const page = static_cast<volatile uint64_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  *page = 17;
  OwnReader reader;
  {
    MemoryCopy copy;
    REQUIRE(copy.Make());
    CHECK(copy.took_ns() > 0);
    CHECK_FALSE(copy.expired());
    *page = 18;
    const auto read = [&] {
      uint64_t word = 0;
      reader.Begin();
      const bool there = reader.Read(reinterpret_cast<uintptr_t>(page), sizeof(word), &word);
      reader.End();
      return there ? word : 0;
    };
    reader.SetCopy(copy.pid());
    CHECK(read() == 17);
    reader.SetCopy(0);
    CHECK(read() == 18);
    // Without __WALL, nobody's child.
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
    const pid_t pid = copy.pid();
    copy.End();
    CHECK(copy.pid() == 0);
    CHECK(kill(pid, 0) != 0);
  }
  CHECK(signals == 0);
  CHECK_FALSE(reader.broken());
  munmap(const_cast<uint64_t*>(page), 4096);
  sigaction(SIGCHLD, &before, nullptr);
}

TEST_CASE("no copy is made that stops threads too long or may not fit", "[graph][copy]") {
  CopyCost cost;
  cost.bytes = 100 * kMiB;
  CHECK(WhyNoCopy(cost, std::nullopt).empty());
  MemoryLimit limit;
  limit.limit_bytes = 1000 * kMiB;
  limit.usage_bytes = 500 * kMiB;
  limit.source = "cgroup";
  CHECK(WhyNoCopy(cost, limit).empty());
  limit.usage_bytes = 890 * kMiB;
  CHECK(WhyNoCopy(cost, limit).find("(cgroup, 1000 MiB) 890 MiB are used") != std::string::npos);
  cost.bytes = 158 * kMiB;
  CHECK(WhyNoCopy(cost, std::nullopt).find("20 ms are the most") != std::string::npos);
}

}  // namespace
}  // namespace heapgauge
