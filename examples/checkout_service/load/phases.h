// The plan of a load: how many requests a second, and what else changes when.
//
//   PHASES   = PHASE { "," PHASE }
//   PHASE    = DURATION "@" RATE [ ".." RATE ] { SETTING }      two rates: a straight ramp
//   SETTING  = "+defect" | "-defect"     the service's defect, from the phase's beginning on
//            | "+coupons=SHARE"          share of checkouts with a bad coupon, in this phase only
//
// for instance 10s@50,30s@50..150,60s@150+defect
#ifndef CHECKOUT_LOAD_PHASES_H
#define CHECKOUT_LOAD_PHASES_H

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace checkout::load {

struct Phase {
  double seconds = 0;
  double first_rate = 0;  // requests a second when it begins
  double last_rate = 0;   // ... and when it ends
  std::optional<bool> defect;
  std::optional<double> coupon_share;

  // How many requests the phase sends, and when the k-th of them is due [s from its beginning].
  uint64_t RequestCount() const;
  double DueSeconds(uint64_t k) const;
  double RateAt(double seconds_in) const;
};

constexpr double kMaxRate = 100'000;
constexpr double kMaxTotalSeconds = 24 * 3600;

// The phases, or what is wrong with the text.
std::variant<std::vector<Phase>, std::string> ParsePhases(std::string_view text);

double TotalSeconds(const std::vector<Phase>& phases);

// Deals out the requests of a plan in the order in which they are due.
// Threads: Next from any thread.  The phases must outlive the pacer.
class Pacer final {
 public:
  struct Ticket {
    double due_s = 0;  // from the beginning of the plan
    const Phase* phase = nullptr;
  };

  explicit Pacer(const std::vector<Phase>& phases);

  std::optional<Ticket> Next();
  uint64_t total() const { return total_; }

 private:
  struct Span {
    const Phase* phase;
    double begin_s;
    uint64_t begin_ticket;
    uint64_t end_ticket;
  };

  std::vector<Span> spans_;
  uint64_t total_ = 0;
  std::atomic<uint64_t> next_{0};  // relaxed: only uniqueness matters
};

}  // namespace checkout::load

#endif  // CHECKOUT_LOAD_PHASES_H
