// What scenarios are made of: traffic over time, lifetimes, rates.
#ifndef HEAPGAUGE_BENCH_VERDICT_INGREDIENTS_H_
#define HEAPGAUGE_BENCH_VERDICT_INGREDIENTS_H_

#include <functional>
#include <vector>

#include "scenario.h"
#include "site.h"

namespace heapgauge::sim {

using Traffic = std::function<double(double)>;            // at a time; about 1 at the start
using Lifetime = std::function<double(double, Random&)>;  // birth time -> time of death

// Traffic
// ---------------------------------------------------------------------------------------------------------
Traffic Constant();
Traffic Step(double at_s, double factor);
Traffic Ramp(double from_s, double to_s, double factor);     // grows evenly to `factor`, stays
Traffic Waves(double period_s, double depth, double phase);  // 1 +- depth
Traffic Bursts(const Setting& setting, double factor, Random& random);  // on and off at random
Traffic Spike(double from_s, double to_s, double factor);
Traffic Product(Traffic a, Traffic b);
// Now and then, for a part of the time: about so far apart, `uneven` of that more or less.  One in
// all that time, so that a burst has as much as a period has otherwise.
Traffic Seldom(const std::vector<double>& at_s, double lasts_s, double period_s);
std::vector<double> Moments(double period_s, double uneven, double end_s, Random& random);
Traffic During(double from_s, double to_s, Traffic traffic);  // 0 outside
// One of the above, as it comes.
Traffic AnyTraffic(const Setting& setting, Random& random);

// Lifetimes
// -------------------------------------------------------------------------------------------------------
Lifetime ForEver();
Lifetime Exponential(double mean_s);
Lifetime LogNormal(double median_s, double sigma);
Lifetime Pareto(double least_s, double alpha);
Lifetime Fixed(double seconds);
Lifetime EveryPeriod(double period_s, double phase_s);  // all die together, again and again
// First in, first out, behind others: an object leaves when `leaves(t)`, cumulative, passes what
// entered before it.
Lifetime Queue(const Traffic& enters_per_s, const Traffic& leaves_per_s, double end_s,
               double step_s);
// First in, first out, pushed out by newcomers once `capacity` are in.
Lifetime Evicted(const Traffic& enters_per_s, double capacity, double end_s, double step_s);

// Rates
// -----------------------------------------------------------------------------------------------------------
double AnyBytes(const Setting& setting, Random& random);
// Objects a second that make so many samples in the time of the scale.
double RateFor(double samples_a_scale, double bytes, const Setting& setting);
Traffic Scaled(double rate, Traffic traffic);
Population Objects(double samples_a_scale, double bytes, const Setting& setting, Traffic traffic,
                   Lifetime lifetime, bool leaks = false);

// Ordinary sites that follow the same traffic: requests, small caches, what is set up at the start.
void AddCompany(std::vector<Site>& sites, const Setting& setting, const Traffic& traffic,
                Random& random);

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_INGREDIENTS_H_
