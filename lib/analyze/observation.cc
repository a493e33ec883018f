#include "analyze/observation.h"

#include <algorithm>

namespace heapgauge {

void AddObservation(SiteObservation& sum, const SiteObservation& site) {
  sum.allocated_bytes += site.allocated_bytes;
  sum.freed_bytes += site.freed_bytes;
  sum.allocated_objects += site.allocated_objects;
  sum.freed_objects += site.freed_objects;
  sum.allocated_variance += site.allocated_variance;
  sum.freed_variance += site.freed_variance;
  sum.allocated_samples += site.allocated_samples;
  sum.freed_samples += site.freed_samples;
  sum.live_bytes += site.live_bytes;
  sum.live_objects += site.live_objects;
  sum.live_variance += site.live_variance;
  sum.live_samples += site.live_samples;
  sum.least_resident += site.least_resident;
  sum.unseen_deaths += site.unseen_deaths;
  sum.free_samples += site.free_samples;
  sum.age_max_s = std::max(sum.age_max_s, site.age_max_s);
  for (size_t i = 0; i < kAgeBuckets; ++i) {
    sum.deaths[i] += site.deaths[i];
    sum.living[i] += site.living[i];
  }
}

}  // namespace heapgauge
