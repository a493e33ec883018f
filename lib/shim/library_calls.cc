#include "shim/library_calls.h"

#include <cstddef>
#include <cstdint>

#include "base/glibc_version.h"

namespace heapgauge {
namespace {

// As the loader has it in its tables: the hash of System V.
constexpr uint32_t VersionHash(const char* text) noexcept {
  uint32_t hash = 0;
  for (; *text != '\0'; ++text) {
    hash = (hash << 4) + static_cast<unsigned char>(*text);
    const uint32_t high = hash & 0xf0000000U;
    hash = (hash ^ (high >> 24)) & ~high;
  }
  return hash;
}
static_assert(VersionHash("GLIBC_2.2.5") == 0x09691a75);

}  // namespace
}  // namespace heapgauge

// A word, and a jump through it.  The word is not among what the loader makes read-only: filling it
// would need system calls, and the host one that may fail.  A jump:
// dlsym() and its like are told by the return address who asks.
#if defined(__x86_64__)
#define HG_JUMP(name) "  endbr64\n  jmp *hg_call_" name "(%rip)\n"
#define HG_ANSWER_NOTHING "  endbr64\n  xor %eax, %eax\n  ret\n"
#elif defined(__aarch64__)
#define HG_JUMP(name)         \
  "  hint #34\n"              \
  "  adrp x16, hg_call_" name \
  "\n"                        \
  "  ldr x16, [x16, :lo12:hg_call_" name "]\n  br x16\n"
#define HG_ANSWER_NOTHING "  hint #34\n  mov x0, xzr\n  ret\n"
#endif

#define HG_FUNCTION(name, body)                                                                   \
  ".pushsection .text." name                                                                      \
  ",\"ax\",@progbits\n"                                                                           \
  ".globl " name "\n.hidden " name "\n.type " name ",@function\n" name ":\n.cfi_startproc\n" body \
  ".cfi_endproc\n.size " name ",.-" name "\n.popsection\n"

#define HG_WORD(name)                                                                  \
  ".pushsection .data,\"aw\",@progbits\n.balign 8\n"                                   \
  ".globl " name "\n.hidden " name "\n.type " name ",@object\n.size " name ",8\n" name \
  ": .quad hg_call_nothing\n.popsection\n"

__asm__(HG_FUNCTION("hg_call_nothing", HG_ANSWER_NOTHING));
#define HG_LIBRARY_CALL_SINCE(name, version) \
  __asm__(HG_WORD("hg_call_" #name) HG_FUNCTION(#name, HG_JUMP(#name)));
#define HG_LIBRARY_CALL(name) HG_LIBRARY_CALL_SINCE(name, HG_GLIBC_FIRST)
#include "shim/library_calls.inc"
#undef HG_LIBRARY_CALL_SINCE

extern "C" {
HG_HIDDEN void hg_call_nothing();                                                        // NOLINT
#define HG_LIBRARY_CALL_SINCE(name, version) extern HG_HIDDEN uintptr_t hg_call_##name;  // NOLINT
#include "shim/library_calls.inc"
#undef HG_LIBRARY_CALL_SINCE
}

namespace heapgauge {
namespace {

constexpr ElfModule::Import kCalls[] = {
#define HG_LIBRARY_CALL_SINCE(name, version) {#name, VersionHash(version), &hg_call_##name},
#include "shim/library_calls.inc"
#undef HG_LIBRARY_CALL_SINCE
};

}  // namespace

void BindLibraryCalls(const ElfModule& own, const ElfModule* libraries, size_t count) noexcept {
  BindWords(own, kCalls, sizeof(kCalls) / sizeof(kCalls[0]), libraries, count);
}

const void* InGlibc() noexcept {
  const auto nothing = reinterpret_cast<uintptr_t>(&hg_call_nothing);
  return hg_call_gnu_get_libc_version != nothing
             ? reinterpret_cast<const void*>(hg_call_gnu_get_libc_version)
             : nullptr;
}

}  // namespace heapgauge
