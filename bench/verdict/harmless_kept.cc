// Harmless: what a service keeps for as long as it is used, or until something else ends.
#include <algorithm>
#include <cmath>
#include <vector>

#include "harmless.h"
#include "ingredients.h"

namespace heapgauge::sim {
namespace {

// The same line makes request objects, too, at times.
void MaybeAmongRequests(double chance, double bytes, const Setting& setting,
                        std::vector<Population>& populations, Random& random) {
  if (!random.Chance(chance)) return;
  populations.push_back(Objects(AnyRate(random), bytes, setting, Constant(),
                                Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
}

// Keys of an LRU cache, by how often each is asked for in the time after which it is thrown out when
// nobody does: a few all the time, most hardly ever (Zipf's law).
struct Keys {
  std::vector<double> asked;
  std::vector<double> many;

  explicit Keys(double exponent) {
    constexpr int kClasses = 24;
    for (int i = 0; i < kClasses; ++i) {
      asked.push_back(0.01 * std::pow(1e4, static_cast<double>(i) / (kClasses - 1)));
      many.push_back(std::pow(asked.back(), -1 / exponent));
    }
  }

  // How many of a class are missed in that time; `at`: since the beginning, in the same unit.  As long
  // as the cache fills, those that nobody asked for yet; then, those that nobody did for so long.
  double Missed(size_t key, double at, double turnover) const {
    const double absent = std::exp(-asked[key] * std::min(1.0, at));
    return many[key] * (asked[key] * absent + (asked[key] > turnover ? turnover : 0));
  }
  double AllMissed(double at, double turnover) const {
    double missed = 0;
    for (size_t i = 0; i < many.size(); ++i) missed += Missed(i, at, turnover);
    return missed;
  }
};

// By Che's approximation: an entry goes when nobody asked for it for as long as filling took.
Process Lru(const Setting& setting, bool among, Random& random) {
  const double fills = setting.scale_s * random.LogUniform(0.5, 10);
  const Keys keys(random.Uniform(0.6, 1.2));
  // What is asked for changes, in that many fillings.
  const double turnover = random.Chance(0.5) ? 0 : 1 / random.LogUniform(0.3, 2);
  const double usual = keys.AllMissed(1, turnover);
  const Traffic misses = [=](double t) { return keys.AllMissed(t / fills, turnover) / usual; };
  const Lifetime lifetime = [=](double born, Random& draw) {
    double at = draw.Uniform() * keys.AllMissed(born / fills, turnover);
    size_t key = 0;
    while (key + 1 < keys.many.size() && (at -= keys.Missed(key, born / fills, turnover)) > 0)
      ++key;
    const double wanted = turnover > 0 ? draw.Exponential(1 / turnover) : kNever;
    constexpr double kForEver = 12;
    double asked = keys.asked[key] > kForEver ? wanted : 0;
    while (asked < wanted) {
      const double gap = draw.Exponential(1 / keys.asked[key]);
      if (gap >= 1) break;
      asked += gap;
    }
    return born + fills * (1 + std::min(asked, wanted));
  };
  const double bytes = AnyBytes(setting, random);
  std::vector<Population> populations = {
      Objects(AnyRate(random), bytes, setting, misses, lifetime)};
  MaybeAmongRequests(among ? 1 : 0, bytes, setting, populations, random);
  return Around(std::move(populations), setting, Constant(), random);
}

// As many connections as were ever busy at once: those are kept.
Process Pool(const Setting& setting, const Traffic& traffic, Random& random) {
  const double bytes =
      setting.interval_bytes <= 1 ? 4096 : setting.interval_bytes * random.LogUniform(0.02, 0.3);
  const double chance =
      setting.interval_bytes <= 1 ? 1 : -std::expm1(-bytes / setting.interval_bytes);
  const double busy = random.LogUniform(10, 300);
  const double samples = random.LogUniform(10, 300);
  const auto blocks = static_cast<size_t>(std::max(1.0, samples / (busy * chance)));
  const double uneven = random.LogUniform(0.05, 0.5);
  const double step = 0.1 * setting.scale_s;
  const double keeps = std::exp(-step / (setting.scale_s * random.LogUniform(0.05, 2)));
  Population pool;
  double noise = random.Normal();
  double most = 0;
  for (double at = 0; at < End(setting); at += step) {
    noise = keeps * noise + std::sqrt(1 - keeps * keeps) * random.Normal();
    for (const double now = busy * traffic(at) * (1 + uneven * noise); most + 1 <= now; ++most) {
      const double born = at + step * random.Uniform();
      for (size_t i = 0; i < blocks; ++i) pool.blocks.push_back({born, kNever, bytes});
    }
  }
  std::sort(pool.blocks.begin(), pool.blocks.end(),
            [](const Block& a, const Block& b) { return a.born_s < b.born_s; });
  std::vector<Population> populations = {std::move(pool)};
  MaybeAmongRequests(0.3, bytes, setting, populations, random);
  return Around(std::move(populations), setting, traffic, random);
}

}  // namespace

Process LruCache(const Setting& setting, Random& random) { return Lru(setting, false, random); }
Process LruCacheAmong(const Setting& setting, Random& random) { return Lru(setting, true, random); }

// Day and night, bursts, a step, or what chance makes of even traffic.
Process PoolOfPeaks(const Setting& setting, Random& random) {
  const double end = End(setting);
  switch (random.Below(4)) {
    case 0:
      return Pool(setting, Constant(), random);
    case 1:
      return Pool(
          setting,
          Waves(random.LogUniform(0.02, 0.3) * end, random.Uniform(0.2, 0.9), random.Uniform()),
          random);
    case 2:
      return Pool(setting, Bursts(setting, random.LogUniform(1.5, 6), random), random);
    default: {
      const double from = random.Uniform(0.1, 0.8) * end;
      const double takes = random.LogUniform(0.1, 9) * setting.scale_s;
      return Pool(setting, Ramp(from, from + takes, random.LogUniform(1.5, 6)), random);
    }
  }
}

// Traffic rises for most of the run, and the pool with it.
Process PoolInRamp(const Setting& setting, Random& random) {
  const double from = random.Uniform(0, 0.3) * End(setting);
  const double to = random.Uniform(0.4, 1) * End(setting);
  return Pool(setting, Ramp(from, to, random.LogUniform(1.5, 6)), random);
}

// Each client subscribes anew after every deploy, sooner or later; what it had before goes then, or
// with all others at the deploy.
Process Subscriptions(const Setting& setting, Random& random) {
  const double period =
      setting.scale_s * random.LogUniform(3, std::min(60.0, 0.1 * setting.scales));
  std::vector<double> deploys = Moments(period, random.Uniform(0, 0.5), 3 * End(setting), random);
  deploys.insert(deploys.begin(), 0);
  const double takes = std::min(period / 3, setting.scale_s * random.LogUniform(0.05, 10));
  const bool at_once = random.Chance(0.5);
  const Traffic comes = [=](double t) {
    const double since = t - *(std::upper_bound(deploys.begin(), deploys.end(), t) - 1);
    return std::exp(-since / takes) * setting.scale_s / takes;
  };
  const Lifetime lifetime = [=](double born, Random& draw) {
    const double next = *std::upper_bound(deploys.begin(), deploys.end(), born);
    return at_once ? next : next + draw.Exponential(takes);
  };
  const double bytes = AnyBytes(setting, random);
  std::vector<Population> populations = {
      Objects(random.LogUniform(10, 300), bytes, setting, comes, lifetime)};
  MaybeAmongRequests(0.5, bytes, setting, populations, random);
  return Around(std::move(populations), setting, Constant(), random);
}

// What can't be sent waits until the outage ends, and then for its turn; meanwhile it is tried again
// and again.
Process Retries(const Setting& setting, Random& random) {
  Traffic works = Constant();
  Traffic tries = [](double) { return 0.0; };
  const double often = random.Chance(0.5) ? random.LogUniform(1, 10) : 0;
  const double apart = End(setting) / (1 + static_cast<double>(random.Below(4)));
  for (double at = 0; at < 0.9 * End(setting); at += apart) {
    // What waited is gone before the next one.
    const double from = at + random.Uniform(0.05, 0.5) * apart;
    const double to = from + std::min(0.1 * apart, setting.scale_s * random.LogUniform(0.3, 9));
    works = Product(std::move(works), Spike(from, to, 0));
    tries = [=](double t) {
      return tries(t) + (t >= from && t < to ? often * (t - from) / setting.scale_s : 0);
    };
  }
  const double bytes = AnyBytes(setting, random);
  const double samples = AnyRate(random);
  const double rate = RateFor(samples, bytes, setting);
  const Traffic drains = Product(works, Scaled(random.LogUniform(1.5, 5), Constant()));
  const Lifetime queue =
      Queue(Scaled(rate, Constant()), Scaled(rate, drains), End(setting), 0.1 * setting.scale_s);
  const double mean = setting.scale_s * random.LogUniform(1e-3, 0.3);
  const Lifetime lifetime = [=](double born, Random& draw) {
    return std::max(queue(born, draw), born + draw.Exponential(mean));
  };
  return Around({Objects(samples, bytes, setting, Constant(), lifetime),
                 Objects(samples, bytes, setting, tries, Exponential(mean))},
                setting, random.Chance(0.5) ? Constant() : works, random);
}

}  // namespace heapgauge::sim
