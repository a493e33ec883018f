// Harmless: what comes at once, goes at once, or both.
#include <algorithm>
#include <memory>

#include "harmless.h"
#include "ingredients.h"

namespace heapgauge::sim {

Process Batches(const Setting& setting, Random& random) {
  const double period = setting.scale_s * random.LogUniform(0.5, 9);
  return Around({Objects(AnyRate(random), AnyBytes(setting, random), setting, Constant(),
                         EveryPeriod(period, -random.Uniform() * period))},
                setting, Constant(), random);
}

// A write buffer, a collector: all goes at once, but never after the same time.
Process Sweeps(const Setting& setting, Random& random) {
  auto sweeps = std::make_shared<std::vector<double>>();
  const double usual = setting.scale_s * random.LogUniform(0.5, 6);
  for (double at = 0; at < 2 * End(setting);) {
    at += usual * random.Uniform(0.5, 1.5);
    sweeps->push_back(at);
  }
  const Lifetime lifetime = [sweeps](double born, Random&) {
    return *std::upper_bound(sweeps->begin(), sweeps->end(), born);
  };
  const Traffic traffic = AnyTraffic(setting, random);
  return Around({Objects(AnyRate(random), AnyBytes(setting, random), setting, traffic, lifetime)},
                setting, traffic, random);
}

// The same, more seldom than anything is looked at; a collector may leave some behind, for ever the
// same.  Before the first sweep nobody can tell.
Process RareSweeps(const Setting& setting, Random& random) {
  const double period =
      setting.scale_s * random.LogUniform(9, std::min(60.0, 0.1 * setting.scales));
  std::vector<double> sweeps = Moments(period, random.Uniform(0, 0.3), 3 * End(setting), random);
  const double phase = sweeps.front();  // the first span is like the others
  for (double& at : sweeps) at -= phase;
  sweeps.erase(sweeps.begin());
  const Lifetime lifetime = [sweeps](double born, Random&) {
    return *std::upper_bound(sweeps.begin(), sweeps.end(), born);
  };
  const double bytes = AnyBytes(setting, random);
  const Traffic traffic = random.Chance(0.5) ? Constant() : AnyTraffic(setting, random);
  std::vector<Population> populations = {
      Objects(AnyRate(random), bytes, setting, traffic, lifetime)};
  if (random.Chance(0.5)) {
    populations.push_back(Objects(AnyRate(random), bytes, setting, traffic,
                                  Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
  }
  if (random.Chance(0.3)) {
    populations.push_back(Objects(random.LogUniform(5, 100), bytes, setting,
                                  During(0, 2 * setting.scale_s, Constant()), ForEver()));
  }
  Process process = Around(std::move(populations), setting, traffic, random);
  process.told_from_s = sweeps.front();
  return process;
}

// Comes in bursts, and each takes the place of the one before, or of one a few before: what is read
// anew every so often, results of jobs of which the last few are kept.
Process Replaced(const Setting& setting, Random& random) {
  const double period =
      setting.scale_s * random.LogUniform(3, std::min(60.0, 0.1 * setting.scales));
  const std::vector<double> loads =
      Moments(period, random.Uniform(0, 0.5), 9 * End(setting), random);
  const size_t kept = 1 + random.Below(4);
  const double takes = std::max(0.3 * setting.scale_s, period * random.LogUniform(0.01, 0.2));
  const Lifetime lifetime = [=](double born, Random&) {
    const auto after = std::upper_bound(loads.begin(), loads.end(), born) - loads.begin();
    return loads[static_cast<size_t>(after) + kept - 1] + takes;
  };
  const double bytes = AnyBytes(setting, random);
  const double rate = random.LogUniform(0.5, 30) * setting.scale_s / period * 10;
  std::vector<Population> populations = {
      Objects(rate, bytes, setting, Seldom(loads, takes, period), lifetime)};
  if (random.Chance(0.5)) {
    populations.push_back(Objects(AnyRate(random), bytes, setting, Constant(),
                                  Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
  }
  Process process = Around(std::move(populations), setting, Constant(), random);
  process.told_from_s = loads[kept] + takes;  // the first one goes
  return process;
}

// What is loaded once for each of a few: plug-ins, tenants, languages.
Process FewLoads(const Setting& setting, Random& random) {
  std::vector<Population> populations;
  const double bytes = AnyBytes(setting, random);
  const size_t times = 2 + random.Below(5);
  for (size_t i = 0; i < times; ++i) {
    const double at = random.Uniform(0, 0.9) * End(setting);
    const double takes = setting.scale_s * random.LogUniform(0.02, 1);
    populations.push_back(Objects(random.LogUniform(2, 100) * setting.scale_s / takes, bytes,
                                  setting, During(at, at + takes, Constant()), ForEver()));
  }
  if (random.Chance(0.5)) {
    populations.push_back(Objects(AnyRate(random), bytes, setting, Constant(),
                                  Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
  }
  return Around(std::move(populations), setting, Constant(), random);
}

// A job that comes back every so often and finds less that is new each time.
Process CacheInBursts(const Setting& setting, Random& random) {
  const double period =
      setting.scale_s * random.LogUniform(3, std::min(60.0, 0.05 * setting.scales));
  const std::vector<double> jobs = Moments(period, random.Uniform(0, 0.4), End(setting), random);
  const double tau = period * random.LogUniform(0.3, 4);
  const Traffic fades = [tau](double t) { return std::exp(-t / tau); };
  const double bytes = AnyBytes(setting, random);
  const double takes = std::max(0.3 * setting.scale_s, period * random.LogUniform(0.01, 0.2));
  const double rate = random.LogUniform(2, 60) * setting.scale_s / period * 10;
  std::vector<Population> populations = {
      Objects(rate, bytes, setting, Product(Seldom(jobs, takes, period), fades), ForEver())};
  if (random.Chance(0.5)) {
    populations.push_back(Objects(AnyRate(random), bytes, setting, Constant(),
                                  Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
  }
  return Around(std::move(populations), setting, Constant(), random);
}

// A vector that grows by half or by doubling: two blocks at a time, and a dozen steps at most.
Process Doubles(const Setting& setting, Random& random) {
  Population population;
  const double factor = random.Chance(0.5) ? 2 : 1.5;
  const double first = setting.interval_bytes <= 1 ? 65536 : 4 * setting.interval_bytes;
  double bytes = first * random.LogUniform(0.1, 1);
  double pause = setting.scale_s * random.LogUniform(0.3, 3);
  double at = random.Uniform(0, 2) * setting.scale_s;
  const size_t most = 4 + random.Below(8);
  for (size_t i = 0; i < most; ++i) {
    const double next = i + 1 < most ? at + pause : kNever;
    population.blocks.push_back({at, next, bytes});
    at = next;
    bytes *= factor;
    pause *= factor;
  }
  return Around({population}, setting, Constant(), random);
}

}  // namespace heapgauge::sim
