#include "harmless.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "ingredients.h"

namespace heapgauge::sim {
namespace {

// Requests whose objects live shorter or longer, under some traffic.
Process Requests(const Setting& setting, const Traffic& traffic, Random& random) {
  const double mean = setting.scale_s * random.LogUniform(1e-3, 6);
  const Lifetime lifetime =
      random.Chance(0.5) ? Exponential(mean) : LogNormal(mean, random.Uniform(0.3, 1.5));
  return Around({Objects(AnyRate(random), AnyBytes(setting, random), setting, traffic, lifetime)},
                setting, traffic, random);
}

Process Steady(const Setting& setting, Random& random) {
  return Requests(setting, Constant(), random);
}

Process TrafficGrows(const Setting& setting, Random& random) {
  const double from = random.Uniform(0, 0.4) * End(setting);
  const double to = from + random.Uniform(0.1, 0.6) * End(setting);
  return Requests(setting, Ramp(from, to, random.LogUniform(2, 10)), random);
}

Process TrafficJumps(const Setting& setting, Random& random) {
  return Requests(setting, Step(random.Uniform(0.1, 0.8) * End(setting), random.LogUniform(2, 10)),
                  random);
}

Process TrafficFalls(const Setting& setting, Random& random) {
  const double from = random.Uniform(0, 0.4) * End(setting);
  return Requests(setting, Ramp(from, from + 0.4 * End(setting), random.LogUniform(0.1, 0.5)),
                  random);
}

Process TrafficWaves(const Setting& setting, Random& random) {
  return Requests(
      setting,
      Waves(random.LogUniform(0.05, 1) * End(setting), random.Uniform(0.3, 0.95), random.Uniform()),
      random);
}

Process TrafficBursts(const Setting& setting, Random& random) {
  return Requests(setting, Bursts(setting, random.LogUniform(3, 30), random), random);
}

// Unique keys: fills evenly, then every newcomer pushes out the oldest.
Process CacheEvicts(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double samples = random.LogUniform(1, 60);
  const Traffic traffic = AnyTraffic(setting, random);
  const double full_after = random.LogUniform(1, 10);  // reports at the starting rate
  const double rate = RateFor(samples, bytes, setting);
  const Lifetime lifetime = Evicted(Scaled(rate, traffic), rate * full_after * setting.scale_s,
                                    End(setting), 0.2 * setting.scale_s);
  return Around({Objects(samples, bytes, setting, traffic, lifetime)}, setting, traffic, random);
}

// A bounded set of keys: the more are in, the fewer are missed.  Never evicts.
Process CacheSaturates(const Setting& setting, Random& random) {
  const double tau = setting.scale_s * random.LogUniform(0.5, 10);
  const Traffic traffic = [tau](double t) { return std::exp(-t / tau); };
  return Around(
      {Objects(random.LogUniform(5, 200), AnyBytes(setting, random), setting, traffic, ForEver())},
      setting, Constant(), random);
}

Process CacheExpires(const Setting& setting, Random& random) {
  const Traffic traffic = AnyTraffic(setting, random);
  return Around({Objects(AnyRate(random), AnyBytes(setting, random), setting, traffic,
                         Fixed(setting.scale_s * random.LogUniform(0.5, 9)))},
                setting, traffic, random);
}

// Something is set up late, or read anew, within a few reports.
Process LateSetUp(const Setting& setting, Random& random) {
  std::vector<Population> populations;
  const double bytes = AnyBytes(setting, random);
  const size_t times = 1 + random.Below(3);
  for (size_t i = 0; i < times; ++i) {
    const double at = random.Uniform(0, 0.9) * End(setting);
    const double takes = setting.scale_s * random.LogUniform(0.05, 3);
    populations.push_back(Objects(random.LogUniform(5, 300) * setting.scale_s / takes, bytes,
                                  setting, During(at, at + takes, Constant()), ForEver()));
  }
  return Around(std::move(populations), setting, AnyTraffic(setting, random), random);
}

// The same at a line that requests use, too.
Process LateSetUpAmongRequests(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const Traffic traffic = AnyTraffic(setting, random);
  std::vector<Population> populations = {
      Objects(random.LogUniform(3, 300), bytes, setting, traffic,
              Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5)))};
  const size_t times = 1 + random.Below(3);
  for (size_t i = 0; i < times; ++i) {
    const double at = random.Uniform(0, 0.9) * End(setting);
    const double takes = setting.scale_s * random.LogUniform(0.05, 3);
    populations.push_back(Objects(random.LogUniform(5, 300) * setting.scale_s / takes, bytes,
                                  setting, During(at, at + takes, Constant()), ForEver()));
  }
  return Around(std::move(populations), setting, traffic, random);
}

// The same at a line that makes objects for every request and throws most away: births don't fade.
Process CacheAmongRequests(const Setting& setting, double tau_low, double tau_high,
                           Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double tau = setting.scale_s * random.LogUniform(tau_low, tau_high);
  const double rate = random.LogUniform(10, 400);
  const double share = random.LogUniform(0.05, 1);
  const Traffic fills = [tau, share](double t) { return share * std::exp(-t / tau); };
  const Traffic rest = [tau, share](double t) { return 1 - share * std::exp(-t / tau); };
  return Around({Objects(rate, bytes, setting, fills, ForEver()),
                 Objects(rate, bytes, setting, rest,
                         Exponential(setting.scale_s * random.LogUniform(1e-5, 0.5)))},
                setting, Constant(), random);
}
Process CacheAmong(const Setting& setting, Random& random) {
  return CacheAmongRequests(setting, 0.5, 10, random);
}
Process SlowCacheAmong(const Setting& setting, Random& random) {
  return CacheAmongRequests(setting, 10, 100, random);
}
Process TtlAmong(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double rate = random.LogUniform(10, 400);
  const double share = random.LogUniform(0.02, 0.5);
  return Around({Objects(rate * share, bytes, setting, Constant(),
                         Fixed(setting.scale_s * random.LogUniform(15, 60))),
                 Objects(rate * (1 - share), bytes, setting, Constant(),
                         Exponential(setting.scale_s * random.LogUniform(1e-5, 0.5)))},
                setting, Constant(), random);
}

// Words, users, series: the more are known, the rarer is a new one (Heaps' law).
Process Dictionary(const Setting& setting, Random& random) {
  const double beta = random.Uniform(0.2, 0.5);
  const double start = 0.2 * setting.scale_s;
  const Traffic traffic = [=](double t) { return std::pow((t + start) / start, beta - 1); };
  return Around(
      {Objects(random.LogUniform(20, 400), AnyBytes(setting, random), setting, traffic, ForEver())},
      setting, Constant(), random);
}

// A cache whose traffic all but stops: its entries grow old, and none is pushed out.
Process CacheAtNight(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double samples = random.LogUniform(2, 60);
  const double night = random.Uniform(0.2, 0.7) * End(setting);
  const Traffic traffic = Step(night, random.LogUniform(1e-3, 0.2));
  const double rate = RateFor(samples, bytes, setting);
  const Lifetime lifetime =
      Evicted(Scaled(rate, traffic), rate * random.LogUniform(1, 10) * setting.scale_s,
              End(setting), 0.2 * setting.scale_s);
  return Around({Objects(samples, bytes, setting, traffic, lifetime)}, setting, traffic, random);
}

Process StartRamp(const Setting& setting, Random& random) {
  const double takes = setting.scale_s * random.Uniform(1, 9);
  return Around({Objects(random.LogUniform(3, 200), AnyBytes(setting, random), setting,
                         During(0, takes, Constant()), ForEver())},
                setting, Constant(), random);
}

Process Sessions(const Setting& setting, Random& random) {
  const double median = setting.scale_s * random.LogUniform(1, 20);
  const Traffic traffic = AnyTraffic(setting, random);
  const Lifetime lifetime =
      random.Chance(0.5) ? Exponential(median) : LogNormal(median, random.Uniform(0.5, 1.2));
  return Around(
      {Objects(random.LogUniform(0.3, 60), AnyBytes(setting, random), setting, traffic, lifetime)},
      setting, traffic, random);
}

// One line makes what dies at once and what stays for a session.
Process ShortAndLong(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const Traffic traffic = AnyTraffic(setting, random);
  const double rate = random.LogUniform(5, 100);
  const double share = random.LogUniform(0.01, 0.5);
  return Around({Objects(rate * (1 - share), bytes, setting, traffic,
                         Exponential(setting.scale_s * random.LogUniform(1e-3, 0.3))),
                 Objects(rate * share, bytes, setting, traffic,
                         Exponential(setting.scale_s * random.LogUniform(1, 15)))},
                setting, traffic, random);
}

Process HeavyTail(const Setting& setting, Random& random) {
  const Traffic traffic = AnyTraffic(setting, random);
  return Around(
      {Objects(AnyRate(random), AnyBytes(setting, random), setting, traffic,
               Pareto(setting.scale_s * random.LogUniform(1e-3, 0.3), random.Uniform(1, 2)))},
      setting, traffic, random);
}

// Threads come and go; what one made goes with it.
Process ThreadChurn(const Setting& setting, Random& random) {
  Population population = Objects(AnyRate(random), AnyBytes(setting, random), setting, Constant(),
                                  Exponential(setting.scale_s * random.LogUniform(0.01, 6)));
  population.cluster = 1 + static_cast<double>(random.Below(30));
  return Around({population}, setting, Constant(), random);
}

// More comes than is worked off, for a while; then the backlog goes down again.
Process Backlog(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double samples = random.LogUniform(2, 60);
  const double rate = RateFor(samples, bytes, setting);
  const double from = random.Uniform(0.05, 0.4) * End(setting);
  const Traffic traffic =
      Spike(from, from + random.Uniform(0.1, 0.4) * End(setting), random.Uniform(1.3, 3));
  const Lifetime lifetime = Queue(Scaled(rate, traffic), Scaled(1.2 * rate, Constant()),
                                  End(setting), 0.1 * setting.scale_s);
  return Around({Objects(samples, bytes, setting, traffic, lifetime)}, setting, traffic, random);
}

Process Stopped(const Setting& setting, Random& random) {
  Process process =
      random.Chance(0.5) ? Sessions(setting, random) : Requests(setting, Constant(), random);
  process.stopped_at_s = random.Uniform(0.2, 0.8) * End(setting);
  return process;
}

// Nothing dies in the first 15 to 60 reports: no method can tell these from leaks until it does.
Process LongTimeToLive(const Setting& setting, Random& random) {
  return Around({Objects(AnyRate(random), AnyBytes(setting, random), setting, Constant(),
                         Fixed(setting.scale_s * random.LogUniform(15, 60)))},
                setting, Constant(), random);
}

Process SlowCache(const Setting& setting, Random& random) {
  const double tau = setting.scale_s * random.LogUniform(10, 100);
  const Traffic traffic = [tau](double t) { return std::exp(-t / tau); };
  return Around(
      {Objects(random.LogUniform(1, 100), AnyBytes(setting, random), setting, traffic, ForEver())},
      setting, Constant(), random);
}

}  // namespace

const std::vector<Scenario>& HarmlessScenarios() {
  static const std::vector<Scenario> kScenarios = {
      {"steady", "requests under even traffic", false, true, false, Steady},
      {"traffic-grows", "traffic rises 2 to 10 fold over a while", false, true, false,
       TrafficGrows},
      {"traffic-jumps", "traffic jumps 2 to 10 fold", false, true, false, TrafficJumps},
      {"traffic-falls", "traffic falls to a half or a tenth", false, true, false, TrafficFalls},
      {"waves", "day and night", false, true, false, TrafficWaves},
      {"bursts", "3 to 30 fold for moments", false, true, false, TrafficBursts},
      {"cache-evicts", "fills within 10 reports, then evicts the oldest", false, true, false,
       CacheEvicts},
      {"cache-saturates", "bounded keys, misses fade within 10 reports", false, true, false,
       CacheSaturates},
      {"cache-expires", "each entry has a time to live of up to 9 reports", false, true, false,
       CacheExpires},
      {"cache-among", "the same among request objects", false, true, false, CacheAmong},
      {"late-set-up", "one to three loads of what is kept for ever", false, true, false, LateSetUp},
      {"set-up-among", "the same among request objects", false, true, false,
       LateSetUpAmongRequests},
      {"dictionary", "new entries get rarer as a power of time", false, true, false, Dictionary},
      {"cache-at-night", "a full cache, then hardly any traffic", false, true, false, CacheAtNight},
      {"start-ramp", "even growth for up to 9 reports, then none", false, true, false, StartRamp},
      {"batches", "collects for up to 9 reports, frees in bulk", false, true, false, Batches},
      {"sweeps", "the same, at uneven times and under any traffic", false, true, false, Sweeps},
      {"rare-sweeps", "the same, every 9 to 60 reports; told from the first one on", false, true,
       false, RareSweeps},
      {"replaced", "comes in bursts, each in place of an earlier one", false, true, false,
       Replaced},
      {"few-loads", "two to six bursts of what is kept", false, true, false, FewLoads},
      {"cache-in-bursts", "a job that finds less that is new each time", false, true, false,
       CacheInBursts},
      {"doubles", "one block that grows by half or by doubling", false, true, false, Doubles},
      {"lru-cache", "fills within 10 reports; what is asked for stays, the rest is thrown out",
       false, true, false, LruCache},
      {"lru-among", "the same among request objects", false, true, false, LruCacheAmong},
      {"pool-of-peaks", "as many connections as were ever busy at once", false, true, false,
       PoolOfPeaks},
      {"subscriptions", "come anew with every deploy, in place of the old ones", false, true, false,
       Subscriptions},
      {"retries", "pile up in outages of up to 9 reports and drain", false, true, false, Retries},
      {"sessions", "1 to 20 reports long, exponential or log-normal", false, true, false, Sessions},
      {"short-and-long", "one line makes request objects and sessions", false, true, false,
       ShortAndLong},
      {"heavy-tail", "Pareto lifetimes, exponent 1 to 2", false, true, false, HeavyTail},
      {"thread-churn", "up to 30 objects live and die with a thread", false, true, false,
       ThreadChurn},
      {"backlog", "a queue falls behind and catches up", false, true, false, Backlog},
      {"stopped", "the process is stopped for an hour", false, true, false, Stopped},
      {"long-ttl", "nothing dies for 15 to 60 reports", false, false, false, LongTimeToLive},
      {"slow-cache", "misses fade over 10 to 100 reports", false, false, false, SlowCache},
      {"slow-cache-among", "misses fade over 10 to 100 reports, among request objects", false,
       false, false, SlowCacheAmong},
      {"long-ttl-among", "15 to 60 reports, among request objects", false, false, false, TtlAmong},
      {"pool-in-ramp", "a pool of peaks while traffic rises all along", false, false, false,
       PoolInRamp},
  };
  return kScenarios;
}

}  // namespace heapgauge::sim
