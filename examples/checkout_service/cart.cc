#include "cart.h"

#include <algorithm>

namespace checkout {

bool Cart::Add(const Product& product, int quantity) {
  if (quantity < 1 || quantity > kMaxQuantity) return false;
  const auto line = std::find_if(lines_.begin(), lines_.end(),
                                 [&](const CartLine& l) { return l.product == &product; });
  if (line == lines_.end()) {
    if (lines_.size() >= kMaxLines) return false;
    lines_.push_back(CartLine{&product, quantity});
    return true;
  }
  if (line->quantity + quantity > kMaxQuantity) return false;
  line->quantity += quantity;
  return true;
}

bool Cart::Remove(std::string_view sku) {
  const auto line = std::find_if(lines_.begin(), lines_.end(),
                                 [&](const CartLine& l) { return l.product->sku == sku; });
  if (line == lines_.end()) return false;
  lines_.erase(line);
  return true;
}

void Cart::SetCoupon(std::string_view code, int percent) {
  coupon_code_ = code;
  coupon_percent_ = percent;
}

void Cart::Clear() {
  lines_.clear();
  lines_.shrink_to_fit();  // an idle session should hold nothing
  coupon_code_.clear();
  coupon_percent_ = 0;
}

int64_t Cart::SubtotalCents() const {
  int64_t cents = 0;
  for (const CartLine& line : lines_) cents += line.product->price_cents * line.quantity;
  return cents;
}

int64_t Cart::DiscountCents() const { return SubtotalCents() * coupon_percent_ / 100; }

}  // namespace checkout
