#include "unit/report/sentence_check.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <regex>
#include <sstream>

#include "report/units.h"

namespace heapgauge {
namespace {

// In a sentence: a duration, a number, a rate of events.
const std::string kTime = "((?:[0-9.]+ (?:us|ms|s|min|h|d) ?)+?)";
const std::string kCount = "([0-9.,]+(?: [kMG])?)";
const std::string kFrequency = kCount + "/(s|min|h)(?: \\+/- ([0-9]+) %)?";

class Checker final {
 public:
  Checker(const std::string& sentence, const SiteJudgement& judgement, const Record& record,
          double report_s)
      : sentence_(sentence), judgement_(judgement), record_(record), report_s_(report_s) {}

  std::vector<std::string> Run() {
    if (sentence_.empty()) return {};
    Deaths();
    Births();
    Survivors();
    Growth();
    if (!known_) Wrong("no words that this test knows");
    return wrong_;
  }

 private:
  bool Find(const std::string& pattern) {
    // Making one takes longer than all else here.
    static std::map<std::string, std::regex> known;
    std::regex& regex = known[pattern];
    if (regex.mark_count() == 0) regex = std::regex(pattern);
    const bool found = std::regex_search(sentence_, match_, regex);
    known_ = known_ || found;
    return found;
  }
  bool Says(const std::string& words) {
    const bool found = sentence_.find(words) != std::string::npos;
    known_ = known_ || found;
    return found;
  }
  void Wrong(const std::string& what) { wrong_.push_back(what); }
  const SiteObservation& Now() const { return record_.back(); }

  // The last observation not younger than `ago`; nothing before the first.
  SiteObservation At(double ago) const {
    SiteObservation then;
    for (const SiteObservation& seen : record_) {
      if (seen.time_s > Now().time_s - ago) break;
      then = seen;
    }
    return then;
  }
  // Samples born from `from` to `until` seconds ago, reports in between shared out.
  double BornSamples(double from, double until) const {
    const auto samples = [this](double ago) {
      const double at = Now().time_s - ago;
      double before_s = 0;
      double before = 0;
      for (const SiteObservation& seen : record_) {
        const auto count = static_cast<double>(seen.allocated_samples);
        if (seen.time_s >= at) {
          const double part = std::clamp((at - before_s) / (seen.time_s - before_s), 0.0, 1.0);
          return before + part * (count - before);
        }
        before_s = seen.time_s;
        before = count;
      }
      return before;
    };
    return samples(until) - samples(from);
  }

  void Deaths() {
    const SiteObservation& now = Now();
    if (Says("nothing born here has died yet") && now.freed_samples > 0) {
      Wrong("something has died");
    }
    if (Find("of all that died, 99.9 % were gone within " + kTime + "(?:;|$)")) {
      GoneBy(ReadDuration(match_[1]), 0.998);
    }
    if (Find("of those that died, 99 % were gone within " + kTime + "(?:;|$)")) {
      GoneBy(ReadDuration(match_[1]), 0.985);
    }
  }

  void GoneBy(double seconds, double share) {
    double young = 0;
    double all = 0;
    for (size_t i = 0; i < kAgeBuckets; ++i) {
      all += Now().deaths[i];
      if (AgeBucketLowSeconds(i) <= 1.05 * seconds) young += Now().deaths[i];
    }
    if (!(all > 0)) return Wrong("nothing has died");
    if (young < share * all) Wrong("more than that lived longer");
  }

  void Births() {
    if (Find("none was born in the last " + kTime + ", after")) {
      const double quiet = ReadDuration(match_[1]);
      if (At(0.95 * quiet - 0.1 * report_s_).allocated_samples != Now().allocated_samples) {
        Wrong("some were born since");
      }
      if (Says("undiminished")) Wrong("none come, undiminished?");
    }
    if (Find(kCount + " births were sampled in the last " + kTime + ", too few")) {
      const double count = ReadNumber(match_[1]);
      const double born = BornSamples(ReadDuration(match_[2]), 0);
      if (std::abs(count - born) > 2 + 0.1 * born) Wrong("another number was born");
    }
    if (Find("births steady at " + kFrequency)) Rate();
    if (Find("births rose " + kCount + "-fold, to " + kFrequency)) Change(1);
    if (Find("births fell to [0-9.]+ % of what they were, to " + kFrequency)) Change(-1);
  }

  // Of some window that ends now the rate is the one that was said.
  void Rate() {
    const double seconds = match_[2] == "s" ? 1 : match_[2] == "min" ? 60 : 3600;
    const double said = ReadNumber(match_[1]) / seconds;
    const double error = match_[3].matched ? std::atof(match_[3].str().c_str()) / 100 : 0.05;
    if (!(error < 0.8)) Wrong("a rate that may be anything is none");
    const double begin = record_.front().time_s;
    double nearest = std::numeric_limits<double>::infinity();
    for (const SiteObservation& then : record_) {
      if (then.time_s >= Now().time_s) break;
      const double rate =
          (Now().allocated_objects - then.allocated_objects) / (Now().time_s - then.time_s);
      nearest = std::min(nearest, std::abs(rate / said - 1));
    }
    // From the very beginning.
    const double all = Now().allocated_objects / std::max(begin, Now().time_s);
    nearest = std::min(nearest, std::abs(all / said - 1));
    if (nearest > 0.07 + 0.3 * error) Wrong("there was no such rate of births");
    Halves();
  }

  // What is called steady has no halves that are plainly different.
  void Halves() {
    const double window = Now().time_s;
    const double early = BornSamples(window, 0.5 * window);
    const double late = BornSamples(0.5 * window, 0);
    if (late < 1 && early > 30) Wrong("what is steady has ended");
  }

  // In some half of some window births changed so that no chance explains it.
  void Change(double sign) {
    double strongest = 0;
    for (double window = 4 * report_s_; window <= Now().time_s; window += report_s_) {
      const double early = BornSamples(window, 0.5 * window);
      const double late = BornSamples(0.5 * window, 0);
      if (early + late < 8) continue;
      const double z = (late - early) / std::sqrt(early + late);
      strongest = std::max(strongest, sign * z);
    }
    if (strongest < 2.5) Wrong("births have not changed that way");
  }

  void Survivors() {
    if (!Find("(?:all " + kCount + "|" + kCount + " of " + kCount +
              ") sampled objects born here (?:in the last |from )" + kTime + "(?: to " + kTime +
              " ago)? are still alive")) {
      return;
    }
    const std::smatch said = match_;
    const double living = ReadNumber(said[1].matched ? said[1] : said[2]);
    const double born = ReadNumber(said[1].matched ? said[1] : said[3]);
    const double from = ReadDuration(said[4]);
    const double until = said[5].matched ? ReadDuration(said[5]) : 0;
    if (!(from > until)) Wrong("that is no time");
    if (living > 1.01 * static_cast<double>(Now().live_samples) + 1) Wrong("so many don't live");
    // Ages are known by the bucket, births by the report.
    const double least = BornSamples(0.8 * from, 1.3 * until + report_s_);
    const double most = BornSamples(1.3 * from + report_s_, 0.7 * until);
    if (born < 0.8 * least - 3 || born > 1.25 * most + 3) Wrong("another number was born then");
    if (Says("undiminished")) {
      const double third = BornSamples((from + 2 * until) / 3 + until / 3, until);
      if (third < 0.2 * born - 2 * std::sqrt(born / 3)) Wrong("they have diminished");
    }
    if (Says("none that old ever died") && DiedOlderThan(1.5 * until) > 0) {
      Wrong("one that old has died");
    }
    if (judgement_.verdict != Verdict::kLeak) Wrong("it is no leak");
  }

  double DiedOlderThan(double seconds) const {
    double count = 0;
    for (size_t i = 0; i < kAgeBuckets; ++i) {
      if (AgeBucketLowSeconds(i) >= seconds) count += Now().deaths[i];
    }
    return count;
  }

  void Growth() {
    const bool rises = judgement_.growth_low > 0;
    const bool rate = sentence_.find("B/s") != std::string::npos ||
                      sentence_.find("B/min") != std::string::npos ||
                      sentence_.find("B/h") != std::string::npos;
    if (Says("no growth beyond chance")) {
      if (rises) Wrong("growth is beyond chance");
      if (rate) Wrong("a rate where nothing grows");
    }
    if (Says("may be growing, too little is seen to be sure") && !rises) Wrong("nothing rises");
    if (Says("what it gained it lost again") && judgement_.growth_window_s > 0 &&
        Now().live_bytes > 1.01 * At(0.99 * judgement_.growth_window_s).live_bytes) {
      Wrong("it has grown");
    }
    if (Find("has grown by ([0-9.]+ [KMG]?i?B) in the last " + kTime + ", and hardly any more")) {
      const double gained = Now().live_bytes - At(0.99 * ReadDuration(match_[2])).live_bytes;
      if (!(gained > 0) || rate) Wrong("it has not grown, or a rate is told of what ended");
    }
    if (Says("live bytes have risen by")) {
      const std::string said = FormatRate(judgement_.growth_bytes_per_s, {});
      if (!rises) Wrong("they may as well have fallen");
      if (sentence_.find(said) == std::string::npos) Wrong("the row says " + said);
    }
    if (Find("live bytes follow the traffic: they rose " + kCount + "-fold")) {
      if (judgement_.verdict != Verdict::kLoad) Wrong("it is no load");
      const double half = 0.5 * judgement_.growth_window_s;
      if (BornSamples(half, 0) <= BornSamples(2 * half, half)) Wrong("births have not risen");
    }
    if (Find("seen in ([0-9]+) reports?, too few") &&
        std::abs(ReadNumber(match_[1]) - static_cast<double>(record_.size())) > 1) {
      Wrong("it was seen in more or fewer");
    }
    if (Find("the few blocks alive here grew by half or more ([0-9]+) times, as a buffer")) {
      double least = Now().live_bytes;
      for (const SiteObservation& seen : record_) {
        if (seen.live_samples > 0) least = std::min(least, seen.live_bytes);
      }
      if (Now().live_samples > 3) Wrong("those are not few");
      if (Now().live_bytes < least * std::pow(1.4, ReadNumber(match_[1]))) Wrong("not so often");
    }
    if (Says("piled up until the last report") && Now().live_samples > 0) Wrong("some still live");
    if (Says("was a leak and stopped") || Says("was called a leak")) {
      if (judgement_.verdict == Verdict::kLeak) Wrong("it is one");
    }
  }

  const std::string& sentence_;
  const SiteJudgement& judgement_;
  const Record& record_;
  const double report_s_;
  std::smatch match_;
  bool known_ = false;
  std::vector<std::string> wrong_;
};

}  // namespace

double ReadDuration(const std::string& text) {
  std::istringstream words(text);
  double seconds = 0;
  double number = 0;
  std::string unit;
  while (words >> number >> unit) {
    seconds += number * (unit == "us"    ? 1e-6
                         : unit == "ms"  ? 1e-3
                         : unit == "s"   ? 1
                         : unit == "min" ? 60
                         : unit == "h"   ? 3600
                         : unit == "d"   ? 86400
                                         : std::nan(""));
  }
  return seconds;
}

double ReadNumber(const std::string& text) {
  std::string digits = text;
  digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
  char* end = nullptr;
  const double value = std::strtod(digits.c_str(), &end);
  if (end == digits.c_str()) return std::nan("");
  const std::string unit = end;
  return value * (unit == " k" ? 1e3 : unit == " M" ? 1e6 : unit == " G" ? 1e9 : 1);
}

std::vector<std::string> WrongIn(const std::string& sentence, const SiteJudgement& judgement,
                                 const Record& record, double report_s) {
  return Checker(sentence, judgement, record, report_s).Run();
}

}  // namespace heapgauge
