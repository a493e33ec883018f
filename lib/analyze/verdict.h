// What the analysis says of a site and of the process.  Plain values: the reporter copies them into
// the report.
#ifndef HEAPGAUGE_ANALYZE_VERDICT_H_
#define HEAPGAUGE_ANALYZE_VERDICT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/evidence.h"
#include "analyze/forecast.h"
#include "analyze/rss.h"
#include "analyze/vocabulary.h"

namespace heapgauge {

// Births, deaths, ages and bytes add up, so the same analysis runs on a whole stack, on the sum of
// all stacks that ask at one line (a call site), on the sum of the call sites that one line of the
// program leads to where their own code has no names, and on the sum of those that ask one wrapper.
enum class SiteLevel : uint8_t { kStack, kCallsite, kProgramLine, kWrapper };

// What a key stands for, and the keys of the sums that it is part of; 0: of none.
struct SitePlace {
  SiteLevel level = SiteLevel::kStack;
  uint64_t parent = 0;   // the call site of a stack, the line of the program of a call site
  bool is_whole = true;  // all of it is part of that one, else the most of what it holds is
  uint64_t wrapper = 0;  // of a call site: the wrapper that most of it asks
  uint64_t alike =
      0;  // of a call site without a line: its function and who calls that; 0: it has one
};

struct SiteJudgement {
  uint64_t key = 0;
  SitePlace place;
  bool is_row = true;       // shown and counted as a cause (causes.h)
  uint64_t culprit = 0;     // of a row: the stack that is most of it; 0: no single one
  bool by_culprit = false;  // the verdict is that stack's, the sum does not show it
  Verdict verdict = Verdict::kWarming;
  double confidence =
      0;              // that the verdict is right, 0..1; calibrated for kLeak, see docs/verdict.md
  Evidence evidence;  // none for a steady site far down the ranking

  double live_bytes = 0;
  double growth_bytes = 0;        // since the previous report
  double growth_bytes_per_s = 0;  // over the present regime of the history, with its 95 % interval
  double growth_low = 0;
  double growth_high = 0;
  double growth_window_s = 0;  // how long that regime is

  double age_p50_s = 0;                  // of the living
  std::optional<double> lifetime_p50_s;  // of the dead; nullopt before the first death
  std::optional<double> lifetime_p99_s;

  uint64_t survivors =
      0;  // samples that outlive nearly all that died; the leaked ones if it is a leak
  bool healed = false;       // was a leak, and stopped since
  uint8_t leak_reports = 0;  // in a row that it has been a leak; no more are counted
};

struct ProcessJudgement {
  Verdict verdict = Verdict::kWarming;
  double confidence = 0;
  ProcessEvidence evidence;
  // Of the live heap, all sites together.
  double live_bytes = 0;
  double growth_bytes = 0;
  double growth_bytes_per_s = 0;
  double growth_low = 0;
  double growth_high = 0;
  RssParts rss;
  std::optional<LimitForecast> forecast;  // only when the growth is significant
};

struct AnalysisResult {
  ProcessJudgement process;
  std::vector<SiteJudgement> sites;  // ranked: what a report should show first comes first
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_VERDICT_H_
