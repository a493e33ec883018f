#include "site.h"

#include <algorithm>
#include <cmath>

namespace heapgauge::sim {
namespace {

double SampleChance(double bytes, double interval_bytes) {
  return interval_bytes <= 1 ? 1.0 : -std::expm1(-bytes / interval_bytes);
}

size_t BucketOf(double age_s) {
  return AgeBucket(static_cast<uint64_t>(std::max(0.0, age_s) * 1e9));
}

constexpr size_t kAll = ~size_t{0};

double Variance(double bytes, double p) { return bytes * bytes * (1 - p) / (p * p); }

void CountBirth(double bytes, double p, SiteObservation& site) {
  site.allocated_bytes += bytes / p;
  site.allocated_objects += 1 / p;
  site.allocated_variance += Variance(bytes, p);
  ++site.allocated_samples;
}

void CountDeath(double bytes, double p, double age_s, SiteObservation& site) {
  site.freed_bytes += bytes / p;
  site.freed_objects += 1 / p;
  site.freed_variance += Variance(bytes, p);
  ++site.freed_samples;
  ++site.deaths[BucketOf(age_s)];
}

constexpr size_t kFirstLeaks = 64;

// Of `objects` that come together, how many are sampled, given that one is.
uint64_t SampledOf(uint64_t objects, double p, Random& random) {
  if (p >= 1) return objects;
  uint64_t hits = 0;
  do {
    hits = 0;
    for (uint64_t i = 0; i < objects; ++i) hits += random.Chance(p);
  } while (hits == 0);
  return hits;
}

}  // namespace

Site::Site(uint64_t key, double interval_bytes, std::vector<Population> populations)
    : key_(key), interval_bytes_(interval_bytes), populations_(std::move(populations)) {
  for (const Population& population : populations_) leaks_ |= population.leaks;
}

void Site::Split(size_t parts, bool leak_in_first, Random& random) {
  leak_in_first_ = leak_in_first;
  parts_.resize(parts);
  double sum = 0;
  for (Part& part : parts_) part.up_to = sum += random.Exponential(1);
  for (Part& part : parts_) part.up_to /= sum;
}

uint32_t Site::AnyPart(bool leaks, Random& random) const {
  if (parts_.empty() || (leaks && leak_in_first_)) return 0;
  const auto found = std::upper_bound(parts_.begin(), parts_.end() - 1, random.Uniform(),
                                      [](double at, const Part& part) { return at < part.up_to; });
  return static_cast<uint32_t>(found - parts_.begin());
}

void Site::AdvanceTo(double time_s, int steps, Random& random) {
  const double from = counters_.time_s;
  for (const Population& population : populations_) {
    for (int i = 0; i < steps; ++i) {
      const double step = (time_s - from) / steps;
      Births(population, from + i * step, from + (i + 1) * step, random);
    }
  }
  counters_.time_s = time_s;
  const auto dead = std::partition(living_.begin(), living_.end(), [time_s](const Sample& sample) {
    return sample.dies_s > time_s;
  });
  for (auto it = dead; it != living_.end(); ++it) Die(*it);
  living_.erase(dead, living_.end());
}

void Site::Live(const Sample& sample, double until_s) {
  CountBirth(sample.bytes, sample.p, counters_);
  if (!parts_.empty()) CountBirth(sample.bytes, sample.p, parts_[sample.part].counters);
  if (sample.dies_s <= until_s) {
    Die(sample);
  } else {
    living_.push_back(sample);
  }
}

void Site::BirthsOf(const std::vector<Block>& blocks, double from_s, double to_s, Random& random) {
  const auto first =
      std::lower_bound(blocks.begin(), blocks.end(), from_s,
                       [](const Block& block, double at) { return block.born_s < at; });
  for (auto it = first; it != blocks.end() && it->born_s < to_s; ++it) {
    const Block& block = *it;
    const double p = SampleChance(block.bytes, interval_bytes_);
    if (!random.Chance(p)) continue;
    Live({block.born_s, block.dies_s, block.bytes, p, AnyPart(false, random), false}, to_s);
  }
}

void Site::Births(const Population& population, double from_s, double to_s, Random& random) {
  if (!population.blocks.empty()) return BirthsOf(population.blocks, from_s, to_s, random);
  const double rate = population.births_per_s(0.5 * (from_s + to_s));
  if (!(rate > 0)) return;
  const double p = SampleChance(population.bytes, interval_bytes_);
  const double clusters = rate / population.cluster * (to_s - from_s);
  const double seen = 1 - std::pow(1 - p, population.cluster);  // at least one of a cluster
  if (population.leaks) {
    const double unseen_objects = clusters * (1 - seen) * population.cluster;
    leaked_bytes_ += population.bytes * static_cast<double>(random.Poisson(unseen_objects));
  }
  const uint64_t events = random.Poisson(clusters * seen);
  for (uint64_t event = 0; event < events; ++event) {
    const double born = random.Uniform(from_s, to_s);
    const double dies = population.dies_at(born, random);
    const auto size = static_cast<uint64_t>(std::max(1.0, std::round(population.cluster)));
    const uint64_t hits = size == 1 ? 1 : SampledOf(size, p, random);
    for (uint64_t i = 0; i < hits; ++i) {
      const Sample sample{
          born, dies, population.bytes, p, AnyPart(population.leaks, random), population.leaks};
      if (!parts_.empty()) parts_[sample.part].leaked += population.leaks ? 1 : 0;
      Live(sample, to_s);
    }
    if (population.leaks) {
      leaked_bytes_ += population.bytes * static_cast<double>(size);
      leaked_samples_ += hits;
      for (uint64_t i = 0; i < hits && leaks_s_.size() < kFirstLeaks; ++i) leaks_s_.push_back(born);
      first_leak_s_ = std::min(first_leak_s_, born);
      last_leak_s_ = std::max(last_leak_s_, born);
    }
  }
}

void Site::Stop(double at_s, double seconds) {
  stopped_at_s_ = at_s;
  stopped_for_s_ = seconds;
}

double Site::Age(const Sample& sample, double until_s) const {
  const bool through_stop = sample.born_s < stopped_at_s_ && until_s > stopped_at_s_;
  return until_s - sample.born_s + (through_stop ? stopped_for_s_ : 0);
}

void Site::Die(const Sample& sample) {
  const double age = Age(sample, sample.dies_s);
  CountDeath(sample.bytes, sample.p, age, counters_);
  if (!parts_.empty()) CountDeath(sample.bytes, sample.p, age, parts_[sample.part].counters);
}

Site::Survivors Site::OlderThan(double age_s) const {
  Survivors survivors;
  for (const Sample& sample : living_) {
    const double age = counters_.time_s - sample.born_s;
    if (age < age_s) continue;
    ++(sample.leaks ? survivors.leaked : survivors.others);
    if (!sample.leaks) continue;
    survivors.oldest_s = std::max(survivors.oldest_s, age);
    survivors.newest_s = survivors.leaked == 1 ? age : std::min(survivors.newest_s, age);
  }
  return survivors;
}

SiteObservation Site::Observe() const { return WithLiving(counters_, kAll); }

SiteObservation Site::ObservePart(size_t part) const {
  return WithLiving(parts_[part].counters, part);
}

SiteObservation Site::WithLiving(SiteObservation observation, size_t part) const {
  observation.time_s = counters_.time_s;
  if (counters_.time_s > stopped_at_s_) observation.time_s += stopped_for_s_;
  for (const Sample& sample : living_) {
    if (part != kAll && sample.part != part) continue;
    const double age = Age(sample, counters_.time_s);
    observation.live_bytes += sample.bytes / sample.p;
    observation.live_objects += 1 / sample.p;
    observation.live_variance += Variance(sample.bytes, sample.p);
    ++observation.live_samples;
    observation.age_max_s = std::max(observation.age_max_s, age);
    ++observation.living[BucketOf(age)];
  }
  return observation;
}

}  // namespace heapgauge::sim
