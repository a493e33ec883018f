#include "reporter/snapshot_api.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <type_traits>

#include "base/clock.h"
#include "base/errno_keeper.h"
#include "reporter/heap_figures.h"
#include "reporter/own_work.h"
#include "reporter/site_identity.h"
#include "reporter/store_snapshot.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

// A program finds rows by the size of its own heapgauge_site, of which the library learns by the
// size of heapgauge_snapshot: when the one grows, so does the other, and the shim's
// heapgauge_take_snapshot() then knows both pairs.
static_assert(sizeof(heapgauge_snapshot) == 112 && sizeof(heapgauge_site) == 88,
              "structures of the C API grow together");

// A HeapFigures lies in each of the two as it is.
template <typename Row>
void Put(const HeapFigures& figures, Row& row) {
  static_assert(std::is_trivially_copyable_v<HeapFigures> &&
                sizeof(HeapFigures) == 7 * sizeof(double));
  const auto same = [](size_t ours, size_t theirs) {
    return theirs - offsetof(Row, live_bytes) == ours;
  };
  static_assert(same(offsetof(HeapFigures, live_bytes), offsetof(Row, live_bytes)));
  static_assert(same(offsetof(HeapFigures, live_bytes_stderr), offsetof(Row, live_bytes_stderr)));
  static_assert(same(offsetof(HeapFigures, live_objects), offsetof(Row, live_objects)));
  static_assert(same(offsetof(HeapFigures, allocated_bytes), offsetof(Row, allocated_bytes)));
  static_assert(same(offsetof(HeapFigures, freed_bytes), offsetof(Row, freed_bytes)));
  static_assert(same(offsetof(HeapFigures, allocated_objects), offsetof(Row, allocated_objects)));
  static_assert(same(offsetof(HeapFigures, freed_objects), offsetof(Row, freed_objects)));
  std::memcpy(&row.live_bytes, &figures, sizeof(figures));
}

// Ids are computed once a site, for all callers.  A lock held at a fork is lost to the child, so a
// caller that does not get it goes without ids (0) instead of waiting.
std::timed_mutex g_identity_mutex;
SiteIdentity* g_identity = nullptr;

void FillIds(heapgauge_site* rows, const std::vector<SiteSnapshot>& sites, size_t count) {
  std::unique_lock<std::timed_mutex> lock(g_identity_mutex, std::try_to_lock);
  // The wait reads a clock.  relaxed: set by the thread that may not.
  if (!lock.owns_lock() && !g_only_coarse_clock.load(std::memory_order_relaxed)) {
    lock.try_lock_for(std::chrono::seconds(1));
  }
  if (!lock.owns_lock()) return;
  if (g_identity == nullptr) g_identity = new SiteIdentity(&Tracker::Get().modules());
  g_identity->Refresh(Tracker::Get());
  for (size_t i = 0; i < count; ++i) {
    rows[i].id = g_identity->IdOf(*Tracker::Get().sites().At(sites[i].index));
  }
}

heapgauge_site RowOf(const SiteSnapshot& from) {
  const SiteObservation& seen = from.observation;
  const StoredSite* const stored = Tracker::Get().sites().At(from.index);
  heapgauge_site row{};
  row.size = sizeof(row);
  Put(FiguresOf(seen), row);
  row.age_max_s = seen.age_max_s;
  row.frame_count = stored->depth;
  // Sites are never removed: their frames may be pointed to for good.
  row.frames = reinterpret_cast<void* const*>(stored->frames());
  return row;
}

}  // namespace

heapgauge_status TakeApiSnapshot(ThreadState& self, heapgauge_snapshot* out,
                                 size_t max_sites) noexcept {
  const ErrnoKeeper errno_keeper;
  const OwnWork work(&self);
  heapgauge_status status = HEAPGAUGE_OK;
  try {
    const Tracker& tracker = Tracker::Get();
    StoreSnapshot snapshot = TakeStoreSnapshot(tracker);
    const size_t count = std::min(max_sites, snapshot.sites.size());
    std::partial_sort(snapshot.sites.begin(),
                      snapshot.sites.begin() + static_cast<ptrdiff_t>(count), snapshot.sites.end(),
                      [](const SiteSnapshot& a, const SiteSnapshot& b) {
                        return a.observation.live_bytes > b.observation.live_bytes;
                      });
    heapgauge_site* rows = nullptr;
    if (count != 0) {
      rows = static_cast<heapgauge_site*>(std::calloc(count, sizeof(heapgauge_site)));
      if (rows == nullptr) throw std::bad_alloc();
      for (size_t i = 0; i < count; ++i) rows[i] = RowOf(snapshot.sites[i]);
      FillIds(rows, snapshot.sites, count);
    }
    out->interval_bytes = tracker.interval_bytes();
    out->samples = snapshot.samples;
    out->live_samples = snapshot.totals.live_samples;
    out->dropped_samples = tracker.dropped();
    Put(FiguresOf(snapshot.totals), *out);
    out->site_count = count;
    out->sites = rows;
  } catch (...) {
    status = HEAPGAUGE_NO_MEMORY;
  }
  return status;
}

void FreeApiSnapshot(heapgauge_snapshot* snapshot) noexcept {
  std::free(const_cast<heapgauge_site*>(snapshot->sites));
  const size_t size = snapshot->size;
  *snapshot = heapgauge_snapshot{};
  snapshot->size = size;
}

}  // namespace heapgauge
