// What the tests of the live table see that its users do not.
#ifndef HEAPGAUGE_TESTS_UNIT_STORE_LIVE_TABLE_PEER_H_
#define HEAPGAUGE_TESTS_UNIT_STORE_LIVE_TABLE_PEER_H_

#include <cstdint>
#include <vector>

#include "store/live_table.h"

namespace heapgauge {

class LiveTablePeer final {
 public:
  // Sum of all buckets' `passed`: 0 in an empty table (L3).
  static uint64_t Passed(const LiveTable& table) {
    uint64_t sum = 0;
    for (const LiveTable::Shard& shard : table.shards_) {
      const LiveTable::Segment* segment = shard.newest.load();
      for (; segment != nullptr; segment = segment->older) {
        for (size_t b = 0; b <= segment->mask; ++b) sum += segment->buckets[b].passed.load();
      }
    }
    return sum;
  }

  // Addresses of one shard whose first bucket, in a segment of kFirstBuckets, is the same.
  static std::vector<uintptr_t> Colliding(size_t count) {
    std::vector<uintptr_t> blocks;
    for (uintptr_t block = 4096; blocks.size() < count; block += 4096) {
      const uint64_t hash = LiveTable::Hash(block);
      if (hash >> 60 == 5 && hash % LiveTable::kFirstBuckets == 3) blocks.push_back(block);
    }
    return blocks;
  }

  // Addresses of one shard, whatever their buckets.
  static std::vector<uintptr_t> OfOneShard(size_t count) {
    std::vector<uintptr_t> blocks;
    for (uintptr_t block = 4096; blocks.size() < count; block += 4096) {
      if (LiveTable::Hash(block) >> 60 == 5) blocks.push_back(block);
    }
    return blocks;
  }

  // The bucket that a block looks for first in a segment of kFirstBuckets.
  static size_t FirstBucket(uintptr_t block) {
    return LiveTable::Hash(block) % LiveTable::kFirstBuckets;
  }

  static size_t Segments(const LiveTable& table, size_t shard) {
    size_t count = 0;
    const LiveTable::Segment* segment = table.shards_[shard].newest.load();
    for (; segment != nullptr; segment = segment->older) ++count;
    return count;
  }

  // As if the last blocks had gone while an insertion that had not seen it was about to set its
  // mark.
  static void MarkFull(LiveTable& table) {
    for (LiveTable::Shard& shard : table.shards_) shard.refusals.store(LiveTable::kRefusals);
  }

  // As if a thread of the parent had been growing every shard when another one forked.
  static void LeaveGrowing(LiveTable& table) {
    for (LiveTable::Shard& shard : table.shards_) shard.growing.store(true);
  }
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_STORE_LIVE_TABLE_PEER_H_
