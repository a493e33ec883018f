#include "session_store.h"

#include <random>
#include <vector>

namespace checkout {
namespace {

// 128 random bits in hex: long enough that guessing another customer's session is hopeless.
std::string NewSessionId() {
  thread_local std::random_device device;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int word = 0; word < 4; ++word) {
    uint32_t bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) id.push_back(kHex[bits & 15]);
  }
  return id;
}

}  // namespace

SessionStore::SessionStore(Clock::duration time_to_live) : time_to_live_(time_to_live) {}

std::shared_ptr<Session> SessionStore::Create(Clock::time_point now) {
  if (size() >= kMaxSessions) return nullptr;
  auto session = std::make_shared<Session>(NewSessionId());
  Shard& shard = ShardFor(session->id);
  {
    const absl::MutexLock lock(&shard.mutex);
    shard.sessions.emplace(session->id, Entry{session, now});
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  created_.fetch_add(1, std::memory_order_relaxed);
  return session;
}

std::shared_ptr<Session> SessionStore::Find(const std::string& id, Clock::time_point now) {
  Shard& shard = ShardFor(id);
  const absl::MutexLock lock(&shard.mutex);
  const auto found = shard.sessions.find(id);
  if (found == shard.sessions.end()) return nullptr;
  // Expired but not swept yet: to the customer it is gone.  The sweep counts it.
  if (now - found->second.last_used > time_to_live_) return nullptr;
  found->second.last_used = now;
  return found->second.session;
}

size_t SessionStore::Sweep(Clock::time_point now) {
  size_t swept = 0;
  for (Shard& shard : shards_) {
    std::vector<std::shared_ptr<Session>> dead;  // destroyed after the lock is released
    const absl::MutexLock lock(&shard.mutex);
    absl::erase_if(shard.sessions, [&](auto& id_and_entry) {
      Entry& entry = id_and_entry.second;
      if (now - entry.last_used <= time_to_live_) return false;
      dead.push_back(std::move(entry.session));
      return true;
    });
    swept += dead.size();
  }
  count_.fetch_sub(swept, std::memory_order_relaxed);
  expired_.fetch_add(swept, std::memory_order_relaxed);
  return swept;
}

}  // namespace checkout
