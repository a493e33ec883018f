#include "reporter/lost_rings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_set>

#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kMostBlocks = 20'000;
constexpr size_t kMostRings = 5'000;
constexpr size_t kMostTold = 5;
constexpr size_t kMostMembers = 8;
constexpr size_t kMostBlockBytes = size_t{64} * 1024;
constexpr uintptr_t kWordBytes = sizeof(uintptr_t);

}  // namespace

LostRings::LostRings(HolderSearch& search, BlockTypes& types) : search_(search), held_(false) {
  search_.ForEachLost([&](uintptr_t block) {
    if (blocks_.size() < kMostBlocks) blocks_.push_back(~uint64_t{block});
  });
  FindRings(types);
}

LostRings::LostRings(HolderSearch& search, BlockTypes& types, const std::vector<Object>& held)
    : search_(search), held_(true) {
  std::unordered_set<uint64_t> seen;
  for (const Object& object : held) {
    for (const uint64_t block : object.way) {
      if (blocks_.size() < kMostBlocks && types.IsControlBlock(~block) && seen.insert(block).second)
        blocks_.push_back(block);
    }
  }
  // What they lead to.
  for (size_t i = 0; i < blocks_.size(); ++i) {
    search_.ForEachTarget(~blocks_[i], [&](uintptr_t target) {
      if (blocks_.size() < kMostBlocks && seen.insert(~uint64_t{target}).second)
        blocks_.push_back(~uint64_t{target});
    });
  }
  FindRings(types);
}

void LostRings::FindRings(BlockTypes& types) {
  std::unordered_map<uint64_t, uint32_t> places;
  for (uint32_t i = 0; i < blocks_.size(); ++i) places.emplace(blocks_[i], i);
  to_.resize(blocks_.size());
  for (uint32_t i = 0; i < blocks_.size(); ++i) {
    search_.ForEachTarget(~blocks_[i], [&](uintptr_t target) {
      const auto found = places.find(~uint64_t{target});
      if (found != places.end() && (to_[i].empty() || to_[i].back() != found->second))
        to_[i].push_back(found->second);
    });
  }
  FindParts();
  for (const std::vector<uint32_t>& part : parts_) {
    if (rings_.size() < kMostRings) AddRing(part, types);
  }
}

// Tarjan's, without recursion.
void LostRings::FindParts() {
  const auto count = static_cast<uint32_t>(blocks_.size());
  std::vector<uint32_t> order(count, kNone);
  std::vector<uint32_t> low(count, 0);
  std::vector<char> on_stack(count, 0);
  std::vector<uint32_t> stack;
  std::vector<std::pair<uint32_t, size_t>> way;
  uint32_t next = 0;
  for (uint32_t first = 0; first < count; ++first) {
    if (order[first] != kNone) continue;
    way.emplace_back(first, 0);
    while (!way.empty()) {
      const uint32_t at = way.back().first;
      if (way.back().second == 0) {
        order[at] = low[at] = next++;
        stack.push_back(at);
        on_stack[at] = 1;
      }
      bool deeper = false;
      while (way.back().second < to_[at].size() && !deeper) {
        const uint32_t target = to_[at][way.back().second++];
        if (order[target] == kNone) {
          way.emplace_back(target, 0);
          deeper = true;
        } else if (on_stack[target] != 0) {
          low[at] = std::min(low[at], order[target]);
        }
      }
      if (deeper) continue;
      if (way.back().second == 0) way.back().second = 1;
      if (low[at] == order[at]) {
        std::vector<uint32_t> part;
        uint32_t member = kNone;
        do {
          member = stack.back();
          stack.pop_back();
          on_stack[member] = 0;
          part.push_back(member);
        } while (member != at);
        if (part.size() > 1) parts_.push_back(std::move(part));
      }
      way.pop_back();
      if (!way.empty()) low[way.back().first] = std::min(low[way.back().first], low[at]);
    }
  }
}

void LostRings::AddRing(const std::vector<uint32_t>& members, BlockTypes& types) {
  std::map<std::string, size_t> names;
  bool counted = false;
  bool accounted = true;
  for (const uint32_t member : members) {
    const uintptr_t block = ~blocks_[member];
    const std::string& type = types.Of(block);
    if (types.IsControlBlock(block)) {
      counted = true;
      accounted = accounted && IsAccountedFor(member, members);
    }
    ++names[type.empty() ? "a block of " + FormatBytes(static_cast<double>(search_.BytesOf(block)))
                         : type];
  }
  Ring ring;
  ring.proven = counted && accounted;
  if (held_ && !ring.proven) return;
  for (const auto& [name, count] : names) {
    if (ring.members.size() == kMostMembers) break;
    ring.members.push_back(count > 1 ? fmt::format("{} x {}", count, name) : name);
  }
  const auto place = static_cast<uint32_t>(rings_.size());
  rings_.push_back(std::move(ring));
  // The ring, and what hangs on it.
  std::vector<uint32_t> open = members;
  for (const uint32_t member : members) ring_of_.emplace(blocks_[member], place);
  if (held_) return;  // what hangs on it may be all that there is
  while (!open.empty()) {
    const uint32_t from = open.back();
    open.pop_back();
    for (const uint32_t target : to_[from]) {
      if (ring_of_.emplace(blocks_[target], place).second) open.push_back(target);
    }
  }
}

// A control block: vtable, how many own it, how many know of it (the owners together as one).
bool LostRings::IsAccountedFor(uint32_t block, const std::vector<uint32_t>& members) {
  int32_t counts[2] = {};
  if (!search_.ReadMemory(~blocks_[block] + kWordBytes, sizeof(counts), counts)) return false;
  if (counts[0] < 1 || counts[1] < 1) return false;
  const int64_t owners = int64_t{counts[0]} + counts[1] - 1;
  int64_t found = 0;
  std::vector<uintptr_t> words;
  for (const uint32_t member : members) {
    const size_t bytes = std::min<size_t>(search_.BytesOf(~blocks_[member]), kMostBlockBytes);
    words.assign(bytes / kWordBytes, 0);
    if (words.empty() ||
        !search_.ReadMemory(~blocks_[member], words.size() * kWordBytes, words.data())) {
      continue;
    }
    for (uintptr_t& word : words) {
      found += ~uint64_t{word} == blocks_[block];
      word = 0;
    }
  }
  return found == owners;
}

std::vector<Ring> LostRings::Of(const std::vector<Object>& objects) const {
  std::map<std::vector<std::string>, Ring> told;
  for (const Object& object : objects) {
    auto found = ring_of_.find(object.turned);
    for (size_t i = 0; found == ring_of_.end() && i < object.way.size(); ++i) {
      found = ring_of_.find(object.way[i]);
    }
    if (found == ring_of_.end()) continue;
    const Ring& ring = rings_[found->second];
    const auto [known, added] = told.try_emplace(ring.members, ring);
    known->second.proven = known->second.proven && ring.proven;
    known->second.bytes += object.bytes;
  }
  std::vector<Ring> rings;
  for (auto& [members, ring] : told) rings.push_back(std::move(ring));
  std::stable_sort(rings.begin(), rings.end(),
                   [](const Ring& a, const Ring& b) { return a.bytes > b.bytes; });
  if (rings.size() > kMostTold) rings.resize(kMostTold);
  return rings;
}

}  // namespace heapgauge
