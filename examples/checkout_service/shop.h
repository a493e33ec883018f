// Everything the service knows, without the network: one object, shared by all request threads.
#ifndef CHECKOUT_SERVICE_SHOP_H
#define CHECKOUT_SERVICE_SHOP_H

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "catalogue.h"
#include "coupon.h"
#include "lru_cache.h"
#include "options.h"
#include "receipt.h"
#include "session_store.h"

namespace checkout {

// Threads: each member keeps its own rules; nothing is locked across two of them, except a session
// while its cart is checked out (session, then receipts or coupons).
struct Shop final {
  explicit Shop(const ServiceOptions& options)
      : catalogue(options.products),
        sessions(options.session_ttl),
        coupons(options.coupon_bytes),
        receipts(options.receipts),
        pages(options.cache_entries),
        quotes(options.cache_entries),
        defect(options.defect == Defect::kNone ? Defect::kKept : options.defect) {
    coupons.SetDefect(options.defect);
  }

  const Catalogue catalogue;
  SessionStore sessions;
  CouponBook coupons;
  ReceiptArchive receipts;
  LruCache<std::string> pages;   // rendered HTML
  LruCache<std::string> quotes;  // rendered JSON
  const Defect defect;           // the one that is switched on and off
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> errors{0};  // answered with 5xx
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_SHOP_H
