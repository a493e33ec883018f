#include "reporter/temporary_figures.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "reporter/site_identity.h"

namespace heapgauge {

void TemporaryFigures::Begin(Tracker& tracker, uint64_t now_ns, bool is_look) {
  const uint32_t count = tracker.sites().size();
  survived_.resize(count);
  seen_.assign(count, {});
  is_look_ = is_look;
  now_ns_ = now_ns;
  until_ns_ = now_ns - std::min(now_ns, kClockNs);
  // A fork's child has its parent's figures, but what of them was older is not known.
  const bool inherits = !has_begun_ && tracker.reported_ns() != 0;
  if (inherits) since_ns_ = until_ns_ = now_ns;
  if (!is_look) tracker.SetReported(until_ns_);
  has_begun_ = true;
  for (uint32_t index = 0; index < count; ++index) {
    const StoredSite* const stored = tracker.sites().At(index);
    if (stored == nullptr) continue;
    // relaxed throughout: site_table.h.
    const auto objects = [](int64_t units) { return static_cast<double>(units) * kObjectsUnit; };
    const SiteCounters& born = stored->allocated;
    Seen& seen = seen_[index];
    seen.allocated.objects = static_cast<double>(born.samples.load(std::memory_order_relaxed)) +
                             objects(born.unseen_objects.load(std::memory_order_relaxed));
    seen.allocated.bytes =
        static_cast<double>(born.bytes.load(std::memory_order_relaxed)) * kBytesUnit;
    seen.allocated.variance = born.variance.load(std::memory_order_relaxed);
    seen.moved.objects = objects(stored->moved_objects.load(std::memory_order_relaxed));
    seen.moved.bytes =
        static_cast<double>(stored->moved_bytes.load(std::memory_order_relaxed)) * kBytesUnit;
    if (!inherits) continue;
    Sum& survived = survived_[index];
    survived = seen.allocated;
    survived.objects -= seen.moved.objects;
    survived.bytes -= seen.moved.bytes;
  }
}

void TemporaryFigures::Fill(const CallsiteMap& callsites, Report& report) {
  struct Row : Sum {
    double allocated_objects = 0;
    double allocated_bytes = 0;
    uint32_t first = 0;
  };
  std::unordered_map<uint64_t, Row> rows;
  Row all;
  for (uint32_t index = 0; index < seen_.size(); ++index) {
    const Seen& seen = seen_[index];
    if (seen.allocated.objects <= 0) continue;
    const Sum& survived = survived_[index];
    const auto left = [&](double Sum::*of) {
      return std::max(0.0, seen.allocated.*of - seen.moved.*of - survived.*of - seen.survived.*of -
                               seen.young.*of);
    };
    Row& row = rows.try_emplace(callsites.Of(index).id, Row{{}, 0, 0, index}).first->second;
    for (Row* const to : {&row, &all}) {
      to->objects += left(&Sum::objects);
      to->bytes += left(&Sum::bytes);
      to->variance += left(&Sum::variance);
      to->allocated_objects += seen.allocated.objects;
      to->allocated_bytes += seen.allocated.bytes;
    }
  }
  const auto figures = [](const Row& row) {
    return BriefFigures{.objects = row.objects,
                        .bytes = row.bytes,
                        .bytes_stderr = std::sqrt(row.variance),
                        .allocated_objects = row.allocated_objects,
                        .allocated_bytes = row.allocated_bytes};
  };
  Temporary& temporary = report.temporary.emplace();
  static_cast<BriefFigures&>(temporary) = figures(all);
  std::vector<std::pair<uint64_t, const Row*>> sorted;
  for (const auto& [id, row] : rows) {
    if (id != 0 && row.objects >= 0.5) sorted.emplace_back(id, &row);  // what rounding leaves
  }
  const size_t most = std::min(sorted.size(), kCallsites);
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(sorted.begin(), middle, sorted.end(), [](const auto& a, const auto& b) {
    return a.second->objects != b.second->objects ? a.second->objects > b.second->objects
                                                  : a.first < b.first;
  });
  sorted.resize(most);
  for (const auto& [id, row] : sorted) {
    BriefCallsite& callsite = temporary.callsites.emplace_back();
    static_cast<BriefFigures&>(callsite) = figures(*row);
    callsite.id = IdText(id);
    callsite.frame = callsites.Of(row->first).frame;
  }
  if (!is_look_) {
    for (size_t index = 0; index < seen_.size(); ++index) {
      survived_[index].Add(seen_[index].survived);
    }
    since_ns_ = until_ns_;
  }
  seen_ = {};
}

}  // namespace heapgauge
