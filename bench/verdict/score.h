// Figures from many runs, and the goals they are held against.
#ifndef HEAPGAUGE_BENCH_VERDICT_SCORE_H_
#define HEAPGAUGE_BENCH_VERDICT_SCORE_H_

#include <vector>

#include "run.h"
#include "scenario.h"

namespace heapgauge::sim {

void PrintHead(const Setting& setting);
void PrintLine(const Scenario& scenario, const std::vector<RunResult>& results);

class Score final {
 public:
  void Add(const Scenario& scenario, const std::vector<RunResult>& results);
  // What the confidence says of calls against how many of them are right: in all scenarios, those
  // beyond what can be told included, for a user has them, too.
  void Calibrate(const std::vector<RunResult>& results);
  void Print() const;
  // Precision at least 0.995, recall at least 0.99, the median delay at most 12 samples or 12 reports,
  // whichever is later, no false call in a harmless scenario.
  bool GoalsMet() const;

 private:
  static constexpr size_t kBins = 12;
  struct Bin {
    double confidence = 0;  // sum
    double right = 0;
    double calls = 0;
  };
  double Precision() const;
  double Recall() const;
  double LateRecall() const;

  double right_ = 0;
  double wrong_ = 0;
  double wrong_in_harmless_ = 0;
  double large_ = 0;
  double large_called_ = 0;
  double large_called_late_ = 0;
  double shown_ = 0;          // leaks that were
  double shown_in_many_ = 0;  // in more than one row of a report
  std::vector<double>
      excess_;  // min(samples, reports) at each right call: both above 12 is too late
  std::vector<Bin> bins_ = std::vector<Bin>(kBins);
};

}  // namespace heapgauge::sim

#endif  // HEAPGAUGE_BENCH_VERDICT_SCORE_H_
