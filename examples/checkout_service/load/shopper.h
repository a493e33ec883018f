// One customer after the other, as a sequence of requests: comes, browses, asks for prices, fills a
// cart, tries a coupon (and others when it is refused), pays, reads the receipt; or leaves before
// paying.
//
// Not thread-safe: every worker has its own.  The seed decides everything the customers do.
#ifndef CHECKOUT_LOAD_SHOPPER_H
#define CHECKOUT_LOAD_SHOPPER_H

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace checkout::load {

struct RequestToSend {
  enum class Method { kGet, kPost, kDelete };
  Method method = Method::kGet;
  std::string path;
  std::string body;  // JSON
};

enum class Outcome {
  kGood,
  kExpired,  // the session ran out while this customer was busy; a new one comes
  kError,
};

class Shopper final {
 public:
  Shopper(uint64_t seed, size_t product_count);

  // What the customer does next.  `bad_coupon_share`: of those who check out, how many try a coupon
  // that is refused.
  RequestToSend Next(double bad_coupon_share);

  // The answer to what Next said.  status 0: there was none.
  Outcome Answer(int status, std::string_view body);

  const std::string& session() const { return session_; }

 private:
  enum class Step {
    kArrive,
    kBrowse,
    kQuote,
    kAdd,
    kRemove,
    kShowCart,
    kCoupon,
    kCheckout,
    kReceipt
  };

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }
  void DecideAboutCoupon(double bad_coupon_share);
  void Advance(std::string_view body);
  void StartOver();

  std::mt19937_64 random_;
  const size_t product_count_;
  Step step_ = Step::kArrive;
  std::string session_;
  std::string sku_;
  int rounds_left_ = 0;  // of browsing and choosing
  int quotes_left_ = 0;  // in this round
  int coupon_tries_left_ = 0;
  bool wants_bad_coupon_ = false;
  std::string receipt_;
};

}  // namespace checkout::load

#endif  // CHECKOUT_LOAD_SHOPPER_H
