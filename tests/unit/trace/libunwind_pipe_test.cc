#if defined(__x86_64__)
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <sys/mman.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "captures.h"

namespace heapgauge {
namespace {

using test::Frames;

Frames* g_frames = nullptr;

void Walk() {
  unw_context_t context;
  unw_cursor_t cursor;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  do {
    unw_word_t address = 0;
    unw_get_reg(&cursor, UNW_REG_IP, &address);
    g_frames->push_back(address);
  } while (unw_step(&cursor) > 0 && g_frames->size() < 100);
}

// push rbp; mov rbp, rsp; call rdi; pop rbp; ret: a frame of a just-in-time compiler, of which no
// table knows.  There libunwind follows the frame pointers, and tests each address before it reads
// from it.
constexpr unsigned char kUnknownCode[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

TEST_CASE("libunwind's tests of addresses come out right without its pipe", "[trace]") {
  WarmLibunwind();
  void* const code =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(code != MAP_FAILED);
  std::memcpy(code, kUnknownCode, sizeof(kUnknownCode));
  REQUIRE(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);

  Frames direct;
  g_frames = &direct;
  Walk();
  Frames through;
  g_frames = &through;
  reinterpret_cast<void (*)(void (*)())>(code)(&Walk);
  munmap(code, 4096);

  const uintptr_t begin = reinterpret_cast<uintptr_t>(code);
  CHECK(std::any_of(through.begin(), through.end(),
                    [&](uintptr_t frame) { return frame - begin < sizeof(kUnknownCode); }));
  // The test's own frame differs by the place in it; main()'s and what is around it does not.
  REQUIRE(direct.size() > 3);
  REQUIRE(through.size() > 3);
  CHECK(std::equal(direct.end() - 3, direct.end(), through.end() - 3));
}

}  // namespace
}  // namespace heapgauge
#endif
