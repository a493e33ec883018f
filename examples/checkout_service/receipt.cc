#include "receipt.h"

#include <utility>

namespace checkout {
namespace {

constexpr size_t kWidth = 56;

void AppendRow(std::string& text, std::string_view left, const std::string& right) {
  text.append(left);
  const size_t used = left.size() + right.size();
  text.append(used < kWidth ? kWidth - used : 1, ' ');
  text.append(right).append("\n");
}

}  // namespace

std::string RenderReceipt(uint64_t number, const Cart& cart) {
  std::string text;
  AppendRow(text, "RECEIPT", "No. " + std::to_string(number));
  text.append(kWidth, '-').append("\n");
  for (const CartLine& line : cart.lines()) {
    const std::string left = std::to_string(line.quantity) + " x " + line.product->name;
    AppendRow(text, left, FormatCents(line.product->price_cents * line.quantity));
  }
  text.append(kWidth, '-').append("\n");
  AppendRow(text, "Subtotal", FormatCents(cart.SubtotalCents()));
  if (cart.DiscountCents() > 0) {
    AppendRow(text, "Coupon " + cart.coupon_code(), "-" + FormatCents(cart.DiscountCents()));
  }
  AppendRow(text, "Total", FormatCents(cart.TotalCents()));
  return text;
}

std::shared_ptr<const Receipt> ReceiptArchive::Issue(const Cart& cart) {
  std::shared_ptr<const Receipt> dropped;  // destroyed after the lock is released
  const absl::MutexLock lock(&mutex_);
  // Rendered under the lock: the number must be on the text, and the text is short.
  auto receipt = std::make_shared<Receipt>();
  receipt->number = ++last_number_;
  receipt->total_cents = cart.TotalCents();
  receipt->text = RenderReceipt(receipt->number, cart);
  kept_.push_back(receipt);
  if (kept_.size() > max_receipts_) {
    dropped = std::move(kept_.front());
    kept_.pop_front();
  }
  return receipt;
}

std::shared_ptr<const Receipt> ReceiptArchive::Find(uint64_t number) const {
  const absl::MutexLock lock(&mutex_);
  if (number == 0 || number > last_number_) return nullptr;
  const uint64_t from_newest = last_number_ - number;
  if (from_newest >= kept_.size()) return nullptr;
  return kept_[kept_.size() - 1 - from_newest];
}

size_t ReceiptArchive::size() const {
  const absl::MutexLock lock(&mutex_);
  return kept_.size();
}

uint64_t ReceiptArchive::issued() const {
  const absl::MutexLock lock(&mutex_);
  return last_number_;
}

}  // namespace checkout
