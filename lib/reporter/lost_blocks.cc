#include "reporter/lost_blocks.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "base/raw_syscall.h"
#include "graph/holder_search.h"

namespace heapgauge {
namespace {

constexpr uint64_t kSliceNs = 1'000'000'000;
constexpr long kBetweenNs = 200'000'000;
constexpr size_t kMostPointers = size_t{4} << 20;  // what is missing makes a block stand for itself

bool Before(const LostBlocks::Block& a, const LostBlocks::Block& b) { return a.turned < b.turned; }

bool Look(const Tracker& tracker, HolderSearch& search) {
  if (!search.Begin(tracker.live())) return false;
  while (search.Step(kSliceNs)) {
  }
  return search.finished();
}

std::vector<LostBlocks::Block> Missed(const Tracker& tracker, const HolderSearch& search,
                                      const ProcessEnd& end, LostBlocks* sums) {
  std::vector<LostBlocks::Block> missed;
  sums->checked_objects = sums->checked_bytes = 0;
  tracker.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    if (sample.birth_ns < end.since_ns) return;
    ++sums->checked_objects;
    sums->checked_bytes += sample.bytes;
    if (search.HolderOf(block).answer != HolderSearch::Answer::kLost) return;
    missed.push_back({~uint64_t{block}, sample.bytes, sample.site});
  });
  std::sort(missed.begin(), missed.end(), Before);
  return missed;
}

}  // namespace

bool FindLostBlocks(const Tracker& tracker, size_t memory_limit_bytes, const ProcessEnd& end,
                    LostBlocks* lost) {
  const auto search = std::make_unique<HolderSearch>(memory_limit_bytes);
  search->SetEnd(end.thread, end.frame);
  if (!search->Works() || !Look(tracker, *search)) return false;
  std::vector<LostBlocks::Block>& blocks = lost->blocks;
  blocks = Missed(tracker, *search, end, lost);
  constexpr size_t kOurs = 2;  // who ends the process, and this one
  if (!blocks.empty() && search->surroundings().threads().size() > kOurs) {
    const timespec pause = {0, kBetweenNs};
    RawSyscall(SYS_nanosleep, &pause, nullptr);
    if (!Look(tracker, *search)) return false;
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
