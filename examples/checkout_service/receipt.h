// Receipts: rendered once at checkout, kept for a bounded number of checkouts.
#ifndef CHECKOUT_SERVICE_RECEIPT_H
#define CHECKOUT_SERVICE_RECEIPT_H

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "cart.h"

namespace checkout {

struct Receipt {
  uint64_t number = 0;
  int64_t total_cents = 0;
  std::string text;
};

// Threads: any thread; one mutex.  Bound: the oldest receipt goes when max_receipts are kept.
class ReceiptArchive final {
 public:
  explicit ReceiptArchive(size_t max_receipts) : max_receipts_(max_receipts) {}
  ReceiptArchive(const ReceiptArchive&) = delete;
  ReceiptArchive& operator=(const ReceiptArchive&) = delete;

  // Renders, numbers and keeps the receipt for a cart that the caller has locked.
  std::shared_ptr<const Receipt> Issue(const Cart& cart);

  // nullptr when the number was never issued or is no longer kept.
  std::shared_ptr<const Receipt> Find(uint64_t number) const;

  size_t size() const;
  uint64_t issued() const;

 private:
  const size_t max_receipts_;
  mutable absl::Mutex mutex_;
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  // Numbers are consecutive, so a receipt's place follows from its number: the newest is at the
  // back.
  std::deque<std::shared_ptr<const Receipt>> kept_ ABSL_GUARDED_BY(mutex_);
};

// The text a customer gets.
std::string RenderReceipt(uint64_t number, const Cart& cart);

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_RECEIPT_H
