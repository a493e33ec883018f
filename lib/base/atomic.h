// Atomic<T>: std::atomic<T>, and nothing else in what is installed.
//
// In the tests that explore interleavings (tests/race, HEAPGAUGE_MARKED_POINTS) every operation is
// a marked point: right before it the test is told what is about to happen, and may let other
// threads go first.  The code of the tables is the same.
#ifndef HEAPGAUGE_BASE_ATOMIC_H_
#define HEAPGAUGE_BASE_ATOMIC_H_

#include <atomic>

namespace heapgauge {

#ifndef HEAPGAUGE_MARKED_POINTS

template <typename T>
using Atomic = std::atomic<T>;

#else

// The test's own.  `place`: the atomic that is about to be read or written.
void MarkedPoint(const void* place, bool writes) noexcept;

template <typename T>
class Atomic final {
 public:
  using Order = std::memory_order;

  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order = std::memory_order_seq_cst) const noexcept {
    MarkedPoint(this, false);
    return value_.load(order);
  }
  operator T() const noexcept { return load(); }  // NOLINT: as std::atomic
  void store(T value, Order order = std::memory_order_seq_cst) noexcept {
    MarkedPoint(this, true);
    value_.store(value, order);
  }
  T exchange(T value, Order order = std::memory_order_seq_cst) noexcept {
    MarkedPoint(this, true);
    return value_.exchange(value, order);
  }
  template <typename By>
  T fetch_add(By by, Order order = std::memory_order_seq_cst) noexcept {
    MarkedPoint(this, true);
    return value_.fetch_add(by, order);
  }
  template <typename By>
  T fetch_sub(By by, Order order = std::memory_order_seq_cst) noexcept {
    MarkedPoint(this, true);
    return value_.fetch_sub(by, order);
  }
  bool compare_exchange_strong(T& expected, T wanted, Order success, Order failure) noexcept {
    MarkedPoint(this, true);
    return value_.compare_exchange_strong(expected, wanted, success, failure);
  }
  // Never for no reason: a test that fails must fail again.
  bool compare_exchange_weak(T& expected, T wanted, Order success, Order failure) noexcept {
    return compare_exchange_strong(expected, wanted, success, failure);
  }

 private:
  std::atomic<T> value_{};
};

#endif

}  // namespace heapgauge

#endif  // HEAPGAUGE_BASE_ATOMIC_H_
