#include <httplib.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "routes.h"
#include "shop.h"

namespace checkout {
namespace {

using httplib::Request;
using httplib::Response;
using nlohmann::json;

void Reply(Response& response, int status, const json& body) {
  response.status = status;
  response.set_content(body.dump(), "application/json");
}

void Refuse(Response& response, int status, std::string_view why) {
  Reply(response, status, json{{"error", why}});
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A query parameter as a number in [0, max]; `fallback` when it isn't there, nothing when it is no
// such number.
std::optional<uint64_t> NumberParam(const Request& request, const char* name, uint64_t fallback,
                                    uint64_t max) {
  if (!request.has_param(name)) return fallback;
  const auto value = ParseNumber(request.get_param_value(name));
  return value && *value <= max ? value : std::nullopt;
}

// The session named in the path; a 404 is written when there is none.
std::shared_ptr<Session> FindSession(Shop& shop, const Request& request, Response& response) {
  auto session = shop.sessions.Find(request.matches[1].str(), Clock::now());
  if (!session) Refuse(response, 404, "no such session, or it has expired");
  return session;
}

json CartJson(const Cart& cart) {
  json lines = json::array();
  for (const CartLine& line : cart.lines()) {
    lines.push_back({{"sku", line.product->sku},
                     {"name", line.product->name},
                     {"quantity", line.quantity},
                     {"price", FormatCents(line.product->price_cents * line.quantity)}});
  }
  return {{"lines", std::move(lines)},
          {"coupon", cart.coupon_code()},
          {"subtotal", FormatCents(cart.SubtotalCents())},
          {"discount", FormatCents(cart.DiscountCents())},
          {"total", FormatCents(cart.TotalCents())}};
}

void NewSession(Shop& shop, const Request&, Response& response) {
  const auto session = shop.sessions.Create(Clock::now());
  if (!session) return Refuse(response, 503, "too many sessions");
  Reply(response, 201, {{"session", session->id}});
}

void CategoryPage(Shop& shop, const Request& request, Response& response) {
  const std::string category = request.matches[1];
  const size_t page_count = shop.catalogue.PageCount(category);
  if (page_count == 0) return Refuse(response, 404, "no such category");
  const auto page = NumberParam(request, "page", 0, page_count - 1);
  if (!page) return Refuse(response, 400, "no such page");
  const auto html = shop.pages.GetOrMake(category + "/" + std::to_string(*page), [&] {
    return shop.catalogue.RenderPage(category, *page);
  });
  response.set_content(*html, "text/html; charset=utf-8");
}

void PriceQuote(Shop& shop, const Request& request, Response& response) {
  const Product* const product = shop.catalogue.Find(request.matches[1].str());
  if (product == nullptr) return Refuse(response, 404, "no such product");
  const auto quantity = NumberParam(request, "quantity", 1, Cart::kMaxQuantity);
  if (!quantity || *quantity == 0) return Refuse(response, 400, "quantity must be 1 to 999");
  const std::string country =
      request.has_param("country") ? request.get_param_value("country") : "DE";
  if (country.size() != 2) return Refuse(response, 400, "country must be a two-letter code");
  const std::string key = product->sku + ":" + std::to_string(*quantity) + ":" + country;
  const auto text = shop.quotes.GetOrMake(key, [&] {
    const Quote quote = MakeQuote(*product, static_cast<int>(*quantity), country);
    return json{{"sku", product->sku},
                {"name", product->name},
                {"goods", FormatCents(quote.goods_cents)},
                {"discount", FormatCents(quote.discount_cents)},
                {"shipping", FormatCents(quote.shipping_cents)},
                {"tax", FormatCents(quote.tax_cents)},
                {"total", FormatCents(quote.total_cents)}}
        .dump();
  });
  if (const std::string id = request.get_header_value("X-Session"); !id.empty()) {
    if (const auto session = shop.sessions.Find(id, Clock::now())) {
      const absl::MutexLock lock(&session->mutex);
      session->viewed.push_back(product->sku);
      if (session->viewed.size() > Session::kMaxViewed) session->viewed.pop_front();
    }
  }
  response.set_content(*text, "application/json");
}

void ShowCart(Shop& shop, const Request& request, Response& response) {
  const auto session = FindSession(shop, request, response);
  if (!session) return;
  const absl::MutexLock lock(&session->mutex);
  Reply(response, 200, CartJson(session->cart));
}

void AddToCart(Shop& shop, const Request& request, Response& response) {
  const auto session = FindSession(shop, request, response);
  if (!session) return;
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("sku") || !body["sku"].is_string()) {
    return Refuse(response, 400, "expected {\"sku\": \"...\", \"quantity\": 1}");
  }
  const Product* const product = shop.catalogue.Find(body["sku"].get_ref<const std::string&>());
  if (product == nullptr) return Refuse(response, 404, "no such product");
  const auto quantity = body.find("quantity");
  if (quantity != body.end() && !quantity->is_number_integer()) {
    return Refuse(response, 400, "quantity must be a whole number");
  }
  const int64_t pieces = quantity == body.end() ? 1 : quantity->get<int64_t>();
  if (pieces < 1 || pieces > Cart::kMaxQuantity) {
    return Refuse(response, 400, "quantity must be 1 to 999");
  }
  const absl::MutexLock lock(&session->mutex);
  if (!session->cart.Add(*product, static_cast<int>(pieces))) {
    return Refuse(response, 409, "the cart is full");
  }
  Reply(response, 200, CartJson(session->cart));
}

void RemoveFromCart(Shop& shop, const Request& request, Response& response) {
  const auto session = FindSession(shop, request, response);
  if (!session) return;
  const absl::MutexLock lock(&session->mutex);
  if (!session->cart.Remove(request.matches[2].str())) {
    return Refuse(response, 404, "not in the cart");
  }
  Reply(response, 200, CartJson(session->cart));
}

void ApplyCoupon(Shop& shop, const Request& request, Response& response) {
  const auto session = FindSession(shop, request, response);
  if (!session) return;
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("code") || !body["code"].is_string()) {
    return Refuse(response, 400, "expected {\"code\": \"...\"}");
  }
  const std::string& code = body["code"].get_ref<const std::string&>();
  const absl::MutexLock lock(&session->mutex);
  const CouponReply reply = shop.coupons.Apply(code, session->cart.SubtotalCents());
  if (reply.rejected) return Refuse(response, 422, RejectReasonText(*reply.rejected));
  session->cart.SetCoupon(code, reply.percent);
  Reply(response, 200, CartJson(session->cart));
}

void Checkout(Shop& shop, const Request& request, Response& response) {
  const auto session = FindSession(shop, request, response);
  if (!session) return;
  const absl::MutexLock lock(&session->mutex);
  if (session->cart.empty()) return Refuse(response, 409, "the cart is empty");
  const auto receipt = shop.receipts.Issue(session->cart);
  session->cart.Clear();
  Reply(response, 201,
        {{"receipt", receipt->number}, {"total", FormatCents(receipt->total_cents)}});
}

void ShowReceipt(Shop& shop, const Request& request, Response& response) {
  const auto number = ParseNumber(request.matches[1].str());
  const auto receipt = number ? shop.receipts.Find(*number) : nullptr;
  if (!receipt) return Refuse(response, 404, "no such receipt, or it is no longer kept");
  response.set_content(receipt->text, "text/plain; charset=utf-8");
}

using Action = void (*)(Shop&, const Request&, Response&);

httplib::Server::Handler With(Shop& shop, Action action) {
  return [&shop, action](const Request& request, Response& response) {
    action(shop, request, response);
  };
}

}  // namespace

void AddShopRoutes(httplib::Server& server, Shop& shop) {
  // The routes are tried in this order, each a regular expression; the frequent ones come first.
  server.Get(R"(/products/([A-Z0-9]{1,16})/price)", With(shop, PriceQuote));
  server.Get(R"(/categories/([a-z]{1,16}))", With(shop, CategoryPage));
  server.Get(R"(/sessions/([0-9a-f]{32})/cart)", With(shop, ShowCart));
  server.Get(R"(/receipts/([0-9]{1,19}))", With(shop, ShowReceipt));
  server.Post(R"(/sessions/([0-9a-f]{32})/cart)", With(shop, AddToCart));
  server.Post(R"(/sessions/([0-9a-f]{32})/coupon)", With(shop, ApplyCoupon));
  server.Post(R"(/sessions/([0-9a-f]{32})/checkout)", With(shop, Checkout));
  server.Post("/sessions", With(shop, NewSession));
  server.Delete(R"(/sessions/([0-9a-f]{32})/cart/([A-Z0-9]{1,16}))", With(shop, RemoveFromCart));
}

}  // namespace checkout
