#include "reporter/site_groups.h"

#include <algorithm>

namespace heapgauge {
namespace {

constexpr uint64_t kTelling = 4;
constexpr uint32_t kNone = ~0U;

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
      stacks_.push_back({id, site.index, 0, site.observation});
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

// How much of each call site belongs to which other sum; 0 is one of these, too.
class SiteGroups::Shares final {
 public:
  void Add(uint64_t callsite, uint64_t sum, const SiteObservation& observation) {
    Parts& parts = parts_[callsite];
    double* const held = parts.Of(sum);
    *held += observation.live_bytes;
  }
  // That which most of the call site's live bytes belong to; 0 where that is none.
  uint64_t MostOf(uint64_t callsite, bool* is_whole) const {
    const Parts& parts = parts_.at(callsite);
    *is_whole = parts.others.empty();
    if (*is_whole) return parts.sum;
    double all = parts.live;
    double most = parts.live;
    uint64_t sum = parts.sum;
    for (const auto& [other, live] : parts.others) {
      all += live;
      if (live <= most) continue;
      most = live;
      sum = other;
    }
    return most > 0.5 * all ? sum : 0;
  }

 private:
  struct Parts {  // nearly always one
    bool has_one = false;
    uint64_t sum = 0;
    double live = 0;
    std::unordered_map<uint64_t, double> others;

    double* Of(uint64_t id) {
      if (!has_one) sum = id;
      has_one = true;
      return id == sum ? &live : &others[id];
    }
  };
  std::unordered_map<uint64_t, Parts> parts_;
};

// Adds `count` stacks to their call site, to the line of the program where that is another, and to
// the wrapper that it asks.
void SiteGroups::Add(const CallsiteMap& callsites, uint32_t site, uint32_t stack, uint64_t count,
                     const SiteObservation& observation, Shares& in_lines, Shares& in_wrappers) {
  const auto add = [&](std::vector<Sum>& sums, Places& places, uint64_t id) -> Sum& {
    const auto [found, fresh] = places.emplace(id, static_cast<uint32_t>(sums.size()));
    if (fresh) {
      Sum sum;
      sum.id = id;
      sum.first = site;
      sum.observation = observation;
      sums.push_back(std::move(sum));
    } else {
      AddObservation(sums[found->second].observation, observation);
    }
    Sum& sum = sums[found->second];
    sum.stacks_total += count;
    if (stack != kNone) sum.stacks.push_back(stack);
    return sum;
  };
  const uint64_t callsite = callsites.Of(site).id;
  const uint64_t told = callsites.ProgramLineOf(site).id;
  // A line may be a call site of its own as well, and is another sum then.
  const uint64_t line = told != callsite ? ~told : 0;
  if (line != 0) add(lines_, line_at_, line);
  // A wrapper goes on under the id of the call site that it was taken for.
  const CallsiteMap::Callsite* const asked = callsites.WrapperOf(site);
  const uint64_t wrapper = asked != nullptr && asked->id != callsite ? asked->id : 0;
  if (wrapper != 0) add(wrappers_, wrapper_at_, wrapper);
  add(callsites_, callsite_at_, callsite);
  in_lines.Add(callsite, line, observation);
  in_wrappers.Add(callsite, wrapper, observation);
}

// Those that hold most first.
void SiteGroups::Sort(std::vector<Sum>& sums, Places& places) {
  std::sort(sums.begin(), sums.end(), [](const Sum& a, const Sum& b) {
    return a.observation.live_bytes != b.observation.live_bytes
               ? a.observation.live_bytes > b.observation.live_bytes
               : a.id < b.id;
  });
  places.clear();
  for (uint32_t k = 0; k < sums.size(); ++k) places[sums[k].id] = k;
}

void SiteGroups::Group(const StoreSnapshot& snapshot, const CallsiteMap& callsites) {
  Shares in_lines;
  Shares in_wrappers;
  for (uint32_t k = 0; k < stacks_.size(); ++k) {
    stacks_[k].callsite = callsites.Of(stacks_[k].index).id;
    Add(callsites, stacks_[k].index, k, 1, stacks_[k].observation, in_lines, in_wrappers);
  }
  for (const auto& [id, group] : snapshot.others_by_group) {
    Add(callsites, group.first, kNone, group.count, group.observation, in_lines, in_wrappers);
  }
  // Some stacks call a function as a wrapper, and some have nobody above it.
  std::erase_if(wrappers_, [this](const Sum& sum) { return callsite_at_.count(sum.id) != 0; });
  Sort(wrappers_, wrapper_at_);
  Sort(callsites_, callsite_at_);
  for (Sum& sum : callsites_) {
    sum.place.level = SiteLevel::kCallsite;
    sum.place.parent = in_lines.MostOf(sum.id, &sum.place.is_whole);
    bool all = true;
    sum.place.wrapper = in_wrappers.MostOf(sum.id, &all);
    if (wrapper_at_.count(sum.place.wrapper) == 0) sum.place.wrapper = 0;
    sum.place.alike = callsites.AlikeOf(sum.first);
  }
}

const SiteGroups::Sum* SiteGroups::Of(SiteLevel level, uint64_t id) const {
  switch (level) {
    case SiteLevel::kProgramLine:
      return Find(lines_, line_at_, id);
    case SiteLevel::kWrapper:
      return Find(wrappers_, wrapper_at_, id);
    default:
      return Find(callsites_, callsite_at_, id);
  }
}

void SiteGroups::Observe(Analyzer& analyzer, std::unordered_map<uint64_t, uint64_t>& alone) const {
  for (const Sum& callsite : callsites_) {
    if (callsite.stacks_total == 1 && callsite.stacks.size() == 1) {
      alone.insert_or_assign(callsite.id, stacks_[callsite.stacks[0]].id);
    } else if (const auto was = alone.find(callsite.id); was != alone.end()) {
      analyzer.Split(callsite.id, was->second);
      alone.erase(was);
    }
    analyzer.Observe(callsite.id, callsite.observation, callsite.place);
  }
  for (const Sum& line : lines_) {
    // One stack says the same as its call site.
    if (line.stacks_total < 2) continue;
    analyzer.Observe(line.id, line.observation, {.level = SiteLevel::kProgramLine});
  }
  for (const Sum& wrapper : wrappers_) {
    analyzer.Observe(wrapper.id, wrapper.observation, {.level = SiteLevel::kWrapper});
  }
  for (const Sum& callsite : callsites_) {
    for (const uint32_t k : callsite.stacks) {
      const Stack& stack = stacks_[k];
      // Too few samples to say anything of it alone: not worth a history.
      const bool tells = stack.observation.live_samples >= kTelling || analyzer.Follows(stack.id);
      if (callsite.stacks_total > 1 && tells) {
        analyzer.Observe(stack.id, stack.observation, {.parent = callsite.id});
      } else {
        analyzer.Count(stack.observation);
      }
    }
  }
}

}  // namespace heapgauge
