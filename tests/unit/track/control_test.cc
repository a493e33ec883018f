#include <catch2/catch.hpp>
#include <cstdint>

#include "core_api/core_api.h"
#include "support/thread_gun.h"

namespace heapgauge {
namespace {

constexpr uintptr_t kPage = 0x7f00'1234'5000;

TEST_CASE("recognisable are blocks at the start of 4 KiB and 16 bytes behind it", "[track]") {
  for (uintptr_t offset = 0; offset < 4096; ++offset) {
    CHECK(Control::Recognisable(kPage + offset) == (offset == 0 || offset == 16));
  }
}

TEST_CASE("free looks up recognisable blocks alone, and all while there is a reason", "[track]") {
  Control control;
  for (int round = 0; round < 3; ++round) {
    CHECK(control.MayBeSampled(kPage));
    CHECK(control.MayBeSampled(kPage + 16));
    CHECK_FALSE(control.MayBeSampled(kPage + 32));
    control.AddReason();
    CHECK(control.MayBeSampled(kPage + 32));
    control.AddReason();
    control.RemoveReason();
    CHECK(control.MayBeSampled(kPage + 48));  // one is left
    control.RemoveReason();
    CHECK_FALSE(control.MayBeSampled(kPage + 48));
  }
}

TEST_CASE("a reason that comes while another goes is not overlooked", "[track]") {
  Control control;
  std::atomic<bool> overlooked{false};
  test::ThreadGun(4).Fire([&](size_t) {
    for (int i = 0; i < 20'000; ++i) {
      control.AddReason();
      if (!control.MayBeSampled(kPage + 32)) overlooked = true;
      control.RemoveReason();
    }
  });
  CHECK_FALSE(overlooked);
  CHECK_FALSE(control.MayBeSampled(kPage + 32));
  CHECK(control.free_word == Control::kAlignedMask);
}

}  // namespace
}  // namespace heapgauge
