// LeakSanitizer's API for programs that are annotated with it, under `heapgauge check`.
//
// A library of its own, which only `check` preloads: a program that asks by a weak reference whether
// LeakSanitizer is there must not be told so otherwise.  Needs libc alone.
//
//   __lsan_ignore_object()        its address is kept in memory that the search takes for the program's:
//   __lsan_register_root_region() what it points to is held, and what that holds
//   __lsan_disable(), _enable()   what a thread allocates in between has a label, which the search knows
//   __lsan_do_leak_check()        the check, now and for good; ends the process if something is lost
//   __lsan_do_recoverable_leak_check()   the same for now alone
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heapgauge/heapgauge.h"
#include "lsan/lsan_hooks.h"

// Weak: nothing here is worth a program that does not start.
#pragma weak heapgauge_label
#pragma weak heapgauge_push_label
#pragma weak heapgauge_pop_label

#define HG_LSAN extern "C" __attribute__((visibility("default")))

HG_LSAN heapgauge::LsanHooks heapgauge_lsan_hooks;
heapgauge::LsanHooks heapgauge_lsan_hooks;

namespace {

constexpr size_t kMostHeld = size_t{1} << 20;
constexpr int kLeakStatus = 23;  // LeakSanitizer's

// A mapping, and no variable: data of our libraries is no root.
std::atomic<const void*>* Held() noexcept {
  static std::atomic<std::atomic<const void*>*> held{nullptr};
  // acquire: the mapping is there for whoever sees its address.
  std::atomic<const void*>* known = held.load(std::memory_order_acquire);
  if (known != nullptr) return known;
  void* const fresh = mmap(nullptr, kMostHeld * sizeof(void*), PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (fresh == MAP_FAILED) return nullptr;
  auto* const mine = static_cast<std::atomic<const void*>*>(fresh);
  // release: as above; acquire: another thread's.
  if (held.compare_exchange_strong(known, mine, std::memory_order_release,
                                   std::memory_order_acquire)) {
    return mine;
  }
  munmap(fresh, kMostHeld * sizeof(void*));
  return known;
}

std::atomic<size_t> g_count{0};
std::atomic<bool> g_over{false};
__attribute__((tls_model("initial-exec"))) thread_local int t_depth = 0;
__attribute__((tls_model("initial-exec"))) thread_local heapgauge_scope t_scope;

void Hold(const void* object) noexcept {
  std::atomic<const void*>* const held = Held();
  // relaxed, here and below: numbers of places; the search reads memory, in no order.
  const size_t at = g_count.fetch_add(1, std::memory_order_relaxed);
  if (held != nullptr && at < kMostHeld) held[at].store(object, std::memory_order_relaxed);
}

void LetGo(const void* object) noexcept {
  std::atomic<const void*>* const held = Held();
  const size_t known = g_count.load(std::memory_order_relaxed);  // relaxed: as above
  for (size_t i = 0; held != nullptr && i < known && i < kMostHeld; ++i) {
    if (held[i].load(std::memory_order_relaxed) != object) continue;  // relaxed: as above
    held[i].store(nullptr, std::memory_order_relaxed);                // relaxed: as above
    return;
  }
}

}  // namespace

HG_LSAN void __lsan_ignore_object(const void* object) { Hold(object); }

HG_LSAN void __lsan_register_root_region(const void* begin, size_t) { Hold(begin); }
HG_LSAN void __lsan_unregister_root_region(const void* begin, size_t) { LetGo(begin); }

HG_LSAN void __lsan_disable() {
  if (t_depth++ > 0 || heapgauge_push_label == nullptr || heapgauge_label == nullptr) return;
  t_scope =
      heapgauge_push_label(heapgauge_label(heapgauge::kLsanLabelKey, heapgauge::kLsanLabelValue));
}
HG_LSAN void __lsan_enable() {
  if (t_depth == 0 || --t_depth > 0 || heapgauge_pop_label == nullptr) return;
  heapgauge_pop_label(t_scope);
}

HG_LSAN void __lsan_do_leak_check() {
  // relaxed: whoever comes first checks.
  if (heapgauge_lsan_hooks.check == nullptr || g_over.exchange(true, std::memory_order_relaxed))
    return;
  if (heapgauge_lsan_hooks.check(true) > 0) _exit(kLeakStatus);
}

HG_LSAN int __lsan_do_recoverable_leak_check() {
  // relaxed: as above.
  if (heapgauge_lsan_hooks.check == nullptr || g_over.load(std::memory_order_relaxed)) return 0;
  return heapgauge_lsan_hooks.check(false) > 0 ? 1 : 0;
}
