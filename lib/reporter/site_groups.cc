#include "reporter/site_groups.h"

#include <algorithm>

namespace heapgauge {
namespace {

constexpr uint64_t kTelling = 4;

}  // namespace

SiteGroups::SiteGroups(const StoreSnapshot& snapshot, const Tracker& tracker,
                       SiteIdentity& identity, const CallsiteMap& callsites) {
  TakeStacks(snapshot, tracker, identity);
  Group(snapshot, callsites);
}

// Stacks that differ only by the place a module was loaded at are one: the first stands for them.
// The largest first: where there are more than can be followed, those are.
void SiteGroups::TakeStacks(const StoreSnapshot& snapshot, const Tracker& tracker,
                            SiteIdentity& identity) {
  Places at;
  at.reserve(snapshot.sites.size());
  stacks_.reserve(snapshot.sites.size());
  for (const SiteSnapshot& site : snapshot.sites) {
    const uint64_t id = identity.IdOf(*tracker.sites().At(site.index));
    const auto [found, fresh] = at.emplace(id, static_cast<uint32_t>(stacks_.size()));
    if (fresh) {
      stacks_.push_back({id, site.index, site.observation});
    } else {
      AddObservation(stacks_[found->second].observation, site.observation);
    }
  }
  std::sort(stacks_.begin(), stacks_.end(), [](const Stack& a, const Stack& b) {
    return a.observation.live_bytes != b.observation.live_bytes
               ? a.observation.live_bytes > b.observation.live_bytes
               : a.id < b.id;
  });
}

// Adds `count` stacks to their call site, and to the line of the program where that is another.
SiteGroups::Sum& SiteGroups::Add(const CallsiteMap& callsites, uint32_t site, uint64_t count,
                                 const SiteObservation& observation) {
  constexpr uint64_t kSeveral = ~uint64_t{0};
  const auto add = [&](std::vector<Sum>& sums, Places& places, uint64_t id) -> Sum& {
    const auto [found, fresh] = places.emplace(id, static_cast<uint32_t>(sums.size()));
    if (fresh) {
      sums.push_back({id, 0, {}, 0, site, observation});
    } else {
      AddObservation(sums[found->second].observation, observation);
    }
    sums[found->second].stacks_total += count;
    return sums[found->second];
  };
  const uint64_t callsite = callsites.Of(site).id;
  const uint64_t told = callsites.ProgramLineOf(site).id;
  // A line may be a call site of its own as well, and is another sum then.
  const uint64_t line = told != callsite ? ~told : 0;
  if (line != 0) add(lines_, line_at_, line);
  Sum& sum = add(callsites_, callsite_at_, callsite);
  const bool first = sum.stacks_total == count;
  if (first || sum.parent != line) sum.parent = first && line != 0 ? line : kSeveral;
  return sum;
}

void SiteGroups::Group(const StoreSnapshot& snapshot, const CallsiteMap& callsites) {
  for (uint32_t k = 0; k < stacks_.size(); ++k) {
    Add(callsites, stacks_[k].index, 1, stacks_[k].observation).stacks.push_back(k);
  }
  for (const auto& [id, group] : snapshot.others_by_group) {
    Add(callsites, group.first, group.count, group.observation);
  }
  for (Sum& sum : callsites_) {
    if (line_at_.count(sum.parent) == 0) sum.parent = 0;  // several, or the call site itself
  }
  std::sort(callsites_.begin(), callsites_.end(), [](const Sum& a, const Sum& b) {
    return a.observation.live_bytes != b.observation.live_bytes
               ? a.observation.live_bytes > b.observation.live_bytes
               : a.id < b.id;
  });
  for (uint32_t k = 0; k < callsites_.size(); ++k) callsite_at_[callsites_[k].id] = k;
}

void SiteGroups::Observe(Analyzer& analyzer, std::unordered_map<uint64_t, uint64_t>& alone) const {
  for (const Sum& callsite : callsites_) {
    if (callsite.stacks_total == 1 && callsite.stacks.size() == 1) {
      alone.insert_or_assign(callsite.id, stacks_[callsite.stacks[0]].id);
    } else if (const auto was = alone.find(callsite.id); was != alone.end()) {
      analyzer.Split(callsite.id, was->second);
      alone.erase(was);
    }
    analyzer.Observe(callsite.id, callsite.observation, SiteLevel::kCallsite, callsite.parent);
  }
  for (const Sum& line : lines_) {
    // One stack says the same as its call site.
    if (line.stacks_total < 2) continue;
    analyzer.Observe(line.id, line.observation, SiteLevel::kProgramLine);
  }
  for (const Sum& callsite : callsites_) {
    for (const uint32_t k : callsite.stacks) {
      const Stack& stack = stacks_[k];
      // Too few samples to say anything of it alone: not worth a history.
      const bool tells = stack.observation.live_samples >= kTelling || analyzer.Follows(stack.id);
      if (callsite.stacks_total > 1 && tells) {
        analyzer.Observe(stack.id, stack.observation, SiteLevel::kStack, callsite.id);
      } else {
        analyzer.Count(stack.observation);
      }
    }
  }
}

}  // namespace heapgauge
