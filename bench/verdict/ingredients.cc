#include "ingredients.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

namespace heapgauge::sim {
namespace {

// What entered until each step, by a rate.
std::vector<double> Cumulate(const Traffic& rate, double end_s, double step_s) {
  std::vector<double> sum{0};
  for (double at = 0; at < end_s; at += step_s)
    sum.push_back(sum.back() + rate(at + 0.5 * step_s) * step_s);
  return sum;
}

double At(const std::vector<double>& sum, double time_s, double step_s) {
  const double place = std::clamp(time_s / step_s, 0.0, static_cast<double>(sum.size() - 1));
  const auto below = std::min(static_cast<size_t>(place), sum.size() - 2);
  return sum[below] + (sum[below + 1] - sum[below]) * (place - static_cast<double>(below));
}

// When the sum passes `level`; kNever when it doesn't.
double Passes(const std::vector<double>& sum, double level, double step_s) {
  const auto above = std::upper_bound(sum.begin(), sum.end(), level);
  if (above == sum.end()) return kNever;
  const auto index = static_cast<double>(above - sum.begin());
  const double before = *(above - 1);
  return step_s * (index - 1 + (level - before) / (*above - before));
}

}  // namespace

Traffic Constant() {
  return [](double) { return 1.0; };
}

Traffic Step(double at_s, double factor) {
  return [=](double t) { return t < at_s ? 1.0 : factor; };
}

Traffic Ramp(double from_s, double to_s, double factor) {
  return [=](double t) {
    return 1 + (factor - 1) * std::clamp((t - from_s) / (to_s - from_s), 0.0, 1.0);
  };
}

Traffic Waves(double period_s, double depth, double phase) {
  return
      [=](double t) { return 1 + depth * std::sin(2 * std::numbers::pi * (t / period_s + phase)); };
}

Traffic Bursts(const Setting& setting, double factor, Random& random) {
  auto changes = std::make_shared<std::vector<double>>();
  const double end = setting.scale_s * setting.scales;
  const double mean = setting.scale_s * random.LogUniform(0.5, 10);
  for (double at = 0; at < end; at += random.Exponential(mean)) changes->push_back(at);
  return [=](double t) {
    const auto passed = std::upper_bound(changes->begin(), changes->end(), t) - changes->begin();
    return passed % 3 == 0 ? factor : 1.0;
  };
}

std::vector<double> Moments(double period_s, double uneven, double end_s, Random& random) {
  std::vector<double> moments;
  for (double at = random.Uniform() * period_s; at < end_s;) {
    moments.push_back(at);
    at += period_s * random.Uniform(1 - uneven, 1 + uneven);
  }
  return moments;
}

Traffic Seldom(const std::vector<double>& at_s, double lasts_s, double period_s) {
  return [=](double t) {
    const auto after = std::upper_bound(at_s.begin(), at_s.end(), t);
    return after != at_s.begin() && t < *(after - 1) + lasts_s ? period_s / lasts_s : 0.0;
  };
}

Traffic Spike(double from_s, double to_s, double factor) {
  return [=](double t) { return t >= from_s && t < to_s ? factor : 1.0; };
}

Traffic Product(Traffic a, Traffic b) {
  return [a = std::move(a), b = std::move(b)](double t) { return a(t) * b(t); };
}

Traffic During(double from_s, double to_s, Traffic traffic) {
  return [=](double t) { return t >= from_s && t < to_s ? traffic(t) : 0.0; };
}

Traffic AnyTraffic(const Setting& setting, Random& random) {
  const double end = setting.scale_s * setting.scales;
  const double factor = random.LogUniform(1.5, 10);
  switch (random.Below(7)) {
    case 0:
      return Step(random.Uniform(0.1, 0.8) * end, factor);
    case 1:
      return Ramp(random.Uniform(0, 0.3) * end, random.Uniform(0.4, 1) * end, factor);
    case 2:
      return Ramp(random.Uniform(0, 0.3) * end, random.Uniform(0.4, 1) * end, 1 / factor);
    case 3:
      return Waves(random.LogUniform(0.02, 1) * end, random.Uniform(0.2, 0.9), random.Uniform());
    case 4:
      return Bursts(setting, factor, random);
    case 5: {
      const double from = random.Uniform(0.1, 0.8) * end;
      return Spike(from, from + random.Uniform(0.01, 0.15) * end, factor);
    }
    default:
      return Constant();
  }
}

Lifetime ForEver() {
  return [](double, Random&) { return kNever; };
}

Lifetime Exponential(double mean_s) {
  return [=](double born, Random& random) { return born + random.Exponential(mean_s); };
}

Lifetime LogNormal(double median_s, double sigma) {
  return [=](double born, Random& random) {
    return born + median_s * std::exp(sigma * random.Normal());
  };
}

Lifetime Pareto(double least_s, double alpha) {
  return [=](double born, Random& random) {
    return born + least_s * std::pow(1 - random.Uniform(), -1 / alpha);
  };
}

Lifetime Fixed(double seconds) {
  return [=](double born, Random&) { return born + seconds; };
}

Lifetime EveryPeriod(double period_s, double phase_s) {
  return [=](double born, Random&) {
    return phase_s + period_s * (std::floor((born - phase_s) / period_s) + 1);
  };
}

Lifetime Queue(const Traffic& enters_per_s, const Traffic& leaves_per_s, double end_s,
               double step_s) {
  auto entered = std::make_shared<std::vector<double>>(Cumulate(enters_per_s, end_s, step_s));
  // The server works on what is there: idle time is not made up for.
  auto left = std::make_shared<std::vector<double>>();
  double done = 0;
  for (size_t i = 0; i < entered->size(); ++i) {
    left->push_back(done);
    const double next = i + 1 < entered->size() ? (*entered)[i + 1] : entered->back();
    done = std::min(next, done + leaves_per_s((static_cast<double>(i) + 0.5) * step_s) * step_s);
  }
  return [=](double born, Random&) {
    return std::max(born, Passes(*left, At(*entered, born, step_s), step_s));
  };
}

Lifetime Evicted(const Traffic& enters_per_s, double capacity, double end_s, double step_s) {
  auto entered = std::make_shared<std::vector<double>>(Cumulate(enters_per_s, end_s, step_s));
  return [=](double born, Random&) {
    return Passes(*entered, At(*entered, born, step_s) + capacity, step_s);
  };
}

double AnyBytes(const Setting& setting, Random& random) {
  return setting.interval_bytes <= 1 ? random.LogUniform(16, 4096)
                                     : random.LogUniform(32, 0.25 * setting.interval_bytes);
}

double RateFor(double samples_a_scale, double bytes, const Setting& setting) {
  const double p = setting.interval_bytes <= 1 ? 1.0 : -std::expm1(-bytes / setting.interval_bytes);
  return samples_a_scale / (setting.scale_s * p);
}

Traffic Scaled(double rate, Traffic traffic) {
  return [=](double t) { return rate * traffic(t); };
}

Population Objects(double samples_a_scale, double bytes, const Setting& setting, Traffic traffic,
                   Lifetime lifetime, bool leaks) {
  Population population;
  population.births_per_s = Scaled(RateFor(samples_a_scale, bytes, setting), std::move(traffic));
  population.dies_at = std::move(lifetime);
  population.bytes = bytes;
  population.leaks = leaks;
  return population;
}

void AddCompany(std::vector<Site>& sites, const Setting& setting, const Traffic& traffic,
                Random& random) {
  const double dt = setting.scale_s;
  const size_t requests = 3 + random.Below(4);
  for (size_t i = 0; i < requests; ++i) {
    sites.emplace_back(
        sites.size(), setting.interval_bytes,
        std::vector{Objects(random.LogUniform(0.5, 30), AnyBytes(setting, random), setting, traffic,
                            Exponential(dt * random.LogUniform(1e-3, 3)))});
  }
  const size_t fixed = 1 + random.Below(3);
  for (size_t i = 0; i < fixed; ++i) {
    sites.emplace_back(
        sites.size(), setting.interval_bytes,
        std::vector{Objects(random.LogUniform(5, 100), AnyBytes(setting, random), setting,
                            During(0, dt * random.LogUniform(0.1, 2), Constant()), ForEver())});
  }
}

}  // namespace heapgauge::sim
