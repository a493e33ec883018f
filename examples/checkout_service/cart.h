// What one customer is about to buy.  Not thread-safe: the session that owns the cart locks it.
#ifndef CHECKOUT_SERVICE_CART_H
#define CHECKOUT_SERVICE_CART_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue.h"

namespace checkout {

struct CartLine {
  const Product* product = nullptr;  // owned by the catalogue, which outlives every cart
  int quantity = 0;
};

class Cart final {
 public:
  static constexpr size_t kMaxLines = 50;
  static constexpr int kMaxQuantity = 999;

  // Adds to a line that is there already.  False, and nothing changed, when the cart or the line is
  // full.
  bool Add(const Product& product, int quantity);

  // False when the product isn't in the cart.
  bool Remove(std::string_view sku);

  void SetCoupon(std::string_view code, int percent);
  void Clear();

  bool empty() const { return lines_.empty(); }
  const std::vector<CartLine>& lines() const { return lines_; }
  const std::string& coupon_code() const { return coupon_code_; }

  int64_t SubtotalCents() const;
  int64_t DiscountCents() const;  // what the coupon takes off
  int64_t TotalCents() const { return SubtotalCents() - DiscountCents(); }

 private:
  std::vector<CartLine> lines_;
  std::string coupon_code_;
  int coupon_percent_ = 0;
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_CART_H
