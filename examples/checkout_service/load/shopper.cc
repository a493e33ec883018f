#include "shopper.h"

#include <array>
#include <nlohmann/json.hpp>

namespace checkout::load {
namespace {

using Method = RequestToSend::Method;

constexpr std::array<const char*, 8> kCategories = {"kitchen", "garden", "books",   "toys",
                                                    "tools",   "office", "outdoor", "music"};
constexpr std::array<const char*, 6> kCountries = {"DE", "FR", "IT", "ES", "NL", "AT"};
constexpr std::array<const char*, 3> kExpiredCodes = {"SUMMER19", "XMAS12", "EASTER8"};

std::string Sku(uint64_t index) {
  const std::string digits = std::to_string(index);
  return "P" + std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

std::string StringField(std::string_view body, const char* name) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains(name)) return "";
  const auto& field = json[name];
  return field.is_string() ? field.get<std::string>() : field.dump();
}

}  // namespace

Shopper::Shopper(uint64_t seed, size_t product_count)
    : random_(seed), product_count_(product_count) {}

RequestToSend Shopper::Next(double bad_coupon_share) {
  const std::string cart = "/sessions/" + session_ + "/cart";
  switch (step_) {
    case Step::kArrive:
      return {Method::kPost, "/sessions", ""};
    case Step::kBrowse:
      return {Method::kGet,
              std::string("/categories/") + kCategories[Below(kCategories.size())] +
                  "?page=" + std::to_string(Below(3)),
              ""};
    case Step::kQuote: {
      // Squared: a few products are asked for far more often than the rest, as in any shop.
      const double popular = std::uniform_real_distribution<>(0, 1)(random_);
      sku_ = Sku(static_cast<uint64_t>(popular * popular * static_cast<double>(product_count_)));
      return {Method::kGet,
              "/products/" + sku_ + "/price?quantity=" + std::to_string(1 + Below(3)) +
                  "&country=" + kCountries[Below(kCountries.size())],
              ""};
    }
    case Step::kAdd:
      return {Method::kPost, cart,
              R"({"sku":")" + sku_ + R"(","quantity":)" + std::to_string(1 + Below(3)) + "}"};
    case Step::kRemove:
      return {Method::kDelete, cart + "/" + sku_, ""};
    case Step::kShowCart:
      DecideAboutCoupon(bad_coupon_share);
      return {Method::kGet, cart, ""};
    case Step::kCoupon: {
      std::string code = "WELCOME5";
      if (wants_bad_coupon_) {
        code = Chance(0.5) ? kExpiredCodes[Below(kExpiredCodes.size())]
                           : "CODE" + std::to_string(Below(100'000));
      }
      return {Method::kPost, "/sessions/" + session_ + "/coupon", R"({"code":")" + code + R"("})"};
    }
    case Step::kCheckout:
      return {Method::kPost, "/sessions/" + session_ + "/checkout", ""};
    case Step::kReceipt:
      return {Method::kGet, "/receipts/" + receipt_, ""};
  }
  return {};
}

void Shopper::DecideAboutCoupon(double bad_coupon_share) {
  wants_bad_coupon_ = Chance(bad_coupon_share);
  coupon_tries_left_ = 0;
  if (wants_bad_coupon_) {
    // A code that doesn't work is tried again in another spelling: 1 to 5 times, twice on average.
    coupon_tries_left_ = 1;
    while (coupon_tries_left_ < 5 && Chance(0.5)) ++coupon_tries_left_;
  } else if (Chance(0.3)) {
    coupon_tries_left_ = 1;
  }
}

Outcome Shopper::Answer(int status, std::string_view body) {
  // A session can run out between two steps when the service's time to live is short or the load is
  // slow.
  const bool in_session = step_ != Step::kArrive && step_ != Step::kBrowse &&
                          step_ != Step::kQuote && step_ != Step::kReceipt;
  if (in_session && status == 404 && body.find("expired") != std::string_view::npos) {
    StartOver();
    return Outcome::kExpired;
  }
  const bool refused = step_ == Step::kCoupon && wants_bad_coupon_;
  const bool good = refused ? status == 422 : status == 200 || status == 201;
  if (!good) {
    StartOver();
    return Outcome::kError;
  }
  Advance(body);
  return Outcome::kGood;
}

void Shopper::Advance(std::string_view body) {
  switch (step_) {
    case Step::kArrive:
      session_ = StringField(body, "session");
      rounds_left_ = 1 + static_cast<int>(Below(3));
      step_ = Step::kBrowse;
      break;
    case Step::kBrowse:
      quotes_left_ = 1 + static_cast<int>(Below(3));
      step_ = Step::kQuote;
      break;
    case Step::kQuote:
      step_ = --quotes_left_ > 0 ? Step::kQuote : Step::kAdd;
      break;
    case Step::kAdd:
      if (--rounds_left_ > 0) {
        step_ = Chance(0.1) ? Step::kRemove : Step::kBrowse;
      } else if (Chance(0.15)) {
        StartOver();  // leaves the cart behind; the session expires
      } else {
        step_ = Step::kShowCart;
      }
      break;
    case Step::kRemove:
      step_ = Step::kBrowse;
      break;
    case Step::kShowCart:
      step_ = coupon_tries_left_ > 0 ? Step::kCoupon : Step::kCheckout;
      break;
    case Step::kCoupon:
      step_ = --coupon_tries_left_ > 0 ? Step::kCoupon : Step::kCheckout;
      break;
    case Step::kCheckout:
      receipt_ = StringField(body, "receipt");
      step_ = Step::kReceipt;
      break;
    case Step::kReceipt:
      StartOver();
      break;
  }
}

void Shopper::StartOver() {
  step_ = Step::kArrive;
  session_.clear();
}

}  // namespace checkout::load
