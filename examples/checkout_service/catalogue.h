// What the shop sells and what it costs.
//
// Built once at start, immutable after: readers need no lock.  Money is integer cents throughout.
#ifndef CHECKOUT_SERVICE_CATALOGUE_H
#define CHECKOUT_SERVICE_CATALOGUE_H

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace checkout {

struct Product {
  std::string sku;
  std::string name;
  std::string category;
  int64_t price_cents = 0;
  int weight_g = 0;
};

// The price of `quantity` pieces delivered to `country`.
struct Quote {
  int64_t goods_cents = 0;     // after the quantity discount
  int64_t discount_cents = 0;  // what the quantity discount took off
  int64_t shipping_cents = 0;
  int64_t tax_cents = 0;
  int64_t total_cents = 0;
};

class Catalogue final {
 public:
  static constexpr size_t kProductsPerPage = 20;

  // The same count makes the same products in every run, so that a load can be replayed.
  explicit Catalogue(size_t product_count);
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  const Product* Find(std::string_view sku) const;
  size_t size() const { return products_.size(); }
  size_t PageCount(std::string_view category) const;

  // An HTML page of one category.  `page` counts from 0; past the end the list is empty.
  std::string RenderPage(std::string_view category, size_t page) const;

 private:
  std::vector<Product> products_;
  absl::flat_hash_map<std::string_view, size_t> by_sku_;  // views into products_
  absl::flat_hash_map<std::string_view, std::vector<size_t>> by_category_;
};

// An unknown country is quoted as an export: without tax.
Quote MakeQuote(const Product& product, int quantity, std::string_view country);

// "12.34"
std::string FormatCents(int64_t cents);

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_CATALOGUE_H
