#include "reporter/lost_blocks.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "base/raw_syscall.h"
#include "graph/holder_search.h"
#include "labels/labels.h"
#include "lsan/lsan_hooks.h"
#include "reporter/thread_rest.h"

namespace heapgauge {
namespace {

constexpr uint64_t kSliceNs = 1'000'000'000;
constexpr long kBetweenNs = 200'000'000;
constexpr size_t kMostPointers = size_t{4} << 20;  // what is missing makes a block stand for itself

bool Before(const LostBlocks::Block& a, const LostBlocks::Block& b) { return a.turned < b.turned; }

// `rest`: nullptr where the threads go on.
bool Look(const Tracker& tracker, HolderSearch& search, ThreadRest* rest) {
  if (!search.Begin(tracker.live())) return false;
  if (rest != nullptr) rest->Extend();  // no lock is taken from here on
  while (search.Step(kSliceNs)) {
  }
  return search.finished();
}

// Label sets of what the program does not want to be told about (lsan/lsan_api.cc).
std::vector<bool> IgnoredSets() {
  const Labels& labels = Labels::Get();
  std::vector<bool> ignored(labels.last_set() + 1);
  for (uint32_t set = 1; set <= labels.last_set(); ++set) {
    labels.ForEachOf(static_cast<uint16_t>(set), [&](uint16_t label) {
      if (labels.KeyOf(label) == kLsanLabelKey && labels.ValueOf(label) == kLsanLabelValue)
        ignored[set] = true;
    });
  }
  return ignored;
}

// Takes out what is ignored and what hangs on it.
void LeaveOutIgnored(LostBlocks* lost) {
  std::vector<char> out(lost->blocks.size());
  std::vector<uint32_t> open;
  for (uint32_t i = 0; i < lost->blocks.size(); ++i) {
    if (lost->blocks[i].ignored) open.push_back(i), out[i] = 1;
  }
  if (open.empty()) return;
  while (!open.empty()) {
    const uint32_t from = open.back();
    open.pop_back();
    const auto first = std::lower_bound(lost->pointers.begin(), lost->pointers.end(),
                                        std::pair(from, uint32_t{0}));
    for (auto at = first; at != lost->pointers.end() && at->first == from; ++at) {
      if (out[at->second] == 0) open.push_back(at->second), out[at->second] = 1;
    }
  }
  std::vector<uint32_t> place(lost->blocks.size());
  uint32_t left = 0;
  for (uint32_t i = 0; i < out.size(); ++i) {
    place[i] = left;
    if (out[i] == 0) lost->blocks[left++] = lost->blocks[i];
  }
  lost->blocks.resize(left);
  std::erase_if(lost->pointers, [&](const auto& pointer) {
    return out[pointer.first] != 0 || out[pointer.second] != 0;
  });
  for (auto& [from, to] : lost->pointers) from = place[from], to = place[to];
}

std::vector<LostBlocks::Block> Missed(const Tracker& tracker, const HolderSearch& search,
                                      const ProcessEnd& end, LostBlocks* sums) {
  std::vector<LostBlocks::Block> missed;
  const std::vector<bool> ignored = IgnoredSets();
  sums->checked_objects = sums->checked_bytes = 0;
  tracker.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    if (sample.birth_ns < end.since_ns) return;
    ++sums->checked_objects;
    sums->checked_bytes += sample.bytes;
    if (!search.IsLost(block)) return;
    const bool is_ignored = sample.labels < ignored.size() && ignored[sample.labels];
    missed.push_back({~uint64_t{block}, sample.bytes, sample.site, is_ignored});
  });
  std::sort(missed.begin(), missed.end(), Before);
  return missed;
}

}  // namespace

bool FindLostBlocks(const Tracker& tracker, size_t memory_limit_bytes, const ProcessEnd& end,
                    LostBlocks* lost) {
  const auto search = std::make_unique<HolderSearch>(memory_limit_bytes);
  search->SetEnd(end.thread, end.frame, end.signal_stack);
  if (!search->Works()) return false;
  std::vector<LostBlocks::Block>& blocks = lost->blocks;
  bool looked = false;
  bool at_rest = false;
  {
    ThreadRest rest;
    rest.Hold(end.thread);
    // Who rests may be in the midst of a fork, or of loading a module.
    looked = Look(tracker, *search, &rest);
    at_rest = looked && rest.IsWhole();
  }
  if (!looked && !Look(tracker, *search, nullptr)) return false;
  blocks = Missed(tracker, *search, end, lost);
  if (!at_rest && !blocks.empty()) {
    const timespec pause = {0, kBetweenNs};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
    if (!Look(tracker, *search, nullptr)) return false;
    const std::vector<LostBlocks::Block> again = Missed(tracker, *search, end, lost);
    std::erase_if(blocks, [&](const LostBlocks::Block& block) {
      const auto found = std::lower_bound(again.begin(), again.end(), block, Before);
      return found == again.end() || found->turned != block.turned;
    });
  }
  for (uint32_t from = 0; from < blocks.size(); ++from) {
    uint32_t before = ~uint32_t{0};
    search->ForEachTarget(~blocks[from].turned, [&](uintptr_t target) {
      LostBlocks::Block wanted;
      wanted.turned = ~uint64_t{target};
      const auto found = std::lower_bound(blocks.begin(), blocks.end(), wanted, Before);
      if (found == blocks.end() || found->turned != wanted.turned) return;
      const uint32_t to = static_cast<uint32_t>(found - blocks.begin());
      if (to == before || to == from || lost->pointers.size() == kMostPointers) return;
      before = to;
      lost->pointers.emplace_back(from, to);
    });
  }
  search->Release();
  LeaveOutIgnored(lost);
  return true;
}

std::string LostBlocks::Graph(const std::vector<uint32_t>& sites) const {
  std::string text;
  size_t next = 0;
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    const auto site = std::lower_bound(sites.begin(), sites.end(), blocks[i].site);
    text += fmt::format("{} {}", site - sites.begin(), blocks[i].bytes);
    for (; next < pointers.size() && pointers[next].first == i; ++next) {
      text += fmt::format(" {}", pointers[next].second);
    }
    text += '\n';
  }
  return text;
}

}  // namespace heapgauge
