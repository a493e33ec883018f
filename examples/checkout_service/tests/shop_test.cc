#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "cart.h"
#include "catalogue.h"
#include "coupon.h"
#include "leak_meter.h"
#include "lru_cache.h"
#include "receipt.h"
#include "session_store.h"

namespace checkout {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the cache forgets what was used longest ago", "[lru_cache]") {
  LruCache<int> cache(2);
  const auto put = [&](const char* key, int value) {
    return *cache.GetOrMake(key, [&] { return value; });
  };
  put("a", 1);
  put("b", 2);
  CHECK(put("a", 9) == 1);  // a hit makes nothing, and "a" is now the newer one
  put("c", 3);
  CHECK(cache.Get("b") == nullptr);
  CHECK(*cache.Get("a") == 1);
  CHECK(*cache.Get("c") == 3);
  CHECK(cache.Counts().entries == 2);
  CHECK(cache.Counts().evictions == 1);
}

TEST_CASE("a cached value outlives its eviction for who holds it", "[lru_cache]") {
  LruCache<std::string> cache(1);
  const auto held = cache.GetOrMake("a", [] { return std::string("first"); });
  cache.GetOrMake("b", [] { return std::string("second"); });
  CHECK(*held == "first");
}

TEST_CASE("an unused session expires, a used one does not", "[session_store]") {
  SessionStore store(10s);
  const Clock::time_point start = Clock::now();
  const auto idle = store.Create(start);
  const auto busy = store.Create(start);
  REQUIRE(store.Find(busy->id, start + 8s) == busy);
  CHECK(store.Find(idle->id, start + 11s) == nullptr);  // not swept yet, gone all the same
  CHECK(store.size() == 2);
  CHECK(store.Sweep(start + 11s) == 1);
  CHECK(store.size() == 1);
  CHECK(store.Find(busy->id, start + 17s) == busy);
  CHECK(store.expired() == 1);
  CHECK(store.Find("unknown", start) == nullptr);
}

TEST_CASE("a cart adds, removes, refuses what is too much, and prices a coupon", "[cart]") {
  const Catalogue catalogue(100);
  const Product& one = *catalogue.Find("P00001");
  const Product& two = *catalogue.Find("P00002");
  Cart cart;
  CHECK(cart.Add(one, 2));
  CHECK(cart.Add(one, 3));
  CHECK(cart.Add(two, 1));
  CHECK(cart.lines().size() == 2);
  CHECK(cart.SubtotalCents() == 5 * one.price_cents + two.price_cents);
  CHECK_FALSE(cart.Add(one, 0));
  CHECK_FALSE(cart.Add(one, Cart::kMaxQuantity));
  cart.SetCoupon("X", 10);
  CHECK(cart.TotalCents() == cart.SubtotalCents() - cart.SubtotalCents() / 10);
  CHECK(cart.Remove(two.sku));
  CHECK_FALSE(cart.Remove(two.sku));
}

TEST_CASE("only the newest receipts are kept", "[receipt]") {
  const Catalogue catalogue(100);
  Cart cart;
  cart.Add(*catalogue.Find("P00001"), 2);
  ReceiptArchive archive(3);
  for (int i = 0; i < 5; ++i) archive.Issue(cart);
  CHECK(archive.size() == 3);
  CHECK(archive.issued() == 5);
  CHECK(archive.Find(2) == nullptr);
  CHECK(archive.Find(6) == nullptr);
  CHECK(archive.Find(0) == nullptr);
  REQUIRE(archive.Find(3) != nullptr);
  CHECK(archive.Find(3)->number == 3);
  CHECK(archive.Find(5)->text.find("No. 5\n") != std::string::npos);
}

TEST_CASE("coupons are judged by code, date and terms", "[coupon]") {
  CouponBook book(4096);
  CHECK(book.Apply("SPRING10", 30'00).percent == 10);
  CHECK_FALSE(book.Apply("WELCOME5", 1).rejected);
  CHECK(book.Apply("SPRING10", 19'99).rejected == RejectReason::kTermsNotMet);
  CHECK(book.Apply("WELCOME5", 0).rejected == RejectReason::kTermsNotMet);
  CHECK(book.Apply("XMAS12", 30'00).rejected == RejectReason::kExpired);
  CHECK(book.Apply("NONSENSE", 30'00).rejected == RejectReason::kUnknownCode);
}

TEST_CASE("without the defect the audit takes every refused coupon", "[coupon]") {
  CouponBook book(4096);
  for (int i = 0; i < 10; ++i) book.Apply("NONSENSE", 30'00);
  CHECK(book.Audit().waiting == 10);
  CHECK(book.DrainAudit() == 10);
  CHECK(book.Audit().waiting == 0);
  CHECK(book.Audit().unknown_code == 10);
  CHECK(book.Leaked().bytes == 0);
}

TEST_CASE("with the defect every refused coupon leaks, and the count is exact under threads",
          "[coupon]") {
  const Defect defect = GENERATE(Defect::kKept, Defect::kLost);
  CouponBook book(1000);
  CHECK(book.coupon_bytes() == 1024);  // whole rules
  book.SetDefect(defect);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&book] {
      for (int i = 0; i < 250; ++i) {
        book.Apply("NONSENSE", 30'00);
        book.Apply("WELCOME5", 30'00);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(book.DrainAudit() == 0);
  CHECK(book.Leaked().objects == 1000);
  CHECK(book.Leaked().bytes == 1000 * 1024);
  CHECK(book.Audit().accepted == 1000);
  book.SetDefect(Defect::kNone);
  book.Apply("NONSENSE", 30'00);
  CHECK(book.Leaked().objects == 1000);
}

TEST_CASE("the harmless twin keeps a bounded number of refused coupons, and loses none",
          "[coupon]") {
  CouponBook book(1000);
  book.SetDefect(Defect::kBounded);
  for (int i = 0; i < 2000; ++i) book.Apply("NONSENSE", 30'00);
  CHECK(book.Audit().unknown_code == 2000);
  CHECK(book.Remembered() == 128);
  CHECK(book.Leaked().objects == 0);
}

TEST_CASE("defects have names", "[coupon]") {
  for (const Defect defect : {Defect::kNone, Defect::kKept, Defect::kLost, Defect::kBounded}) {
    CHECK(ParseDefect(DefectText(defect)) == defect);
  }
  CHECK(!ParseDefect("on"));
}

TEST_CASE("the leak rate is that between the first and the last object", "[leak_meter]") {
  LeakMeter meter;
  const LeakMeter::Time start{};
  CHECK(meter.Totals(start).bytes_per_s == 0);
  for (int i = 0; i <= 200; ++i) meter.Add(50, start + i * 100ms);  // 500 bytes/s for 20 s
  const LeakTotals totals = meter.Totals(start + 20s);
  CHECK(totals.bytes == 201 * 50);
  CHECK(totals.objects == 201);
  CHECK(totals.seconds == Approx(20));
  CHECK(totals.bytes_per_s == Approx(500));
  CHECK(totals.recent_bytes_per_s == Approx(500));
  // Long after: the rate over its own time stays, the recent one is gone.
  CHECK(meter.Totals(start + 100s).bytes_per_s == Approx(500));
  CHECK(meter.Totals(start + 100s).recent_bytes_per_s == 0);
}

}  // namespace
}  // namespace checkout
