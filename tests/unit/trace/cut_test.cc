// Where a stack begins and where it ends.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>

#include "captures.h"
#include "chains.h"

namespace heapgauge {
namespace {

using test::BeginsWith;
using test::CaptureChain;
using test::Captures;
using test::ChainSet;
using test::FindChain;
using test::Frames;

void* Address(uintptr_t address) { return reinterpret_cast<void*>(address); }

StackTrace TraceOf(const Frames& frames) {
  StackTrace trace;
  trace.depth = frames.size();
  std::copy(frames.begin(), frames.end(), trace.frames);
  return trace;
}

Frames Cut(const Frames& frames, size_t max_frames, uintptr_t caller) {
  StackTrace trace = TraceOf(frames);
  CutAtCaller(trace, max_frames, Address(caller));
  return Frames(trace.frames, trace.frames + trace.depth);
}

TEST_CASE("what lies inside of the caller is cut off", "[trace]") {
  CHECK(Cut({1, 2, 3, 4}, 64, 3) == Frames{3, 4});
  CHECK(Cut({1, 2, 3, 4}, 64, 1) == Frames{1, 2, 3, 4});
  CHECK(Cut({1, 2, 3, 4}, 64, 4) == Frames{4});
  CHECK(Cut({1, 2, 3, 4}, 2, 2) == Frames{2, 3});
}

TEST_CASE("the innermost of equal callers is the hook's", "[trace]") {
  CHECK(Cut({1, 7, 7, 7, 8}, 64, 7) == Frames{7, 7, 7, 8});
}

TEST_CASE("a caller that is not on the stack is all that is kept", "[trace]") {
  CHECK(Cut({1, 2, 3}, 64, 9) == Frames{9});
  CHECK(Cut({}, 64, 9) == Frames{9});
}

TEST_CASE("no unwinder exceeds max_frames, and all fill them", "[trace]") {
  for (const ChainSet* const set : test::AllChainSets()) {
    for (const size_t max_frames : {size_t{1}, size_t{2}, size_t{5}, size_t{64}, kMaxFrames}) {
      INFO(set->name << ", " << max_frames << " frames");
      const Captures captures = CaptureChain(FindChain(*set, "recursive"), 1000, max_frames);
      CHECK(captures.dwarf.size() == max_frames);
      CHECK(BeginsWith(captures.dwarf, captures.truth, max_frames));
      CHECK(captures.automatic == captures.dwarf);
      CHECK(captures.frame_pointers.size() <= max_frames);
      if (set->frame_pointers) CHECK(captures.frame_pointers == captures.dwarf);
    }
  }
}

TEST_CASE("a caller whose address is on the stack many times is cut at the innermost", "[trace]") {
  for (const ChainSet* const set : test::AllChainSets()) {
    INFO(set->name);
    const Captures captures = CaptureChain(FindChain(*set, "recursive hook"), 30);
    CHECK(std::count(captures.truth.begin(), captures.truth.end(), captures.truth[0]) == 31);
    CHECK(BeginsWith(captures.dwarf, captures.truth));
    CHECK(captures.automatic == captures.dwarf);
  }
}

}  // namespace
}  // namespace heapgauge
