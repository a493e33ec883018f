#include "reporter/holder_watch.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <utility>

#include "base/clock.h"
#include "base/raw_log.h"
#include "process/process_stats.h"
#include "report/units.h"

namespace heapgauge {
namespace {

uint64_t Hide(uintptr_t block) { return ~static_cast<uint64_t>(block); }

// Not the address itself (W2): another number as soon as other words lead to the block.
uint64_t PlaceOf(const HolderSearch::Holder& holder, uintptr_t word) {
  constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;  // the golden ratio's, as hashes take it
  return ((word * kSpread) ^ holder.word) * kSpread + holder.depth;
}

}  // namespace

void HolderWatch::Tell(Analyzer& analyzer) {
  for (auto& [key, row] : rows_) {
    if (row.news) analyzer.Found(key, row.last.finding);
    row.news = false;
  }
}

const Held* HolderWatch::HeldOf(uint64_t key) const {
  const auto found = rows_.find(key);
  return found != rows_.end() && found->second.held ? &*found->second.held : nullptr;
}

void HolderWatch::Want(const SiteJudgement& judgement, const SiteMeasures* measures) {
  Row& row = rows_[judgement.key];
  row.level = judgement.place.level;
  row.last.verdict = judgement.verdict;
  row.last.survivors = measures != nullptr ? measures->live_samples : 0;
  // What dies young does not matter; nor is what was born a moment ago in its place yet.
  const double age_s = std::max(1.0, measures != nullptr ? measures->survivors.threshold_s : 0);
  row.least_age_ns = static_cast<uint64_t>(1e9 * std::min(age_s, 3600.0));
  row.wanted = true;
  stage_ = Stage::kWanted;
}

void HolderWatch::ChooseAsked(const AnalysisResult& result, const Analyzer& analyzer) {
  std::vector<const SiteJudgement*> rows;
  for (const SiteJudgement& judgement : result.sites) {
    if (!judgement.is_row || judgement.place.level == SiteLevel::kStack) continue;
    const SiteMeasures* const measures = analyzer.MeasuresOf(judgement.key);
    if (measures != nullptr && measures->live_samples > 0) rows.push_back(&judgement);
  }
  const auto wanted = [&](const SiteJudgement* judgement) {
    if (asked_keys_.empty()) return judgement->verdict >= Verdict::kGrowing;
    return std::find(asked_keys_.begin(), asked_keys_.end(), judgement->key) != asked_keys_.end();
  };
  std::stable_partition(rows.begin(), rows.end(), wanted);
  const auto end = std::find_if_not(rows.begin(), rows.end(), wanted);
  size_t count = static_cast<size_t>(end - rows.begin());
  if (asked_keys_.empty() && exact_) {
    count = rows.size();
  } else if (asked_keys_.empty() && count == 0) {
    std::stable_sort(rows.begin(), rows.end(), [&](const auto* a, const auto* b) {
      return analyzer.MeasuresOf(a->key)->live_samples > analyzer.MeasuresOf(b->key)->live_samples;
    });
    count = std::min(rows.size(), kMostAsked);
  }
  for (size_t i = 0; i < std::min(count, exact_ ? kMostExactRows : kMostRows); ++i) {
    Want(*rows[i], analyzer.MeasuresOf(rows[i]->key));
  }
}

void HolderWatch::Choose(const AnalysisResult& result, const Analyzer& analyzer) {
  if (!works_ || stage_ != Stage::kIdle) return;
  on_demand_ = std::exchange(asked_, false);
  exact_ = std::exchange(asked_exactly_, false);
  if (on_demand_) {
    ChooseAsked(result, analyzer);
    asked_keys_.clear();
    next_ns_ = 0;
    return;
  }
  if (options_.holders != HoldersOption::kAuto) return;
  const double now_s = static_cast<double>(MonotonicNs()) * 1e-9;
  size_t wanted = 0;
  for (const SiteJudgement& judgement : result.sites) {
    if (!judgement.is_row || judgement.place.level == SiteLevel::kStack) continue;
    const SiteMeasures* const measures = analyzer.MeasuresOf(judgement.key);
    if (wanted == kMostRows || !IsWorthALook(judgement, measures)) continue;
    const uint64_t survivors = measures != nullptr ? measures->live_samples : 0;
    if (survivors < kLeastSurvivors) continue;
    if (!IsDueAgain(rows_[judgement.key].last, judgement.verdict, survivors, now_s)) continue;
    Want(judgement, measures);
    ++wanted;
  }
}

void HolderWatch::ChooseOpen(const Analyzer& analyzer) {
  if (!works_ || stage_ != Stage::kIdle || options_.holders != HoldersOption::kAuto) return;
  for (auto& [key, row] : rows_) {
    const SiteMeasures* const measures = analyzer.MeasuresOf(key);
    if (measures == nullptr || !IsOpen(row.last, measures->live_samples)) continue;
    row.last.survivors = measures->live_samples;
    row.wanted = true;
    stage_ = Stage::kWanted;
  }
}

uint64_t HolderWatch::KeyOf(SiteLevel level, uint32_t site) const {
  if (level == SiteLevel::kProgramLine) return callsites_.ProgramLineOf(site).id;
  if (level == SiteLevel::kCallsite) return callsites_.Of(site).id;
  const CallsiteMap::Callsite* const wrapper = callsites_.WrapperOf(site);
  return wrapper != nullptr ? wrapper->id : 0;
}

void HolderWatch::AskQuestions() {
  questions_.clear();
  search_->ClearQuestions();
  const uint32_t sites = tracker_.sites().size();
  std::vector<uint64_t> row_of(sites, 0);
  for (uint32_t site = 0; site < sites; ++site) {
    for (const SiteLevel level :
         {SiteLevel::kCallsite, SiteLevel::kProgramLine, SiteLevel::kWrapper}) {
      const uint64_t key = KeyOf(level, site);
      const auto found = key != 0 ? rows_.find(key) : rows_.end();
      if (found != rows_.end() && found->second.wanted && found->second.level == level) {
        row_of[site] = key;
      }
    }
  }
  const uint64_t now = tracker_.Now();
  std::unordered_map<uint64_t, std::vector<Question>> by_row;
  tracker_.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    if (sample.site >= sites || row_of[sample.site] == 0) return;
    const uint64_t key = row_of[sample.site];
    if (now < sample.birth_ns + rows_.at(key).least_age_ns) return;
    Question question;
    question.hidden = Hide(block);
    question.birth_ns = sample.birth_ns;
    question.row = key;
    question.bytes = static_cast<double>(sample.bytes) * static_cast<double>(sample.weight);
    question.weight = sample.weight;
    by_row[key].push_back(question);
  });
  for (auto& [key, row] : by_row) {
    // Of many, every so-manieth.
    const size_t most = exact_ ? kMostExactQuestions / by_row.size() : kMostOfARow;
    const size_t step = (row.size() + most - 1) / most;
    for (size_t i = 0; i < row.size(); i += step) {
      if (search_->Ask(~row[i].hidden)) questions_.push_back(row[i]);
    }
  }
}

bool HolderWatch::Look() {
  if (search_ == nullptr) {
    search_ = std::make_unique<HolderSearch>(options_.memory_limit_bytes / 2);
    works_ = search_->Works();
    if (!works_)
      RawLog(LogLevel::kInfo,
             "memory can't be looked through here; nobody is named as holding what leaks");
  }
  if (!works_) return false;
  const bool first = stage_ == Stage::kWanted;
  if (first) {
    AskQuestions();
    agreement_.Begin(questions_.size());
  }
  if (questions_.empty() || !search_->Begin(tracker_.live())) return false;
  return !first || !exact_ || MakeCopy();
}

bool HolderWatch::MakeCopy() {
  CopyCost cost;
  cost.bytes = ReadOwnStatus().rss_anon.value_or(0);
  refusal_ = WhyNoCopy(cost, ReadNearestLimit());
  if (refusal_.empty() && !copy_.Make()) {
    refusal_ = "the kernel makes no copy of it, or lets nobody read one";
  }
  if (!refusal_.empty()) {
    search_->Release();
    return false;
  }
  copy_ns_ = copy_.took_ns();
  search_->ReadCopy(copy_.pid());
  return true;
}

void HolderWatch::EndCopy() noexcept {
  if (search_ != nullptr) search_->ReadCopy(0);
  copy_.End();
}

void HolderWatch::GiveUp() noexcept {
  EndCopy();
  if (search_ != nullptr) search_->Release();
  stage_ = Stage::kIdle;
  works_ = false;
}

uint64_t HolderWatch::WaitNs(uint64_t now_ns) const noexcept {
  if (stage_ == Stage::kIdle) return kNever;
  return next_ns_ > now_ns ? next_ns_ - now_ns : 0;
}

void HolderWatch::Step() noexcept {
  if (WaitNs(MonotonicNs()) != 0) return;
  const uint64_t began = ThreadCpuNs();
  try {
    if (stage_ == Stage::kWanted || stage_ == Stage::kBetween) {
      if (Look()) {
        stage_ = Stage::kLooking;
      } else {
        stage_ = Stage::kIdle;
        for (auto& [key, row] : rows_) row.wanted = false;
      }
    } else if (copy_.expired()) {
      refusal_ = "the copy came to its end before it was looked through";
      EndCopy();
      search_->Release();
      stage_ = Stage::kIdle;
    } else if (!search_->Step(kSliceNs)) {
      EndCopy();
      AfterLook();
    }
  } catch (...) {  // no memory: the next report asks again
    EndCopy();
    if (search_ != nullptr) search_->Release();
    stage_ = Stage::kIdle;
  }
  const uint64_t took = ThreadCpuNs() - began;
  cpu_ns_ += took;
  // W1
  const uint64_t now = MonotonicNs();
  uint64_t wait = std::max(kPauseNs, 3 * took);
  if (stage_ == Stage::kBetween) wait = kBetweenNs;
  const double life_ns = static_cast<double>(tracker_.UptimeNs(now));
  const double over_ns = static_cast<double>(cpu_ns_) / options_.cpu_budget - life_ns;
  if (over_ns > 0 && !on_demand_) wait = std::max(wait, static_cast<uint64_t>(over_ns));
  next_ns_ = now + wait;
}

void HolderWatch::AfterLook() {
  for (size_t i = 0; i < questions_.size(); ++i) {
    const uint64_t row = questions_[i].row;
    const HolderSearch::Holder holder = search_->HolderOf(~questions_[i].hidden);
    if (holder.answer == HolderSearch::Answer::kGone) {
      agreement_.Gone(i);
    } else if (holder.answer == HolderSearch::Answer::kLost) {
      agreement_.Missed(i, row);
    } else {
      const bool fleeting = holder.place == RootKind::kStack || holder.place == RootKind::kRegister;
      agreement_.Found(i, row, PlaceOf(holder, search_->WordTo(~questions_[i].hidden)), fleeting);
    }
  }
  if (agreement_.EndLook()) {
    stage_ = Stage::kBetween;
    return;
  }
  Conclude();
  search_->Release();
  questions_.clear();
  stage_ = Stage::kIdle;
}

void HolderWatch::Conclude() {
  // Who has died meanwhile, or is another one by now, is not asked about any more.
  std::unordered_map<uint64_t, uint64_t> births;
  for (const Question& question : questions_) births.emplace(question.hidden, 0);
  tracker_.live().ForEach([&](uintptr_t block, const LiveSample& sample) {
    const auto found = births.find(Hide(block));
    if (found != births.end()) found->second = sample.birth_ns;
  });
  std::unordered_map<uint64_t, std::vector<HolderNames::Found>> by_row;
  struct Births {
    uint64_t first_ns = ~uint64_t{0};
    uint64_t last_ns = 0;
  };
  std::unordered_map<uint64_t, Births> lost_births;
  for (size_t i = 0; i < questions_.size(); ++i) {
    const Question& question = questions_[i];
    const auto alive = births.find(question.hidden);
    if (alive == births.end() || alive->second != question.birth_ns) continue;
    HolderNames::Found found;
    found.hidden = question.hidden;
    found.bytes = question.bytes;
    found.weight = question.weight;
    found.holder = search_->HolderOf(~question.hidden);
    if (found.holder.answer == HolderSearch::Answer::kGone) continue;
    if (found.holder.answer == HolderSearch::Answer::kLost && !agreement_.IsLost(i)) {
      found.holder.answer = HolderSearch::Answer::kUnknown;
    }
    by_row[question.row].push_back(found);
    if (found.holder.answer == HolderSearch::Answer::kLost) {
      Births& births_of = lost_births[question.row];
      births_of.first_ns = std::min(births_of.first_ns, question.birth_ns);
      births_of.last_ns = std::max(births_of.last_ns, question.birth_ns);
    }
  }
  std::vector<HolderSearch::Holder> holders;
  for (const auto& [key, found] : by_row) {
    for (const HolderNames::Found& one : found) holders.push_back(one.holder);
  }
  names_.LookUp(holders, *search_);
  const uint64_t now = MonotonicNs();
  const std::string time = FormatUtc(UnixMs());
  for (auto& [key, found] : by_row) {
    Row& row = rows_[key];
    Held held = names_.Describe(found, *search_);
    held.time = time;
    row.last.finding = {held.checked_objects, held.lost_objects};
    if (const auto lost = lost_births.find(key); lost != lost_births.end()) {
      const auto seconds = [](uint64_t from, uint64_t to) {
        return to > from ? static_cast<double>(to - from) * 1e-9 : 0.0;
      };
      row.last.finding.span_s = seconds(lost->second.first_ns, lost->second.last_ns);
      row.last.finding.newest_s = seconds(lost->second.last_ns, tracker_.Now());
    }
    row.held = std::move(held);
    row.news = true;
  }
  for (auto& [key, row] : rows_) {
    if (row.wanted) {
      row.last.ever = true;
      row.last.at_s = static_cast<double>(now) * 1e-9;
    }
    row.wanted = false;
  }
  RawLog(LogLevel::kDebug,
         "looked through memory: %zu blocks, %.1f MiB read in the last look, %.1f ms of processor "
         "time, the longest step %.2f ms",
         search_->blocks(), static_cast<double>(search_->bytes_read()) / 1048576,
         static_cast<double>(search_->cpu_ns()) * 1e-6,
         static_cast<double>(search_->longest_step_ns()) * 1e-6);
}

}  // namespace heapgauge
