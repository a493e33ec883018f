// A bounded map that forgets what was used longest ago.
//
// Bound    max_entries; a new key past it evicts the least recently used one.
// Threads  any thread; one mutex, held for a hash lookup and two list operations.
// Values   shared and immutable, so that a reader keeps what it got while others evict it.
#ifndef CHECKOUT_SERVICE_LRU_CACHE_H
#define CHECKOUT_SERVICE_LRU_CACHE_H

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace checkout {

struct CacheCounts {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  size_t entries = 0;
};

template <typename Value>
class LruCache final {
 public:
  using ValuePtr = std::shared_ptr<const Value>;

  explicit LruCache(size_t max_entries) : max_entries_(max_entries == 0 ? 1 : max_entries) {}
  LruCache(const LruCache&) = delete;
  LruCache& operator=(const LruCache&) = delete;

  // The cached value, or what `make()` returns, which is then cached.  `make` runs without the
  // lock: two threads that miss together both make the value and the second one wins, which costs
  // less than waiting.
  template <typename Make>
  ValuePtr GetOrMake(const std::string& key, Make&& make) {
    if (ValuePtr found = Get(key)) return found;
    auto made = std::make_shared<const Value>(std::forward<Make>(make)());
    Put(key, made);
    return made;
  }

  ValuePtr Get(std::string_view key) {
    const absl::MutexLock lock(&mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) {
      ++counts_.misses;
      return nullptr;
    }
    ++counts_.hits;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->value;
  }

  void Put(const std::string& key, ValuePtr value) {
    Uses evicted;  // destroyed after the lock is released: values may be large
    const absl::MutexLock lock(&mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      found->second->value.swap(value);
      by_use_.splice(by_use_.begin(), by_use_, found->second);
      return;
    }
    by_use_.push_front(Entry{key, std::move(value)});
    by_key_.emplace(by_use_.front().key, by_use_.begin());
    if (by_use_.size() > max_entries_) {
      by_key_.erase(by_use_.back().key);
      evicted.splice(evicted.begin(), by_use_, std::prev(by_use_.end()));
      ++counts_.evictions;
    }
  }

  CacheCounts Counts() const {
    const absl::MutexLock lock(&mutex_);
    CacheCounts counts = counts_;
    counts.entries = by_use_.size();
    return counts;
  }

 private:
  struct Entry {
    std::string key;
    ValuePtr value;
  };
  using Uses = std::list<Entry>;

  const size_t max_entries_;
  mutable absl::Mutex mutex_;
  Uses by_use_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<std::string_view, typename Uses::iterator> by_key_
      ABSL_GUARDED_BY(mutex_);  // views into by_use_
  CacheCounts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_LRU_CACHE_H
