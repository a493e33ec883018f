#include "phases.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace checkout::load {
namespace {

// Takes a number off the front of `text`.
std::optional<double> TakeNumber(std::string_view& text) {
  // Digits and one point only, because from_chars would also take "1e9", "inf" and the second point
  // of "5..9".
  size_t length = 0;
  bool point = false;
  while (length < text.size()) {
    const char c = text[length];
    if (c == '.') {
      if (point || text.substr(length, 2) == "..") break;
      point = true;
    } else if (c < '0' || c > '9') {
      break;
    }
    ++length;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, value);
  if (error != std::errc() || end != text.data() + length) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<double> TakeSeconds(std::string_view& text) {
  const auto number = TakeNumber(text);
  if (!number) return std::nullopt;
  if (TakePrefix(text, "ms")) return *number / 1000;
  if (TakePrefix(text, "s")) return *number;
  if (TakePrefix(text, "m")) return *number * 60;
  if (TakePrefix(text, "h")) return *number * 3600;
  return std::nullopt;
}

std::optional<double> TakeRate(std::string_view& text) {
  const auto rate = TakeNumber(text);
  return rate && *rate <= kMaxRate ? rate : std::nullopt;
}

// "" when `text` became a phase, otherwise what is wrong with it.
std::string ParsePhase(std::string_view text, Phase& phase) {
  const auto seconds = TakeSeconds(text);
  if (!seconds) return "expected a duration such as 500ms, 10s, 5m";
  if (*seconds <= 0) return "the duration must be longer than nothing";
  phase.seconds = *seconds;
  if (!TakePrefix(text, "@")) return "expected @ and a rate after the duration, as in 10s@50";
  const auto first_rate = TakeRate(text);
  if (!first_rate) return "expected a rate of 0 to 100000 requests a second after the @";
  phase.first_rate = phase.last_rate = *first_rate;
  if (TakePrefix(text, "..")) {
    const auto last_rate = TakeRate(text);
    if (!last_rate) return "expected a rate of 0 to 100000 requests a second after the ..";
    phase.last_rate = *last_rate;
  }
  while (!text.empty()) {
    if (TakePrefix(text, "+defect")) {
      phase.defect = true;
    } else if (TakePrefix(text, "-defect")) {
      phase.defect = false;
    } else if (TakePrefix(text, "+coupons=")) {
      phase.coupon_share = TakeNumber(text);
      if (!phase.coupon_share || *phase.coupon_share > 1) {
        return "expected a share of 0 to 1 after +coupons=";
      }
    } else {
      return "'" + std::string(text) + "' is none of +defect, -defect, +coupons=SHARE";
    }
  }
  return "";
}

}  // namespace

uint64_t Phase::RequestCount() const {
  // The small addition keeps 0.1 s at 10/s from rounding down to none.
  return static_cast<uint64_t>(std::floor(seconds * (first_rate + last_rate) / 2 + 1e-9));
}

double Phase::DueSeconds(uint64_t k) const {
  const double sent = static_cast<double>(k);
  const double slope = (last_rate - first_rate) / seconds;
  if (slope == 0) return sent / first_rate;
  // sent = first_rate t + slope t^2 / 2, solved for t without cancellation when the slope is small.
  const double root = std::sqrt(std::max(0.0, first_rate * first_rate + 2 * slope * sent));
  return sent == 0 ? 0 : std::min(seconds, 2 * sent / (first_rate + root));
}

double Phase::RateAt(double seconds_in) const {
  return first_rate + (last_rate - first_rate) * std::clamp(seconds_in / seconds, 0.0, 1.0);
}

std::variant<std::vector<Phase>, std::string> ParsePhases(std::string_view text) {
  std::vector<Phase> phases;
  if (text.empty()) return "no phases; expected something like 10s@50,20s@150";
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = text.substr(begin, end - begin);
    Phase phase;
    if (const std::string wrong = ParsePhase(item, phase); !wrong.empty()) {
      return "phase " + std::to_string(phases.size() + 1) + " ('" + std::string(item) +
             "'): " + wrong;
    }
    phases.push_back(phase);
    begin = end + 1;
  }
  if (TotalSeconds(phases) > kMaxTotalSeconds) return "the phases last longer than 24 hours";
  return phases;
}

double TotalSeconds(const std::vector<Phase>& phases) {
  double seconds = 0;
  for (const Phase& phase : phases) seconds += phase.seconds;
  return seconds;
}

Pacer::Pacer(const std::vector<Phase>& phases) {
  double begin_s = 0;
  for (const Phase& phase : phases) {
    const uint64_t count = phase.RequestCount();
    spans_.push_back(Span{&phase, begin_s, total_, total_ + count});
    begin_s += phase.seconds;
    total_ += count;
  }
}

std::optional<Pacer::Ticket> Pacer::Next() {
  const uint64_t ticket = next_.fetch_add(1, std::memory_order_relaxed);
  if (ticket >= total_) return std::nullopt;
  const auto span = std::upper_bound(spans_.begin(), spans_.end(), ticket,
                                     [](uint64_t t, const Span& s) { return t < s.end_ticket; });
  return Ticket{span->begin_s + span->phase->DueSeconds(ticket - span->begin_ticket), span->phase};
}

}  // namespace checkout::load
