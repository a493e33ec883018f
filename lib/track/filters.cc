#include "track/filters.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "base/raw_log.h"
#include "base/readable.h"

namespace heapgauge {
namespace {

// What code below asks about no thread: these are settled for the whole process.
constexpr uint16_t kOfProcess = kEndsClock | kEndsWalks | kEndsWords;

void SettleForProcess(uint16_t ended) noexcept {
  // relaxed: set by the thread that gets the filter, before it does.
  g_only_coarse_clock.store((ended & kEndsClock) != 0, std::memory_order_relaxed);
  g_ask_for_no_pages.store((ended & kEndsWalks) != 0, std::memory_order_relaxed);
  g_plain_words.store((ended & kEndsWords) != 0, std::memory_order_relaxed);
}

}  // namespace

constinit Filters Filters::instance_;

bool Filters::Judge(const FilterRequest& request, FilterEffect* effect) noexcept {
  if (request.strict) {
    *effect = StrictEffect();
    return true;
  }
  // relaxed: set by this thread, or another's is as good.
  if (g_ask_for_no_pages.load(std::memory_order_relaxed)) {  // so what it is can't be found out
    *effect = {kEverythingEnds & ~kEndsSpreading, "openat", "clone3"};
    return true;
  }
  sock_fprog program;
  if (!CopyReadable(&program, request.program, sizeof(program)) || program.len == 0 ||
      program.len > BPF_MAXINSNS ||
      !IsReadable(program.filter, program.len * sizeof(sock_filter))) {
    return false;
  }
  *effect = JudgeFilter(program.filter, program.len);
  return true;
}

void Filters::ForbidCounter() noexcept {
  counter_forbidden_.store(true, std::memory_order_relaxed);  // relaxed: F1
  SettleForProcess(of_process_.fetch_or(kEndsClock, std::memory_order_relaxed) | kEndsClock);
}

void Filters::Add(ThreadState& self, const FilterRequest& request, const FilterEffect& effect,
                  FilterTicket* ticket) noexcept {
  EndedIn(self);
  ticket->own = self.ended;
  const uint16_t settled =
      of_process_.fetch_or(effect.ended & kOfProcess, std::memory_order_relaxed);
  ticket->added_for_process = effect.ended & kOfProcess & static_cast<uint16_t>(~settled);
  SettleForProcess(settled | effect.ended);
  // relaxed throughout, but for the word that the report thread reads: F1.
  ticket->count = count_.fetch_add(1, std::memory_order_relaxed) + 1;
  self.ended |= effect.ended;
  const auto bits = static_cast<uint16_t>(self.ended & ~kFiltersKnown);
  if (request.all_threads) {
    // seq_cst: see EndedForAll().
    const uint16_t before = for_all_.fetch_or(effect.ended, std::memory_order_seq_cst);
    ticket->added_for_all = effect.ended & static_cast<uint16_t>(~before);
    for_hosts_.fetch_or(effect.ended, std::memory_order_relaxed);
  } else if ((effect.ended & kEndsSpreading) == 0) {
    const uint16_t before = inherited_.fetch_or(bits, std::memory_order_relaxed);
    ticket->added_inherited = bits & static_cast<uint16_t>(~before);
  }
}

void Filters::Undo(ThreadState& self, const FilterTicket& ticket) noexcept {
  self.ended = ticket.own;
  // Not when another came meanwhile: these bits may be its own, too, and to keep them is safe.
  // relaxed throughout: F1.
  uint32_t count = ticket.count;
  if (!count_.compare_exchange_strong(count, count - 1, std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
    return;
  }
  for_all_.fetch_and(static_cast<uint16_t>(~ticket.added_for_all), std::memory_order_relaxed);
  for_hosts_.store(static_cast<uint16_t>(for_all_.load(std::memory_order_relaxed) |
                                         unknown_.load(std::memory_order_relaxed)),
                   std::memory_order_relaxed);
  inherited_.fetch_and(static_cast<uint16_t>(~ticket.added_inherited), std::memory_order_relaxed);
  const auto kept = static_cast<uint16_t>(~ticket.added_for_process);
  SettleForProcess(of_process_.fetch_and(kept, std::memory_order_relaxed) & kept);
}

void Filters::FoundUnknown() noexcept {
  // Samples go on: their memory is had as the program's own is.
  constexpr uint16_t kBits = kEverythingEnds & ~kEndsSamples & ~kEndsSpreading;
  // relaxed throughout: seen sooner or later.
  if (unknown_.exchange(kBits, std::memory_order_relaxed) == kBits) return;
  for_hosts_.fetch_or(kBits, std::memory_order_relaxed);
  SettleForProcess(of_process_.fetch_or(kBits & kOfProcess, std::memory_order_relaxed) | kBits);
}

void Filters::Learn(ThreadState& self) noexcept {
  const uint16_t inherited = inherited_.load(std::memory_order_relaxed);  // relaxed: F1
  uint16_t ended = inherited;
  if (inherited != 0 && (inherited & kEndsLooks) == 0) {
    const ErrnoKeeper errno_keeper;
    if (syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == 0) ended = 0;
  }
  self.ended = ended | kFiltersKnown;
}

}  // namespace heapgauge
