#include <algorithm>
#include <cmath>

#include "ingredients.h"

namespace heapgauge::sim {
namespace {

// How fast it leaks, in samples a report: as slow as lets 32 samples come in two thirds of the run.
double LeakRate(const Setting& setting, Random& random) {
  const double least = std::max(0.1, 48.0 / setting.scales);
  return random.LogUniform(least, std::max(60.0, 10 * least));
}

// Late enough to have a past, early enough to leave two thirds of the run to the leak.
double Onset(const Setting& setting, Random& random) {
  return setting.scale_s * random.Uniform(0.05, 0.3) * std::min(setting.scales, 400);
}

Process WithCompany(std::vector<Population> populations, const Setting& setting,
                    const Traffic& traffic, Random& random) {
  Process process;
  process.sites.emplace_back(0, setting.interval_bytes, std::move(populations));
  AddCompany(process.sites, setting, traffic, random);
  return process;
}

// Most objects die soon, a share never does.
Process Mixed(const Setting& setting, const Traffic& traffic, double share, double from_s,
              Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double leak = LeakRate(setting, random);
  const double rest = std::min(leak / share, 3000.0);
  return WithCompany(
      {Objects(rest, bytes, setting, traffic,
               Exponential(setting.scale_s * random.LogUniform(1e-3, 1))),
       Objects(leak, bytes, setting, During(from_s, kNever, traffic), ForEver(), true)},
      setting, traffic, random);
}

Process FromStart(const Setting& setting, Random& random) {
  return Mixed(setting, Constant(), random.LogUniform(0.01, 0.5), 0, random);
}

Process Thousandth(const Setting& setting, Random& random) {
  return Mixed(setting, Constant(), 1e-3, random.Chance(0.5) ? 0 : Onset(setting, random), random);
}

Process StartsMidway(const Setting& setting, Random& random) {
  return Mixed(setting, Constant(), random.LogUniform(0.01, 1), Onset(setting, random), random);
}

Process InTraffic(const Setting& setting, Random& random) {
  return Mixed(setting, AnyTraffic(setting, random), random.LogUniform(0.01, 0.5),
               random.Chance(0.5) ? 0 : Onset(setting, random), random);
}

// It comes with the spike and stays.
Process InSpike(const Setting& setting, Random& random) {
  const double from = Onset(setting, random);
  const Traffic traffic =
      Spike(from, from + setting.scale_s * random.Uniform(3, 20), random.LogUniform(2, 10));
  return Mixed(setting, traffic, random.LogUniform(0.01, 0.3), from, random);
}

Process InWaves(const Setting& setting, Random& random) {
  const Traffic traffic = Waves(setting.scale_s * random.LogUniform(5, 200),
                                random.Uniform(0.3, 0.9), random.Uniform());
  return Mixed(setting, traffic, random.LogUniform(0.01, 0.5), 0, random);
}

// It goes on by itself, far below the sessions of the same line that come with the day and go at night.
Process BeneathWaves(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const Traffic traffic =
      Waves(setting.scale_s * random.LogUniform(10, std::min(400.0, 1.0 * setting.scales)),
            random.Uniform(0.4, 0.9), random.Uniform());
  const double leak = LeakRate(setting, random);
  const double rest = std::min(leak / random.LogUniform(0.003, 0.1), 3000.0);
  const double longest = std::min(2.0, 0.01 * setting.scales);
  return WithCompany({Objects(rest, bytes, setting, traffic,
                              Exponential(setting.scale_s * random.LogUniform(0.02, longest))),
                      Objects(leak, bytes, setting, Constant(), ForEver(), true)},
                     setting, traffic, random);
}

// No object of this line ever dies.
Process NothingDies(const Setting& setting, Random& random) {
  const double from = random.Chance(0.5) ? 0 : Onset(setting, random);
  return WithCompany({Objects(LeakRate(setting, random), AnyBytes(setting, random), setting,
                              During(from, kNever, Constant()), ForEver(), true)},
                     setting, Constant(), random);
}

// The same line made what is kept for ever when the process started.
Process AfterSetUp(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double from = std::max(4 * setting.scale_s, Onset(setting, random));
  const double takes = setting.scale_s * random.LogUniform(0.1, 2);
  const double leak = LeakRate(setting, random);
  std::vector<Population> populations = {
      Objects(random.LogUniform(10, 1000) * setting.scale_s / takes, bytes, setting,
              During(0, takes, Constant()), ForEver()),
      Objects(leak, bytes, setting, During(from, kNever, Constant()), ForEver(), true)};
  if (random.Chance(0.5)) {
    populations.push_back(Objects(leak / random.LogUniform(0.01, 0.5), bytes, setting, Constant(),
                                  Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
  }
  return WithCompany(std::move(populations), setting, Constant(), random);
}

// Sessions end, but some are forgotten.
Process ForgottenSessions(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double leak = LeakRate(setting, random);
  const double longest = std::min(4.0, 0.02 * setting.scales);
  return WithCompany({Objects(leak / random.LogUniform(0.05, 0.5), bytes, setting, Constant(),
                              Exponential(setting.scale_s * random.LogUniform(0.2, longest))),
                      Objects(leak, bytes, setting, Constant(), ForEver(), true)},
                     setting, Constant(), random);
}

Process WithThreads(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double leak = LeakRate(setting, random);
  Population threads = Objects(leak / random.LogUniform(0.02, 0.5), bytes, setting, Constant(),
                               Exponential(setting.scale_s * random.LogUniform(0.01, 1)));
  threads.cluster = 1 + static_cast<double>(random.Below(20));
  return WithCompany({threads, Objects(leak, bytes, setting, Constant(), ForEver(), true)}, setting,
                     Constant(), random);
}

// An error path that fails for a moment every so often, more or less: all that it makes stays, or a
// part; at a line of its own, or one that makes request objects, too.
Process SeldomBursts(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double period =
      setting.scale_s * random.LogUniform(2, std::clamp(setting.scales / 36.0, 2.1, 40.0));
  const std::vector<double> bursts =
      Moments(period, random.Uniform(0, 0.7), setting.scale_s * setting.scales, random);
  // A step of the simulation at least.
  const double lasts = std::max(0.3 * setting.scale_s, period * random.LogUniform(0.003, 0.1));
  const double leak = random.LogUniform(1.4, 30) * setting.scale_s / period;
  const Traffic fails = Seldom(bursts, lasts, period);
  std::vector<Population> populations = {Objects(leak, bytes, setting, fails, ForEver(), true)};
  const double share = random.LogUniform(0.01, 0.5);
  switch (random.Below(3)) {
    case 0:
      populations.push_back(Objects(leak / share, bytes, setting, fails, Exponential(lasts)));
      break;
    case 1:
      populations.push_back(Objects(std::min(leak / share, 3000.0), bytes, setting, Constant(),
                                    Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))));
      break;
    default:
      break;
  }
  Process process = WithCompany(std::move(populations), setting, Constant(), random);
  process.clock_s = period;
  return process;
}

// What is emptied every so often, but for a part that stays behind.
Process SweptButForSome(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double period =
      setting.scale_s * random.LogUniform(1, std::clamp(setting.scales / 36.0, 1.1, 30.0));
  const std::vector<double> sweeps =
      Moments(period, random.Uniform(0, 0.5), 3 * setting.scale_s * setting.scales, random);
  const Lifetime lifetime = [sweeps](double born, Random&) {
    return *std::upper_bound(sweeps.begin(), sweeps.end(), born);
  };
  const double leak = std::max(1.4 * setting.scale_s / period, LeakRate(setting, random));
  Process process = WithCompany(
      {Objects(leak / random.LogUniform(0.05, 0.5), bytes, setting, Constant(), lifetime),
       Objects(leak, bytes, setting, Constant(), ForEver(), true)},
      setting, Constant(), random);
  process.clock_s = period;
  return process;
}

// It stops in the middle; what leaked stays.
Process Heals(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double leak = std::max(3.0, LeakRate(setting, random));
  const double until = setting.scale_s * std::max(24.0, 0.4 * std::min(setting.scales, 400));
  return WithCompany({Objects(leak / random.LogUniform(0.02, 0.5), bytes, setting, Constant(),
                              Exponential(setting.scale_s * random.LogUniform(1e-3, 0.5))),
                      Objects(leak, bytes, setting, During(0, until, Constant()), ForEver(), true)},
                     setting, Constant(), random);
}

// 1 MiB a minute, evenly, of objects of a common size; from the start or midway.
Process MebibyteAMinute(const Setting& setting, Random& random) {
  const double bytes = AnyBytes(setting, random);
  const double rate = 1048576.0 / 60 / bytes;
  const double from = random.Chance(0.5) ? 0 : Onset(setting, random);
  Population leak{During(from, kNever, Scaled(rate, Constant())), ForEver(), bytes, 1, true};
  return WithCompany({std::move(leak)}, setting, Constant(), random);
}

}  // namespace

const std::vector<Scenario>& LeakScenarios() {
  static const std::vector<Scenario> kScenarios = {
      {"from-start", "1 to 50 % of the births stay, from the start", true, true, false, FromStart},
      {"thousandth", "one birth in a thousand stays", true, true, false, Thousandth},
      {"midway", "starts after a while; up to half of the births", true, true, false, StartsMidway},
      {"in-traffic", "while traffic does what it likes", true, true, false, InTraffic},
      {"in-spike", "comes with a spike and stays", true, true, false, InSpike},
      {"in-waves", "follows day and night", true, true, false, InWaves},
      {"beneath-waves", "a slow one beneath day and night", true, true, false, BeneathWaves},
      {"nothing-dies", "every birth stays", true, true, false, NothingDies},
      {"after-set-up", "at a line that made what is kept for ever", true, true, false, AfterSetUp},
      {"sessions-forgotten", "sessions end, some are forgotten", true, true, false,
       ForgottenSessions},
      {"with-threads", "among objects that live with threads", true, true, false, WithThreads},
      {"mebibyte-a-minute", "1 MiB a minute", true, true, false, MebibyteAMinute},
      {"seldom-bursts", "bursts that each leave something behind", true, true, false, SeldomBursts},
      {"swept-but-some", "emptied every so often, but for a part", true, true, false,
       SweptButForSome},
      {"heals", "stops after a while", true, true, true, Heals},
  };
  return kScenarios;
}

}  // namespace heapgauge::sim
