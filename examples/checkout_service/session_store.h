// Who is shopping.  A session dies when nobody used it for the time to live; a sweep takes the dead
// ones out.
//
// Threads  any thread.  Sharded: a request locks one shard for a lookup, a sweep locks one shard at
// a time. Bound    kMaxSessions; past it Create refuses, so that a flood of new sessions can't take
// the memory. Time     passed in by the caller: the store reads no clock, so tests need not wait.
#ifndef CHECKOUT_SERVICE_SESSION_STORE_H
#define CHECKOUT_SERVICE_SESSION_STORE_H

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "cart.h"

namespace checkout {

using Clock = std::chrono::steady_clock;

struct Session final {
  static constexpr size_t kMaxViewed = 32;

  explicit Session(std::string session_id) : id(std::move(session_id)) {}

  const std::string id;
  absl::Mutex mutex;
  Cart cart ABSL_GUARDED_BY(mutex);
  // Skus looked at, newest last, at most kMaxViewed.
  std::deque<std::string> viewed ABSL_GUARDED_BY(mutex);
};

class SessionStore final {
 public:
  static constexpr size_t kMaxSessions = 200'000;

  explicit SessionStore(Clock::duration time_to_live);
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  // nullptr when the store is full.
  std::shared_ptr<Session> Create(Clock::time_point now);

  // Finds a living session and renews its time to live; nullptr when it is unknown or has expired.
  std::shared_ptr<Session> Find(const std::string& id, Clock::time_point now);

  // Takes out every session that expired by `now`; returns how many.
  size_t Sweep(Clock::time_point now);

  size_t size() const { return count_.load(std::memory_order_relaxed); }
  uint64_t created() const { return created_.load(std::memory_order_relaxed); }
  uint64_t expired() const { return expired_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    std::shared_ptr<Session> session;
    Clock::time_point last_used;
  };
  struct Shard {
    absl::Mutex mutex;
    absl::flat_hash_map<std::string, Entry> sessions ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardFor(const std::string& id) {
    return shards_[std::hash<std::string>{}(id) % shards_.size()];
  }

  const Clock::duration time_to_live_;
  std::array<Shard, 16> shards_;
  // Relaxed throughout: they are counts for people and a soft bound; nothing is published through
  // them.
  std::atomic<size_t> count_{0};
  std::atomic<uint64_t> created_{0};
  std::atomic<uint64_t> expired_{0};
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_SESSION_STORE_H
