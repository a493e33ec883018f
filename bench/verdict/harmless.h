// What the harmless scenarios have in common, and those of them that have files of their own.
#ifndef HEAPGAUGE_BENCH_VERDICT_HARMLESS_H_
#define HEAPGAUGE_BENCH_VERDICT_HARMLESS_H_

#include <vector>

#include "ingredients.h"
#include "scenario.h"

namespace heapgauge::sim {

inline double End(const Setting& setting) { return setting.scale_s * setting.scales; }

inline Process Around(std::vector<Population> populations, const Setting& setting,
                      const Traffic& traffic, Random& random) {
  Process process;
  process.sites.emplace_back(0, setting.interval_bytes, std::move(populations));
  AddCompany(process.sites, setting, traffic, random);
  return process;
}

inline double AnyRate(Random& random) { return random.LogUniform(0.3, 60); }

// Of what comes or goes at once (harmless_bursts.cc).
Process Batches(const Setting& setting, Random& random);
Process Sweeps(const Setting& setting, Random& random);
Process RareSweeps(const Setting& setting, Random& random);
Process Replaced(const Setting& setting, Random& random);
Process FewLoads(const Setting& setting, Random& random);
Process CacheInBursts(const Setting& setting, Random& random);
Process Doubles(const Setting& setting, Random& random);

// Of what a service keeps (harmless_kept.cc).
Process LruCache(const Setting& setting, Random& random);
Process LruCacheAmong(const Setting& setting, Random& random);
Process PoolOfPeaks(const Setting& setting, Random& random);
Process PoolInRamp(const Setting& setting, Random& random);
Process Subscriptions(const Setting& setting, Random& random);
Process Retries(const Setting& setting, Random& random);

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_HARMLESS_H_
