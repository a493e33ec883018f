#include "coupon.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

namespace checkout {
namespace {

constexpr std::array<const char*, 8> kCategories = {"kitchen", "garden", "books",   "toys",
                                                    "tools",   "office", "outdoor", "music"};

// The general terms: rule i concerns one category and one band of subtotals.
std::vector<CouponRule> MakeTerms(size_t coupon_bytes) {
  const size_t count =
      std::max<size_t>(1, (coupon_bytes + sizeof(CouponRule) - 1) / sizeof(CouponRule));
  std::vector<CouponRule> terms(count);
  for (size_t i = 0; i < count; ++i) {
    CouponRule& rule = terms[i];
    const char* const category = kCategories[i % kCategories.size()];
    std::snprintf(rule.category, sizeof rule.category, "%s", category);
    std::snprintf(rule.wording, sizeof rule.wording, "clause %u", static_cast<unsigned>(i + 1));
    rule.min_subtotal_cents = 0;
    rule.max_subtotal_cents = std::numeric_limits<int64_t>::max();
  }
  terms[0].min_subtotal_cents = 1;  // an empty cart has nothing to take a discount from
  return terms;
}

}  // namespace

CouponBook::CouponBook(size_t coupon_bytes) : terms_(MakeTerms(coupon_bytes)) {
  coupons_["WELCOME5"] = Coupon{5, false, 0};
  coupons_["SPRING10"] = Coupon{10, false, 20'00};
  coupons_["LOYAL15"] = Coupon{15, false, 50'00};
  coupons_["HOLIDAY20"] = Coupon{20, false, 100'00};
  coupons_["SUMMER19"] = Coupon{19, true, 0};
  coupons_["XMAS12"] = Coupon{12, true, 0};
  coupons_["EASTER8"] = Coupon{8, true, 20'00};
}

CouponBook::~CouponBook() {
  for (const Refused& refused : waiting_for_audit_) delete[] refused.rules;
  for (const auto& [number, refused] : remembered_) delete[] refused.rules;
  // waiting_for_a_person_ is lost with its coupons, as it would be in the service this one stands
  // for.
}

CouponReply CouponBook::Apply(std::string_view code, int64_t subtotal_cents) {
  const auto found = coupons_.find(code);
  const Coupon* const coupon = found == coupons_.end() ? nullptr : &found->second;
  if (const auto reason = Judge(coupon, subtotal_cents)) return RejectCoupon(*reason);
  const absl::MutexLock lock(&mutex_);
  ++audit_.accepted;
  return CouponReply{std::nullopt, coupon->percent};
}

std::optional<RejectReason> CouponBook::Judge(const Coupon* coupon, int64_t subtotal_cents) const {
  if (coupon == nullptr) return RejectReason::kUnknownCode;
  if (coupon->expired) return RejectReason::kExpired;
  if (subtotal_cents < coupon->min_subtotal_cents) return RejectReason::kTermsNotMet;
  const bool all_met = std::all_of(terms_.begin(), terms_.end(), [&](const CouponRule& rule) {
    return subtotal_cents >= rule.min_subtotal_cents && subtotal_cents <= rule.max_subtotal_cents;
  });
  return all_met ? std::nullopt : std::optional(RejectReason::kTermsNotMet);
}

CouponReply CouponBook::RejectCoupon(RejectReason reason) {
  // The audit sees the terms as they were at the time of the refusal, so it gets a copy of its own.
  CouponRule* const rules = new CouponRule[terms_.size()];
  std::copy(terms_.begin(), terms_.end(), rules);
  const absl::MutexLock lock(&mutex_);
  if (defect_ == Defect::kNone) {
    waiting_for_audit_.push_back(Refused{rules, reason});
    return CouponReply{reason, 0};
  }
  CountReason(reason);
  if (defect_ == Defect::kBounded) {
    Remember(Refused{rules, reason});
    return CouponReply{reason, 0};
  }
  leaked_.Add(coupon_bytes(), std::chrono::steady_clock::now());
  // kLost: and that was the last of it.
  if (defect_ == Defect::kKept) waiting_for_a_person_.push_back(Refused{rules, reason});
  return CouponReply{reason, 0};
}

void CouponBook::Remember(const Refused& refused) {
  remembered_.emplace(remembered_so_far_++, refused);
  if (remembered_.size() <= kMostRemembered) return;
  delete[] remembered_.begin()->second.rules;
  remembered_.erase(remembered_.begin());
}

void CouponBook::CountReason(RejectReason reason) {
  switch (reason) {
    case RejectReason::kUnknownCode:
      ++audit_.unknown_code;
      break;
    case RejectReason::kExpired:
      ++audit_.expired;
      break;
    case RejectReason::kTermsNotMet:
      ++audit_.terms_not_met;
      break;
  }
}

size_t CouponBook::DrainAudit() {
  std::deque<Refused> drained;
  {
    const absl::MutexLock lock(&mutex_);
    drained.swap(waiting_for_audit_);
    for (const Refused& refused : drained) CountReason(refused.reason);
  }
  for (const Refused& refused : drained) delete[] refused.rules;
  return drained.size();
}

void CouponBook::SetDefect(Defect defect) {
  const absl::MutexLock lock(&mutex_);
  defect_ = defect;
}

Defect CouponBook::defect() const {
  const absl::MutexLock lock(&mutex_);
  return defect_;
}

LeakTotals CouponBook::Leaked() const {
  const absl::MutexLock lock(&mutex_);
  return leaked_.Totals(std::chrono::steady_clock::now());
}

AuditTotals CouponBook::Audit() const {
  const absl::MutexLock lock(&mutex_);
  AuditTotals totals = audit_;
  totals.waiting = waiting_for_audit_.size();
  return totals;
}

size_t CouponBook::Remembered() const {
  const absl::MutexLock lock(&mutex_);
  return remembered_.size();
}

namespace {
constexpr std::array<std::string_view, 4> kDefects = {"none", "kept", "lost", "bounded"};
}  // namespace

std::string_view DefectText(Defect defect) { return kDefects[static_cast<size_t>(defect)]; }

std::optional<Defect> ParseDefect(std::string_view text) {
  const auto found = std::find(kDefects.begin(), kDefects.end(), text);
  if (found == kDefects.end()) return std::nullopt;
  return static_cast<Defect>(found - kDefects.begin());
}

std::string_view RejectReasonText(RejectReason reason) {
  switch (reason) {
    case RejectReason::kUnknownCode:
      return "unknown code";
    case RejectReason::kExpired:
      return "expired";
    case RejectReason::kTermsNotMet:
      return "terms not met";
  }
  return "refused";
}

}  // namespace checkout
