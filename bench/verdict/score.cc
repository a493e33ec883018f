#include "score.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace heapgauge::sim {
namespace {

constexpr double kPrecisionGoal = 0.995;
constexpr double kRecallGoal = 0.99;
constexpr double kDelayGoal = 12;

double Quantile(std::vector<double> values, double q) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

double Share(double part, double whole) { return whole > 0 ? part / whole : std::nan(""); }

}  // namespace

void PrintHead(const Setting& setting) {
  std::printf(
      "sample interval %.0f B, a report every %g s, a look every %g s, time scale %g s, %g s "
      "long\n",
      setting.interval_bytes, setting.report_s, setting.look_s, setting.scale_s,
      setting.scale_s * setting.scales);
  std::printf("%-18s %6s %6s %6s %7s | %7s %7s %7s %9s | %6s %6s | %s\n", "scenario", "runs",
              "false", "large", "recall", "reports", "samples", "q90", "bytes", "cover", "err50",
              "warm/steady/load/growing/leak %");
}

void PrintLine(const Scenario& scenario, const std::vector<RunResult>& results) {
  double wrong = 0;
  double large = 0;
  double called = 0;
  double covered = 0;
  double known = 0;
  double reports[5] = {};
  double cleared = 0;
  std::vector<double> delay_reports, delay_samples, delay_both, bytes, errors;
  for (const RunResult& run : results) {
    for (const Call& call : run.calls) {
      if (!call.right) {
        ++wrong;
        continue;
      }
      delay_reports.push_back(call.reports);
      delay_samples.push_back(call.samples);
      delay_both.push_back(std::min(call.reports, call.samples));
      bytes.push_back(call.bytes);
    }
    large += run.leak_is_large;
    called += run.leak_is_large && run.leak_called;
    cleared += run.leak_called && run.healed_cleared;
    known += run.growth_known;
    covered += run.growth_known && run.growth_covered;
    if (run.growth_known) errors.push_back(std::abs(run.growth_error));
    for (size_t i = 0; i < 5; ++i) reports[i] += run.reports[i];
  }
  double all = 0;
  for (const double count : reports) all += count;
  std::printf(
      "%-18s %6zu %6.0f %6.0f %7.4f | %7.1f %7.0f %7.1f %9.3g | %6.3f %6.3f | "
      "%.0f/%.0f/%.1f/%.1f/%.1f%s\n",
      scenario.name.c_str(), results.size(), wrong, large, Share(called, large),
      Quantile(delay_reports, 0.5), Quantile(delay_samples, 0.5), Quantile(delay_both, 0.9),
      Quantile(bytes, 0.5), Share(covered, known), Quantile(errors, 0.5), 100 * reports[0] / all,
      100 * reports[1] / all, 100 * reports[2] / all, 100 * reports[3] / all,
      100 * reports[4] / all, scenario.counts ? "" : "  (not counted)");
  double came = 0;
  std::vector<double> eighth;
  for (const RunResult& run : results) {
    came += run.eighth_came;
    if (run.eighth_to_call_s) eighth.push_back(*run.eighth_to_call_s);
  }
  if (came > 0 && scenario.leaks) {
    std::printf(
        "%18s eighth lost sample to call: %.0f of %.0f within 180 s; median %.0f s, 0.9 %.0f s\n",
        "",
        static_cast<double>(
            std::count_if(eighth.begin(), eighth.end(), [](double s) { return s <= 180; })),
        came, Quantile(eighth, 0.5), Quantile(eighth, 0.9));
  }
  if (scenario.heals) std::printf("%18s cleared at the end: %.0f of %.0f\n", "", cleared, called);
  std::fflush(stdout);
}

void Score::Add(const Scenario& scenario, const std::vector<RunResult>& results) {
  for (const RunResult& run : results) {
    for (const Call& call : run.calls) {
      (call.right ? right_ : wrong_) += 1;
      if (!call.right && !scenario.leaks) wrong_in_harmless_ += 1;
      if (call.right) excess_.push_back(std::min(call.reports, call.samples));
    }
    large_ += run.leak_is_large;
    large_called_ += run.leak_is_large && run.leak_called;
    large_called_late_ += run.leak_called_late;
    shown_ += run.most_rows > 0;
    shown_in_many_ += run.most_rows > 1;
  }
}

double Score::Precision() const { return Share(right_, right_ + wrong_); }
void Score::Calibrate(const std::vector<RunResult>& results) {
  for (const RunResult& run : results) {
    for (const Call& call : run.calls) {
      for (const Features& look : call.looks) {
        const double c = look.confidence;
        const size_t bin = c < 0.9    ? static_cast<size_t>(c * 10)
                           : c < 0.95 ? 9
                           : c < 0.98 ? 10
                                      : 11;
        bins_[bin].confidence += c;
        bins_[bin].right += call.right;
        ++bins_[bin].calls;
      }
    }
  }
}

double Score::LateRecall() const { return Share(large_called_late_, large_); }
double Score::Recall() const { return Share(large_called_, large_); }

void Score::Print() const {
  std::printf("calls %.0f, wrong %.0f (%.0f in harmless scenarios): precision %.4f\n",
              right_ + wrong_, wrong_, wrong_in_harmless_, Precision());
  std::printf("leaks of 32 samples' worth %.0f, called when 24 reports old %.0f: recall %.4f\n",
              large_, large_called_, Recall());
  std::printf("the same, called when 72 reports old %.0f: recall %.4f\n", large_called_late_,
              LateRecall());
  if (shown_in_many_ > 0) {
    std::printf("leaks shown in more than one row of a report: %.0f of %.0f\n", shown_in_many_,
                shown_);
  }
  std::printf("median over calls of the smaller of leaked samples and reports: %.1f\n",
              Quantile(excess_, 0.5));
  std::printf("confidence of calls, when made and 12, 24 and 48 reports later; all scenarios:\n");
  std::printf("  %10s %10s %10s\n", "said", "right", "calls");
  for (const Bin& bin : bins_) {
    if (bin.calls == 0) continue;
    std::printf("  %10.3f %10.3f %10.0f\n", bin.confidence / bin.calls, bin.right / bin.calls,
                bin.calls);
  }
}

bool Score::GoalsMet() const {
  const bool precise = !(Precision() < kPrecisionGoal);
  const bool complete = !(Recall() < kRecallGoal);
  const bool prompt = !(Quantile(excess_, 0.5) > kDelayGoal);
  const bool quiet = wrong_in_harmless_ == 0;
  std::printf("goals: precision %s, recall %s, delay %s, harmless scenarios %s\n",
              precise ? "met" : "MISSED", complete ? "met" : "MISSED", prompt ? "met" : "MISSED",
              quiet ? "met" : "MISSED");
  return precise && complete && prompt && quiet;
}

}  // namespace heapgauge::sim
