#include "race/explored/explorer.h"

#include <bit>

#include "base/atomic.h"

namespace heapgauge {

void MarkedPoint(const void* place, bool writes) noexcept {
  test::Explorer::AtMarkedPoint(place, writes);
}

namespace test {
namespace {

constexpr size_t kStackBytes = size_t{128} << 10;
Explorer* g_explorer = nullptr;  // while threads of one are running

}  // namespace

void Explorer::AtMarkedPoint(const void* place, bool writes) noexcept {
  if (g_explorer == nullptr || g_explorer->running_ == nullptr) return;
  g_explorer->running_->place = place;
  g_explorer->running_->writes = writes;
  g_explorer->Stop();
}

void Explorer::AtYield() noexcept {
  if (g_explorer == nullptr || g_explorer->running_ == nullptr) return;
  g_explorer->running_->waits = true;
}

void Explorer::Stop() noexcept {
  Fiber* const fiber = running_;
  running_ = nullptr;
  swapcontext(&fiber->context, &explorer_);
}

void Explorer::Entry(unsigned high, unsigned low) {
  auto* const explorer = reinterpret_cast<Explorer*>((static_cast<uintptr_t>(high) << 32) |
                                                     static_cast<uintptr_t>(low));
  explorer->running_->body();
  explorer->running_->done = true;
  explorer->Stop();
}

void Explorer::Move(size_t fiber) {
  if (fibers_[fiber].writes) {
    for (Fiber& other : fibers_) other.waits = false;
  }
  running_ = &fibers_[fiber];
  swapcontext(&explorer_, &fibers_[fiber].context);
}

// A new world, and every thread before its first operation.
void Explorer::Begin() {
  std::vector<Body> bodies = setup_();
  fibers_.resize(bodies.size());
  const auto self = reinterpret_cast<uintptr_t>(this);
  for (size_t i = 0; i < bodies.size(); ++i) {
    Fiber& fiber = fibers_[i];
    if (fiber.stack == nullptr) fiber.stack.reset(new char[kStackBytes]);
    fiber.body = std::move(bodies[i]);
    fiber.done = false;
    fiber.waits = false;
    fiber.writes = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, reinterpret_cast<void (*)()>(&Explorer::Entry), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
    Move(i);
  }
}

uint32_t Explorer::Enabled() const {
  uint32_t enabled = 0;
  for (size_t i = 0; i < fibers_.size(); ++i) {
    if (!fibers_[i].done && !fibers_[i].waits) enabled |= 1U << i;
  }
  return enabled;
}

bool Explorer::Independent(size_t a, size_t b) const {
  return fibers_[a].place != fibers_[b].place || !(fibers_[a].writes || fibers_[b].writes);
}

Explorer::End Explorer::Execute() {
  Begin();
  uint32_t asleep = 0;
  for (size_t depth = 0;; ++depth) {
    const uint32_t enabled = Enabled();
    if (enabled == 0) {
      for (const Fiber& fiber : fibers_) {
        if (!fiber.done) return End::kStuck;
      }
      return End::kDone;
    }
    if (depth == path_.size()) {
      const uint32_t awake = enabled & ~asleep;
      if (awake == 0) return End::kRepeats;
      path_.push_back({enabled, asleep, 0, static_cast<size_t>(std::countr_zero(awake))});
    }
    const Choice& choice = path_[depth];
    uint32_t next = 0;
    for (size_t i = 0; i < fibers_.size(); ++i) {
      const bool quiet = (((choice.asleep | choice.tried) >> i) & 1U) != 0;
      if (quiet && i != choice.chosen && Independent(i, choice.chosen)) next |= 1U << i;
    }
    asleep = next;
    Move(choice.chosen);
  }
}

// The deepest choice that has another way left.
bool Explorer::NextChoice() {
  while (!path_.empty()) {
    Choice& choice = path_.back();
    choice.tried |= 1U << choice.chosen;
    const uint32_t left = choice.enabled & ~choice.asleep & ~choice.tried;
    if (left != 0) {
      choice.chosen = static_cast<size_t>(std::countr_zero(left));
      return true;
    }
    path_.pop_back();
  }
  return false;
}

bool Explorer::Run(uint64_t most_executions) {
  g_explorer = this;
  bool good = true;
  for (uint64_t tried = 0; good && !complete_ && tried < most_executions; ++tried) {
    const End end = Execute();
    if (end == End::kDone) {
      ++executions_;
      good = check_();
    }
    if (end == End::kStuck) good = false;
    if (good) complete_ = !NextChoice();
  }
  g_explorer = nullptr;
  return good;
}

std::string Explorer::Schedule() const {
  std::string text;
  for (const Choice& choice : path_) text += static_cast<char>('0' + choice.chosen);
  return text;
}

}  // namespace test
}  // namespace heapgauge
