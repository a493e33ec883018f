#include "catalogue.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

namespace checkout {
namespace {

constexpr std::array<std::string_view, 8> kCategories = {"kitchen", "garden", "books",   "toys",
                                                         "tools",   "office", "outdoor", "music"};
constexpr std::array<std::string_view, 10> kMaterials = {
    "Oak", "Steel", "Linen", "Copper", "Glass", "Bamboo", "Cotton", "Slate", "Leather", "Paper"};
constexpr std::array<std::string_view, 12> kThings = {"Tray",   "Lamp",  "Box",  "Stand",
                                                      "Bowl",   "Frame", "Case", "Rack",
                                                      "Folder", "Kit",   "Hook", "Mat"};

constexpr std::array<std::pair<std::string_view, int>, 6> kTaxPercent = {
    {{"DE", 19}, {"FR", 20}, {"IT", 22}, {"ES", 21}, {"NL", 21}, {"AT", 20}}};

int TaxPercent(std::string_view country) {
  for (const auto& [code, percent] : kTaxPercent) {
    if (code == country) return percent;
  }
  return 0;
}

int QuantityDiscountPercent(int quantity) {
  if (quantity >= 100) return 12;
  if (quantity >= 25) return 7;
  return quantity >= 10 ? 3 : 0;
}

int64_t Percent(int64_t cents, int percent) { return (cents * percent + 50) / 100; }

std::string Sku(size_t index) {
  std::string digits = std::to_string(index);
  return "P" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

}  // namespace

Catalogue::Catalogue(size_t product_count) {
  std::mt19937 random(20240611);  // fixed: see the header
  products_.reserve(product_count);
  for (size_t i = 0; i < product_count; ++i) {
    Product product;
    product.sku = Sku(i);
    product.category = kCategories[i % kCategories.size()];
    product.name.append(kMaterials[random() % kMaterials.size()]);
    product.name.append(" ").append(kThings[random() % kThings.size()]);
    product.name.append(" No. ").append(std::to_string(i));
    product.price_cents = 199 + static_cast<int64_t>(random() % 20000);
    product.weight_g = 50 + static_cast<int>(random() % 4000);
    products_.push_back(std::move(product));
  }
  // Only now: the views point into products_, which no longer moves.
  for (size_t i = 0; i < products_.size(); ++i) {
    by_sku_.emplace(products_[i].sku, i);
    by_category_[products_[i].category].push_back(i);
  }
}

const Product* Catalogue::Find(std::string_view sku) const {
  const auto found = by_sku_.find(sku);
  return found == by_sku_.end() ? nullptr : &products_[found->second];
}

size_t Catalogue::PageCount(std::string_view category) const {
  const auto found = by_category_.find(category);
  if (found == by_category_.end()) return 0;
  return (found->second.size() + kProductsPerPage - 1) / kProductsPerPage;
}

std::string Catalogue::RenderPage(std::string_view category, size_t page) const {
  std::string html = "<!doctype html><html><head><title>";
  html.append(category).append("</title></head><body><table>\n");
  if (const auto found = by_category_.find(category); found != by_category_.end()) {
    const std::vector<size_t>& indexes = found->second;
    const size_t first = std::min(page * kProductsPerPage, indexes.size());
    const size_t last = std::min(first + kProductsPerPage, indexes.size());
    for (size_t i = first; i < last; ++i) {
      const Product& product = products_[indexes[i]];
      html.append("<tr><td><a href=\"/products/").append(product.sku).append("/price\">");
      html.append(product.name).append("</a></td><td>");
      html.append(FormatCents(product.price_cents)).append("</td></tr>\n");
    }
  }
  html.append("</table></body></html>\n");
  return html;
}

Quote MakeQuote(const Product& product, int quantity, std::string_view country) {
  Quote quote;
  const int64_t list_cents = product.price_cents * quantity;
  quote.discount_cents = Percent(list_cents, QuantityDiscountPercent(quantity));
  quote.goods_cents = list_cents - quote.discount_cents;
  const int64_t kilos = (static_cast<int64_t>(product.weight_g) * quantity + 999) / 1000;
  quote.shipping_cents = 390 + 60 * kilos;
  quote.tax_cents = Percent(quote.goods_cents + quote.shipping_cents, TaxPercent(country));
  quote.total_cents = quote.goods_cents + quote.shipping_cents + quote.tax_cents;
  return quote;
}

std::string FormatCents(int64_t cents) {
  const int64_t whole = cents / 100;
  const int64_t rest = cents % 100;
  std::string text = std::to_string(whole);
  text.push_back('.');
  text.push_back(static_cast<char>('0' + rest / 10));
  text.push_back(static_cast<char>('0' + rest % 10));
  return text;
}

}  // namespace checkout
