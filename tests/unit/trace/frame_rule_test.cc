#include "trace/frame_rule.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>

#include "trace/cfi_reader.h"

namespace heapgauge {
namespace {

uintptr_t AddressIn(void (*function)()) { return reinterpret_cast<uintptr_t>(function) + 1; }

TEST_CASE("a rule's parts survive their word", "[trace]") {
  for (const bool from_frame_pointer : {false, true}) {
    for (const int32_t cfa : {8, 16, 4096, std::numeric_limits<int32_t>::max()}) {
      for (const int16_t frame : {0, -16, -4096, static_cast<int>(INT16_MIN)}) {
        const uint16_t returns = frame == 0 ? 1 : FrameRule::kMostReturnWords;
        const FrameRule rule(FrameRule::Step(from_frame_pointer, cfa, frame, returns).word());
        CHECK(rule.kind() == FrameRule::kStep);
        CHECK(rule.from_frame_pointer() == from_frame_pointer);
        CHECK(rule.cfa_offset() == cfa);
        CHECK(rule.frame_offset() == frame);
        CHECK_FALSE(rule.is_guess());
#if defined(__x86_64__)
        CHECK(rule.return_offset() == -8);
#else
        CHECK(rule.return_offset() == -8 * returns);
#endif
      }
    }
  }
  CHECK(FrameRule().kind() == FrameRule::kUnusable);
  CHECK(FrameRule::End().kind() == FrameRule::kEnd);
}

TEST_CASE("code outside every module is taken to keep a frame pointer", "[trace]") {
  const std::unique_ptr<int> outside(new int);
  const FrameRule rule = FindFrameRule(reinterpret_cast<uintptr_t>(outside.get()));
  CHECK(rule.kind() == FrameRule::kStep);
  CHECK(rule.from_frame_pointer());
  CHECK(rule.cfa_offset() == 16);
  CHECK(rule.frame_offset() == -16);
  CHECK(rule.return_offset() == -8);
  CHECK(rule.is_guess());
}

TEST_CASE("tables that are not there or not understood give no rule", "[trace]") {
  const unsigned char other_version[64] = {9};
  TableMemory other_memory(other_version, other_version + sizeof other_version);
  CHECK(ReadFrameRule(other_memory, nullptr, 1234).kind() == FrameRule::kUnusable);
  CHECK(ReadFrameRule(other_memory, other_version, 1234).kind() == FrameRule::kUnusable);
  // Right encodings, no entries.
  const unsigned char empty[64] = {1, 0x1B, 0x03, 0x3B};
  TableMemory empty_memory(empty, empty + sizeof empty);
  CHECK(ReadFrameRule(empty_memory, empty, reinterpret_cast<uintptr_t>(empty) + 100).kind() ==
        FrameRule::kUnusable);
}

TEST_CASE("the cache answers as the tables do, the first time and later, also when cleared",
          "[trace]") {
  const auto cache = std::make_unique<FrameRuleCache>();
  // More addresses than entries: some push each other out.
  const uintptr_t base = AddressIn([] { std::abort(); });
  const uintptr_t libc = reinterpret_cast<uintptr_t>(&std::qsort);
  for (int round = 0; round < 3; ++round) {
    for (uintptr_t step = 0; step < 20'000; step += 7) {
      for (const uintptr_t address : {base + step, libc + step}) {
        const uint64_t expected = FindFrameRule(address).word();
        if (cache->Get(address).word() != expected || cache->Get(address).word() != expected) {
          FAIL("another rule at " << address);
        }
      }
    }
    if (round == 1) cache->Clear();
  }
  CHECK(cache->Get(base).word() == FindFrameRule(base).word());
}

}  // namespace
}  // namespace heapgauge
