#include "report/difference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/basename.h"
#include "report/callsite.h"
#include "report/frame_text.h"
#include "report/units.h"

namespace heapgauge {
namespace {

// Where a call site has no twin by id: what a person would take for the same place.
std::string PlaceOf(const Site& site) {
  if (site.frames.empty()) return {};
  const Frame& frame = CallsiteFrame(site.frames, site.callsite);
  std::string place = frame.function.empty() ? ModuleAndOffset(frame) : frame.function;
  return place.append(1, '\n').append(Basename(frame.file ? *frame.file : frame.module));
}

// The same stack of another build: its frames by name.
std::string StackPlace(const Site& site) {
  std::string place;
  for (size_t i = site.callsite; i < site.frames.size(); ++i) {
    place +=
        site.frames[i].function.empty() ? ModuleAndOffset(site.frames[i]) : site.frames[i].function;
    place += '\n';
  }
  return place;
}

// Index in `after` for each of `before`, by id and then by `place` where that is unambiguous.
using Twins = std::vector<std::optional<size_t>>;
Twins Join(const std::vector<const Site*>& before, const std::vector<const Site*>& after,
           std::string (*place)(const Site&)) {
  Twins twins(before.size());
  std::vector<bool> taken(after.size());
  std::unordered_map<std::string, size_t> by_id;
  for (size_t i = 0; i < after.size(); ++i) {
    if (!after[i]->id.empty()) by_id.emplace(after[i]->id, i);
  }
  for (size_t i = 0; i < before.size(); ++i) {
    const auto found = by_id.find(before[i]->id);
    if (before[i]->id.empty() || found == by_id.end() || taken[found->second]) continue;
    twins[i] = found->second;
    taken[found->second] = true;
  }
  struct Left {
    size_t befores = 0, afters = 0, before = 0, after = 0;
  };
  std::unordered_map<std::string, Left> left;
  for (size_t i = 0; i < before.size(); ++i) {
    if (twins[i]) continue;
    Left& entry = left[place(*before[i])];
    ++entry.befores;
    entry.before = i;
  }
  for (size_t i = 0; i < after.size(); ++i) {
    if (taken[i]) continue;
    Left& entry = left[place(*after[i])];
    ++entry.afters;
    entry.after = i;
  }
  for (const auto& [text, entry] : left) {
    if (!text.empty() && entry.befores == 1 && entry.afters == 1) twins[entry.before] = entry.after;
  }
  return twins;
}

ChangedCallsite Changed(const Site* before, const Site* after) {
  ChangedCallsite row;
  row.site = after != nullptr ? *after : *before;
  row.fresh = before == nullptr;
  row.gone = after == nullptr;
  double variance = 0;
  if (before != nullptr) {
    row.before_bytes = before->live_bytes;
    row.growth_objects -= before->live_objects;
    variance += before->live_bytes_stderr * before->live_bytes_stderr;
  }
  if (after != nullptr) {
    row.after_bytes = after->live_bytes;
    row.growth_objects += after->live_objects;
    variance += after->live_bytes_stderr * after->live_bytes_stderr;
  }
  row.growth_bytes = row.after_bytes - row.before_bytes;
  row.growth_stderr = std::sqrt(variance);
  return row;
}

Site Subtract(const Site& after, const Site* before) {
  Site site = after;
  if (before != nullptr) {
    site.live_bytes -= before->live_bytes;
    site.live_objects -= before->live_objects;
    site.allocated_bytes -= before->allocated_bytes;
    site.allocated_objects -= before->allocated_objects;
    site.freed_bytes -= before->freed_bytes;
    site.freed_objects -= before->freed_objects;
  }
  site.growth_bytes = site.live_bytes;
  return site;
}

std::vector<const Site*> Pointers(const std::vector<Site>& sites) {
  std::vector<const Site*> pointers;
  for (const Site& site : sites) pointers.push_back(&site);
  return pointers;
}

std::vector<Site> StackDifferences(const std::vector<Site>& before,
                                   const std::vector<Site>& after) {
  const Twins twins = Join(Pointers(before), Pointers(after), StackPlace);
  std::vector<const Site*> earlier(after.size());
  std::vector<Site> stacks;
  for (size_t i = 0; i < before.size(); ++i) {
    if (twins[i]) {
      earlier[*twins[i]] = &before[i];
      continue;
    }
    Site nothing = before[i];
    nothing.live_bytes = nothing.live_objects = nothing.allocated_bytes = 0;
    nothing.allocated_objects = nothing.freed_bytes = nothing.freed_objects = 0;
    stacks.push_back(Subtract(nothing, &before[i]));
  }
  for (size_t i = 0; i < after.size(); ++i) stacks.push_back(Subtract(after[i], earlier[i]));
  std::stable_sort(stacks.begin(), stacks.end(),
                   [](const Site& a, const Site& b) { return a.growth_bytes > b.growth_bytes; });
  return stacks;
}

Report WithoutSites(Report report) {
  report.sites.clear();
  report.callsites.clear();
  return report;
}

}  // namespace

double ChangedCallsite::Low() const { return growth_bytes - kSigmas95 * growth_stderr; }
double ChangedCallsite::High() const { return growth_bytes + kSigmas95 * growth_stderr; }

Difference DifferenceOf(const Report& before, const Report& after) {
  Difference difference;
  const std::vector<Callsite> old_sites = CallsitesOf(before);
  const std::vector<Callsite> new_sites = CallsitesOf(after);
  const auto sums = [](const std::vector<Callsite>& callsites) {
    std::vector<const Site*> pointers;
    for (const Callsite& callsite : callsites) pointers.push_back(&callsite.sum);
    return pointers;
  };
  const std::vector<const Site*> olds = sums(old_sites);
  const std::vector<const Site*> news = sums(new_sites);
  const Twins twins = Join(olds, news, PlaceOf);
  std::vector<const Site*> earlier(news.size());
  for (size_t i = 0; i < olds.size(); ++i) {
    if (twins[i]) {
      earlier[*twins[i]] = olds[i];
    } else {
      difference.callsites.push_back(Changed(olds[i], nullptr));
    }
  }
  for (size_t i = 0; i < news.size(); ++i)
    difference.callsites.push_back(Changed(earlier[i], news[i]));
  std::stable_sort(difference.callsites.begin(), difference.callsites.end(),
                   [](const ChangedCallsite& a, const ChangedCallsite& b) {
                     return a.growth_bytes > b.growth_bytes;
                   });
  difference.growth_bytes = after.totals.live_bytes - before.totals.live_bytes;
  difference.growth_objects = after.totals.live_objects - before.totals.live_objects;
  difference.growth_stderr =
      std::hypot(after.totals.live_bytes_stderr, before.totals.live_bytes_stderr);
  difference.unlisted_bytes = difference.growth_bytes;
  for (const ChangedCallsite& row : difference.callsites)
    difference.unlisted_bytes -= row.growth_bytes;
  difference.stacks = StackDifferences(before.sites, after.sites);
  difference.same_process =
      !before.instance.empty() && before.instance == after.instance && before.pid == after.pid;
  const double elapsed_ms =
      static_cast<double>(ParseUtc(after.time).value_or(0) - ParseUtc(before.time).value_or(0));
  difference.elapsed_s = elapsed_ms * 1e-3;
  difference.before = WithoutSites(before);
  difference.after = WithoutSites(after);
  return difference;
}

}  // namespace heapgauge
