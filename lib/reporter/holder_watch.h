// Who holds what suspected call sites leave behind: when memory is looked through for that, and what
// is said of it.
//
//   a report suspects call sites ──► first look, in slices ──► all held: the answer
//                                                         └─► a second later, another look ──► the answer
//                                                                   ▲     │ they do not agree
//                                                                   └─────┘
//
// What all of them missed is lost (graph/holder_search.h, H2); how many it takes is
// analyze/look_agreement.h.  An answer stands until the call site is looked at again
// (analyze/look_policy.h).
//
// W1  Looking takes no more of a core than HEAPGAUGE_CPU_BUDGET, over the life of the process, and
//     no more than a quarter of it at a time.
// W2  Addresses of blocks are kept in the search's own memory, or with all bits turned: wherever
//     else they lay, they would hold what they ask about.
// W3  A copy of the process is made when somebody asks for it, within the bounds of
//     graph/memory_copy.h, and has ended before the next report.  What it does not show is looked
//     for in the process itself before it is called lost.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_HOLDER_WATCH_H_
#define HEAPGAUGE_REPORTER_HOLDER_WATCH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/analyzer.h"
#include "analyze/look_agreement.h"
#include "analyze/look_policy.h"
#include "graph/holder_search.h"
#include "graph/memory_copy.h"
#include "options/options.h"
#include "report/report.h"
#include "reporter/callsite_map.h"
#include "reporter/holder_names.h"
#include "reporter/site_groups.h"
#include "track/tracker.h"

namespace heapgauge {

class HolderWatch final {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // All stay the caller's and outlive this.
  HolderWatch(Tracker& tracker, const Options& options, const CallsiteMap& callsites,
              const SiteIdentity& identity)
      : tracker_(tracker),
        options_(options),
        callsites_(callsites),
        names_(identity, options.symbolize == SymbolizeOption::kLines) {}
  HolderWatch(const HolderWatch&) = delete;
  HolderWatch& operator=(const HolderWatch&) = delete;

  // Before the verdicts of a report: what was found since the last one.
  void Tell(Analyzer& analyzer);
  // After them: what is to be looked for.
  void Choose(const AnalysisResult& result, const Analyzer& analyzer);
  // The same between two reports, of what is known to lose something.
  void ChooseOpen(const Analyzer& analyzer);
  // The next Choose() takes these rows, whatever the option says, or all that grow where there are
  // none, or the largest; and the look takes no more account of W1's budget.
  // `exact`: all rows where none is named, all that is alive of them, and the first look is one at a
  // copy that stands still (W3).
  void Ask(std::vector<uint64_t> keys, bool exact) {
    asked_ = true;
    asked_exactly_ = exact;
    asked_keys_ = std::move(keys);
    refusal_.clear();
  }
  // Why nothing was looked for in a copy; "" where that was not asked, or it was.
  const std::string& refusal() const noexcept { return refusal_; }
  // To make the last copy.
  uint64_t copy_ns() const noexcept { return copy_ns_; }
  bool IsIdle() const noexcept { return stage_ == Stage::kIdle; }
  bool Works() const noexcept { return works_; }
  // Of a row of the report, by its key; nullptr: not looked for.
  const Held* HeldOf(uint64_t key) const;

  // How long until Step() wants to be called; kNever: not before the next report.
  uint64_t WaitNs(uint64_t now_ns) const noexcept;
  void Step() noexcept;
  // A filter forbids it from now on, or the thread leaves.
  void GiveUp() noexcept;

  uint64_t cpu_ns() const { return cpu_ns_; }  // in all

 private:
  static constexpr uint64_t kSliceNs = 1'000'000;
  static constexpr uint64_t kPauseNs = 3 * kSliceNs;
  static constexpr uint64_t kBetweenNs = 1'100'000'000;
  static constexpr size_t kMostRows = 64;
  static constexpr size_t kMostOfARow = 1024;
  static constexpr size_t kMostAsked = 5;  // of the largest
  // Of an exact look.
  static constexpr size_t kMostExactRows = 256;
  static constexpr size_t kMostExactQuestions = size_t{1} << 20;

  enum class Stage : uint8_t { kIdle, kWanted, kLooking, kBetween };
  struct Row {
    SiteLevel level = SiteLevel::kCallsite;
    LastLook last;
    uint64_t least_age_ns = 0;
    std::optional<Held> held;
    bool news = false;
    bool wanted = false;
  };
  struct Question {
    uint64_t hidden = 0;  // W2
    uint64_t birth_ns = 0;
    uint64_t row = 0;
    double bytes = 0;  // that it stands for
    float weight = 1;
  };

  void Want(const SiteJudgement& judgement, const SiteMeasures* measures);
  void ChooseAsked(const AnalysisResult& result, const Analyzer& analyzer);
  void AskQuestions();
  bool Look();
  bool MakeCopy();
  void EndCopy() noexcept;
  void AfterLook();
  void Conclude();
  uint64_t KeyOf(SiteLevel level, uint32_t site) const;

  Tracker& tracker_;
  const Options& options_;
  const CallsiteMap& callsites_;
  HolderNames names_;
  std::unique_ptr<HolderSearch> search_;
  bool works_ = true;
  bool asked_ = false;  // for the next Choose()
  bool asked_exactly_ = false;
  bool on_demand_ = false;  // this look
  bool exact_ = false;      // this look
  MemoryCopy copy_;
  uint64_t copy_ns_ = 0;
  std::string refusal_;
  std::vector<uint64_t> asked_keys_;
  Stage stage_ = Stage::kIdle;
  std::unordered_map<uint64_t, Row> rows_;  // by key
  std::vector<Question> questions_;
  LookAgreement agreement_;  // on them
  uint64_t next_ns_ = 0;     // W1
  uint64_t cpu_ns_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HOLDER_WATCH_H_
