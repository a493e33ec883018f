// Coupons: what a code is worth, and what happens to one that is refused.
//
// Life of a refused coupon: RejectCoupon copies the rules it was judged by, the copy waits for the
// audit, and DrainAudit, called by the sweeper once a second, counts the rejection by reason and
// frees the copy.
//
// THE DEFECT, off by default.  One line allocates what is lost, in CouponBook::RejectCoupon, on the
// error path.  The book counts exactly what it loses, see leak_meter.h.  There are two of it:
//
//   kKept     the copy goes to a second list ("to be looked at by a person") that was never given a
//             reader: it is kept for ever
//   kLost     the error path returns without deleting the copy: nothing points to it any more
//   kBounded  a harmless twin that looks like them for a while: the last kMostRemembered copies are
//             kept in a map, and the oldest makes room for the next
//
// Threads  any thread.  Codes and rules are immutable after construction; the lists and counts have
// one mutex.
#ifndef CHECKOUT_SERVICE_COUPON_H
#define CHECKOUT_SERVICE_COUPON_H

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "leak_meter.h"

namespace checkout {

// One condition of the coupon terms.  The real terms are long, that is why a coupon weighs a few
// KiB.
struct CouponRule {
  char category[16];
  int64_t min_subtotal_cents;
  int64_t max_subtotal_cents;
  char wording[32];
};
static_assert(sizeof(CouponRule) == 64 && std::is_trivial_v<CouponRule>,
              "new CouponRule[n] asks for exactly 64 n bytes, which the leak meter relies on");

enum class Defect { kNone, kKept, kLost, kBounded };

enum class RejectReason { kUnknownCode, kExpired, kTermsNotMet };

struct CouponReply {
  std::optional<RejectReason> rejected;  // empty: accepted
  int percent = 0;                       // off the subtotal, when accepted
};

struct AuditTotals {
  uint64_t accepted = 0;
  uint64_t unknown_code = 0;
  uint64_t expired = 0;
  uint64_t terms_not_met = 0;
  size_t waiting = 0;  // refused coupons that the next DrainAudit will take
};

class CouponBook final {
 public:
  // `coupon_bytes`: weight of a refused coupon, rounded up to whole rules.
  explicit CouponBook(size_t coupon_bytes);
  ~CouponBook();
  CouponBook(const CouponBook&) = delete;
  CouponBook& operator=(const CouponBook&) = delete;

  CouponReply Apply(std::string_view code, int64_t subtotal_cents);

  // Counts and frees the refused coupons that wait; returns how many.
  size_t DrainAudit();

  void SetDefect(Defect defect);
  Defect defect() const;
  LeakTotals Leaked() const;
  AuditTotals Audit() const;
  size_t Remembered() const;  // kBounded
  size_t coupon_bytes() const { return terms_.size() * sizeof(CouponRule); }

 private:
  struct Coupon {
    int percent = 0;
    bool expired = false;
    int64_t min_subtotal_cents = 0;
  };
  struct Refused {
    CouponRule* rules;  // terms_.size() of them, owned
    RejectReason reason;
  };

  static constexpr size_t kMostRemembered = 128;

  std::optional<RejectReason> Judge(const Coupon* coupon, int64_t subtotal_cents) const;
  CouponReply RejectCoupon(RejectReason reason);
  void CountReason(RejectReason reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(const Refused& refused) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::map<std::string, Coupon, std::less<>> coupons_;
  std::vector<CouponRule> terms_;

  mutable absl::Mutex mutex_;
  Defect defect_ ABSL_GUARDED_BY(mutex_) = Defect::kNone;
  std::deque<Refused> waiting_for_audit_ ABSL_GUARDED_BY(mutex_);
  std::deque<Refused> waiting_for_a_person_ ABSL_GUARDED_BY(mutex_);  // kKept: nobody reads it
  // kBounded: by number, the oldest first.
  std::map<uint64_t, Refused> remembered_ ABSL_GUARDED_BY(mutex_);
  uint64_t remembered_so_far_ ABSL_GUARDED_BY(mutex_) = 0;
  LeakMeter leaked_ ABSL_GUARDED_BY(mutex_);
  AuditTotals audit_ ABSL_GUARDED_BY(mutex_);
};

// "none", "kept", "lost" and "bounded".
std::string_view DefectText(Defect defect);
std::optional<Defect> ParseDefect(std::string_view text);

// "expired", ...: for replies and logs.
std::string_view RejectReasonText(RejectReason reason);

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_COUPON_H
