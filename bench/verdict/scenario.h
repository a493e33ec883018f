// What can happen to a process, with the truth known: harmless ways to grow, and leaks.
//
// Everything is drawn anew for each run: rates, lifetimes, sizes, onsets, the rest of the process.
// Times are in units of the scale, amounts in samples in that time, so that one scenario serves
// every setting: seconds or hours, while reports and looks come as they come by default.
#ifndef HEAPGAUGE_BENCH_VERDICT_SCENARIO_H_
#define HEAPGAUGE_BENCH_VERDICT_SCENARIO_H_

#include <optional>
#include <string>
#include <vector>

#include "site.h"

namespace heapgauge::sim {

// What the scenario's own site is the sum of: nothing, many stacks, the call sites below a line of
// the program, those above a wrapper; or many stacks one of which leaks alone.
enum class Spread { kNone, kStacks, kLine, kWrapper, kOneStack };

struct Setting {
  Spread spread = Spread::kNone;
  double report_s = 60;
  double look_s = 60;   // at most report_s; sites are observed so often
  double scale_s = 60;  // of the scenario
  double interval_bytes = 524288;
  int scales = 1440;  // a run is so long
  // Memory is looked through for who holds what survives: what leaks is lost, the rest is held.
  bool holders = false;
  double missed = 0.02;  // chance that a held object looks lost in both looks
  double stale = 0.05;   // that a lost one looks held
};

struct Process {
  std::vector<Site> sites;  // the first is what the scenario is about; the others are its company
  std::optional<double> stopped_at_s;  // SIGSTOP, for an hour
  double told_from_s = 0;  // before that nobody can tell: what is called then counts for nothing
  double clock_s = 0;  // what the leak is counted in where it is not the scale: from burst to burst
};

struct Scenario {
  std::string name;
  std::string about;
  bool leaks = false;
  bool counts = true;  // false: beyond what can be told, shown for honesty, not part of the goal
  bool heals = false;
  Process (*make)(const Setting&, Random&) = nullptr;
};

const std::vector<Scenario>& HarmlessScenarios();
const std::vector<Scenario>& LeakScenarios();

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_SCENARIO_H_
