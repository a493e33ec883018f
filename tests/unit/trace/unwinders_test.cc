// Every unwinder against stacks that are known.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "captures.h"
#include "chains.h"

namespace heapgauge {
namespace {

using test::BeginsWith;
using test::CaptureChain;
using test::Captures;
using test::Chain;
using test::ChainSet;
using test::Contains;
using test::FindChain;

template <typename Check>
void ForEveryChain(Check&& check) {
  for (const ChainSet* const set : test::AllChainSets()) {
    for (const Chain& chain : *set) {
      for (const size_t depth : {0, 1, 20}) {
        INFO(set->name << ", " << chain.name << ", depth " << depth);
        check(*set, chain, CaptureChain(chain, depth));
      }
    }
  }
}

TEST_CASE("libunwind sees the true stack", "[trace]") {
  ForEveryChain([](const ChainSet&, const Chain& chain, const Captures& captures) {
    REQUIRE(captures.count != 0);
    CHECK(captures.dwarf.front() == captures.truth.front());  // the hook's caller
    if (chain.complete) CHECK(BeginsWith(captures.dwarf, captures.truth));
    CHECK(Contains(captures.dwarf, captures.truth));
  });
}

TEST_CASE("auto and the careful walk see what libunwind sees, to the end of the stack", "[trace]") {
  ForEveryChain([](const ChainSet&, const Chain&, const Captures& captures) {
    CHECK(captures.automatic == captures.dwarf);
    CHECK(captures.careful == captures.dwarf);
  });
}

#if defined(__x86_64__)
TEST_CASE("libunwind, asked step by step behind the careful walk, goes the same way", "[trace]") {
  ForEveryChain([](const ChainSet&, const Chain&, const Captures& captures) {
    REQUIRE(captures.libunwind_loaded);
    CHECK(captures.libunwind_agrees);
  });
}
#endif

TEST_CASE("the tables alone suffice for all but realigned frames", "[trace]") {
  ForEveryChain([](const ChainSet&, const Chain& chain, const Captures& captures) {
    if (chain.name == std::string("realigned frame")) return;
    CHECK(captures.by_tables);
  });
}

TEST_CASE("frame pointers see the true stack where every function keeps one", "[trace]") {
  ForEveryChain([](const ChainSet& set, const Chain& chain, const Captures& captures) {
    if (!set.frame_pointers || !chain.complete) return;
    CHECK(BeginsWith(captures.frame_pointers, captures.truth));
  });
}

TEST_CASE("frame pointers do no harm where functions keep none", "[trace]") {
  ForEveryChain([](const ChainSet& set, const Chain&, const Captures& captures) {
    if (set.frame_pointers) return;
    REQUIRE_FALSE(captures.frame_pointers.empty());
    CHECK(captures.frame_pointers.front() == captures.truth.front());
    CHECK(captures.frame_pointers.size() <= captures.max_frames);
  });
}

TEST_CASE("mixed flags: a chain without frame pointers called by one with them", "[trace]") {
  struct Outer {
    Captures captures;
    const Chain* inner;
  };
  for (const ChainSet* const outer_set : test::AllChainSets()) {
    for (const ChainSet* const inner_set : test::AllChainSets()) {
      INFO(inner_set->name << " called by " << outer_set->name);
      Outer outer{{}, &FindChain(*inner_set, "big frame")};
      test::Call call;
      call.context = &outer;
      call.hook = [](test::Call& outward) {
        Outer& at = *static_cast<Outer*>(outward.context);
        at.captures = CaptureChain(*at.inner);
        test::Frames between(outward.shadow.frames.rbegin(), outward.shadow.frames.rend());
        at.captures.truth.insert(at.captures.truth.end(), between.begin(), between.end());
      };
      FindChain(*outer_set, "busy registers").run(call);
      CHECK(Contains(outer.captures.dwarf, outer.captures.truth));
      CHECK(outer.captures.automatic == outer.captures.dwarf);
    }
  }
}

}  // namespace
}  // namespace heapgauge
