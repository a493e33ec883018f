#include "report/text_held.h"

#include <catch2/catch.hpp>

#include "report/json_reader.h"
#include "report/json_writer.h"

namespace heapgauge {
namespace {

Held SampleOfHeld() {
  Held held;
  held.time = "2026-11-29T02:14:07Z";
  held.checked_objects = 41;
  held.checked_bytes = 41 * 4096;
  held.whole = true;
  return held;
}

TEST_CASE("what is lost, in a sentence", "[report]") {
  Held held = SampleOfHeld();
  held.lost_objects = 41;
  held.lost_share = 1;
  CHECK(HeldSentence(held) == "nothing points to 41 of 41 of them any more: they are lost");
}

TEST_CASE("who holds it, in a sentence", "[report]") {
  Held held = SampleOfHeld();
  Holder holder;
  holder.kind = "global";
  holder.name = "g_sessions";
  holder.module = "/usr/bin/checkout_service";
  holder.section = ".bss";
  holder.objects = 37;
  held.holders = {holder};
  CHECK(HeldSentence(held) == "kept in g_sessions (checkout_service .bss), 37 of 41");
  held.holders[0].path = {"a block of 64 B", "a block of 512 B"};
  held.lost_objects = 4;
  CHECK(HeldSentence(held) ==
        "nothing points to 4 of 41 of them any more: they are lost; kept in g_sessions "
        "(checkout_service .bss) through a block of 64 B -> a block of 512 B, 37 of 41");
  held.lost_objects = 0;
  held.holders[0].kind = "stack";
  held.holders[0].name = "main\x1b[31m";
  held.holders[0].path.assign(4, "a block of 64 B");
  const std::string text = HeldSentence(held);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("through 4 or more blocks") != std::string::npos);
}

TEST_CASE("a holder that debug information knows is named down to what it is", "[report]") {
  Held held = SampleOfHeld();
  Holder holder;
  holder.kind = "stack";
  holder.name = "main";
  holder.objects = 40;
  holder.path = {"service.shop_.waiting_", "std::deque in CouponBook", "a block of 520 B"};
  held.holders = {holder};
  CHECK(HeldSentence(held) ==
        "kept in std::deque in CouponBook, from main's stack through a block of 520 B, 40 of 41");
  held.holders[0].name = "worker (7)";
  held.holders[0].path = {"waiting", "std::list"};
  CHECK(HeldSentence(held) == "kept in std::list, from the stack of thread worker (7), 40 of 41");
  held.holders[0].path = {"seats", "absl::flat_hash_map"};
  CHECK(HeldSentence(held) ==
        "kept in absl::flat_hash_map, from the stack of thread worker (7), 40 of 41");
  held.holders[0].path = {"seats", "shop::Seat (64 B)"};
  CHECK(HeldSentence(held) ==
        "kept from the stack of thread worker (7) through seats -> shop::Seat (64 B), 40 of 41");
  held.holders[0].path = {"array[]", "shop::Session (24 B)"};
  CHECK(
      HeldSentence(held) ==
      "kept from the stack of thread worker (7) through array[] -> shop::Session (24 B), 40 of 41");
  held.holders[0].kind = "global";
  held.holders[0].name = "g_shop";
  held.holders[0].module = "/usr/bin/shop";
  held.holders[0].section = ".bss";
  held.holders[0].path = {"g_shop.sessions", "std::map in Shop"};
  CHECK(HeldSentence(held) == "kept in std::map in Shop, from g_shop (shop .bss), 40 of 41");
}

TEST_CASE("rings are told, and whether they are proven", "[report]") {
  Held held = SampleOfHeld();
  held.holders.clear();
  held.lost_objects = 41;
  Ring ring;
  ring.members = {"2 x std::shared_ptr<shop::Node>"};
  ring.proven = true;
  held.rings = {ring};
  CHECK(HeldSentence(held).find("they hold each other, as the counts of their owners prove: 2 x "
                                "std::shared_ptr<shop::Node>") != std::string::npos);
  held.rings[0].proven = false;
  CHECK(HeldSentence(held).find("they point to each other: 2 x") != std::string::npos);
}

TEST_CASE("a sentence says what was not known", "[report]") {
  Held held = SampleOfHeld();
  held.whole = false;
  held.holders = {Holder()};
  held.holders[0].objects = 41;
  const std::string text = HeldSentence(held);
  CHECK(text.find("memory that nothing is known of, 41 of 41") != std::string::npos);
  CHECK(text.find("only what points to them directly") != std::string::npos);
  CHECK(HeldSentence(Held()).empty());
}

TEST_CASE("who holds it comes back from JSON as it was", "[report]") {
  Report report;
  report.callsites.emplace_back().sum.frames.Edit().emplace_back();
  report.callsites.emplace_back().sum.frames.Edit().emplace_back();
  Held held = SampleOfHeld();
  held.lost_objects = 3;
  held.lost_share = 0.25;
  held.lost_low = 0.125;
  held.lost_high = 0.5;
  held.holders.emplace_back().module = "/bin/x";
  held.holders.back().path = {"a block of 64 B"};
  held.holders.emplace_back().site = "0123456789abcdef";
  held.rings.emplace_back().members = {"A", "B"};
  held.rings.back().proven = true;
  report.callsites[1].held = held;
  std::string error;
  const auto back = FromJson(ToJson(report), &error);
  REQUIRE(back);
  CHECK_FALSE(back->callsites[0].held);
  REQUIRE(back->callsites[1].held);
  CHECK(*back->callsites[1].held == held);
}

}  // namespace
}  // namespace heapgauge
