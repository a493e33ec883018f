// Compiled several times: CHAINS_NAME says for which set of flags (CMakeLists.txt).
#include "chains.h"

#include <alloca.h>

#include <cstdlib>
#include <iterator>

#define HG_PASTE_(a, b) a##b
#define HG_PASTE(a, b) HG_PASTE_(a, b)
#define HG_TEXT_(a) #a
#define HG_TEXT(a) HG_TEXT_(a)

// Every function stays a function, and does something after the call it makes, so that the call is
// no jump.
#define HG_LINK __attribute__((noinline, noclone))
#define HG_STAY __asm__ volatile("" ::: "memory")

#define CHAINS_NAMESPACE HG_PASTE(chains_, CHAINS_NAME)

namespace heapgauge::test::CHAINS_NAMESPACE {

HG_LINK void Innermost(Call& call) {
  HG_NOTE_FRAME(call);
  call.hook(call);
  HG_STAY;
}

HG_LINK void Middle(Call& call) {
  HG_NOTE_FRAME(call);
  Innermost(call);
  HG_STAY;
}

HG_LINK void Straight(Call& call) {
  HG_NOTE_FRAME(call);
  Middle(call);
  HG_STAY;
}

HG_LINK void Recursive(Call& call) {
  HG_NOTE_FRAME(call);
  if (call.depth == 0) {
    call.hook(call);
  } else {
    --call.depth;
    Recursive(call);
  }
  HG_STAY;
}

// One call site for the recursion and for the hook: the hook's return address is on the stack
// many times.
HG_LINK void RecursiveHook(Call& call) {
  HG_NOTE_FRAME(call);
  void (*const next)(Call&) = call.depth == 0 ? call.hook : RecursiveHook;
  if (call.depth != 0) --call.depth;
  next(call);
  HG_STAY;
}

HG_LINK void MutualOther(Call& call);
HG_LINK void Mutual(Call& call) {
  HG_NOTE_FRAME(call);
  if (call.depth == 0) return Innermost(call);
  --call.depth;
  MutualOther(call);
  HG_STAY;
}
HG_LINK void MutualOther(Call& call) {
  HG_NOTE_FRAME(call);
  volatile char room[200];
  room[0] = 1;
  Mutual(call);
  room[1] = room[0];
  HG_STAY;
}

HG_LINK void BigFrame(Call& call) {
  HG_NOTE_FRAME(call);
  volatile char room[5000];
  room[0] = 1;
  Straight(call);
  room[4999] = room[0];
  HG_STAY;
}

HG_LINK void DynamicFrame(Call& call) {  // the frame's size is known at run time only
  HG_NOTE_FRAME(call);
  volatile char* const room = static_cast<volatile char*>(alloca(100 + call.shadow.frames.size()));
  room[0] = 1;
  Straight(call);
  room[99] = room[0];
  HG_STAY;
}

HG_LINK void RealignedFrame(Call& call) {  // the CFA is neither at rsp + n nor at rbp + n
  HG_NOTE_FRAME(call);
  alignas(128) volatile char room[300];
  room[0] = 1;
  Straight(call);
  room[299] = room[0];
  HG_STAY;
}

HG_LINK int Sum(Call& call, int a, int b, int c, int d, int e, int f, int g, int h) {
  HG_NOTE_FRAME(call);
  Straight(call);
  return a + b + c + d + e + f + g + h;
}
HG_LINK void StackArguments(Call& call) {  // pushes that change the CFA's offset between calls
  HG_NOTE_FRAME(call);
  volatile int sum = Sum(call, 1, 2, 3, 4, 5, 6, 7, 8);
  sum = sum + 1;
  HG_STAY;
}

HG_LINK void BusyRegisters(Call& call) {  // without frame pointers rbp holds a value like any other
  HG_NOTE_FRAME(call);
  size_t a = call.shadow.frames.size();
  size_t b = a * 3 + 1;
  size_t c = b * 5 + a;
  size_t d = c * 7 + b;
  size_t e = d * 11 + c;
  size_t f = e * 13 + d;
  for (size_t i = 0; i < 2; ++i) {
    if (i == 1) Straight(call);
    a += f;
    b ^= a;
    c += b;
    d ^= c;
    e += d;
    f ^= e;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
  }
}

Call* g_call = nullptr;  // bsearch passes none
HG_LINK int Compare(const void* /*key*/, const void* /*element*/) {
  HG_NOTE_FRAME(*g_call);
  Straight(*g_call);
  HG_STAY;
  return 0;
}
HG_LINK void ThroughLibrary(Call& call) {
  HG_NOTE_FRAME(call);
  g_call = &call;
  const int numbers[1] = {1};
  volatile bool found = std::bsearch(numbers, numbers, 1, sizeof(numbers[0]), Compare) != nullptr;
  found = !found;
}

constexpr Chain kChains[] = {
    {"straight", Straight, true},
    {"recursive", Recursive, true},
    {"recursive hook", RecursiveHook, true},
    {"mutual", Mutual, false},
    {"big frame", BigFrame, true},
    {"dynamic frame", DynamicFrame, true},
    {"realigned frame", RealignedFrame, true},
    {"stack arguments", StackArguments, true},
    {"busy registers", BusyRegisters, true},
    {"through library", ThroughLibrary, false},
};

}  // namespace heapgauge::test::CHAINS_NAMESPACE

namespace heapgauge::test {

extern const ChainSet HG_PASTE(kChains_, CHAINS_NAME);
constinit const ChainSet HG_PASTE(kChains_, CHAINS_NAME){
    HG_TEXT(CHAINS_NAME), CHAINS_KEEP_FRAME_POINTERS,
    std::begin(HG_PASTE(chains_, CHAINS_NAME)::kChains),
    std::end(HG_PASTE(chains_, CHAINS_NAME)::kChains)};

}  // namespace heapgauge::test
