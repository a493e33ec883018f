// One report as a value: what the reporter fills in, what every writer reads and what a reader
// restores.  report_fields.inc lists each member with its meaning; docs/report.md has the same
// list for users, as the keys of schema heapgauge.report/1.
//
// Plain data: copy it, compare it, build it in a test.  Not thread-safe, as any value.
#ifndef HEAPGAUGE_REPORT_REPORT_H_
#define HEAPGAUGE_REPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/frame_list.h"
#include "report/units.h"
#include "symbolize/frame.h"

namespace heapgauge {

inline constexpr char kReportSchema[] = "heapgauge.report/1";

using TextMap = std::map<std::string, std::string>;

// A text whose key is left out of the JSON when there is none.
struct TextIfAny : std::string {
  using std::string::string;
  using std::string::operator=;
};

#define HG_MEMBER(type, name, initial, meaning) type name = initial;

struct SamplingInfo {
#define HG_SAMPLING HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const SamplingInfo&) const = default;
};

struct ProcessInfo {
#define HG_PROCESS HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const ProcessInfo&) const = default;
};

// What lives, and what was born and died since tracking began.
struct HeapFigures {
#define HG_HEAP HG_MEMBER
#include "report/report_fields.inc"
  // What is left of a sum without a part of it, none of it negative; its standard error stays.
  HeapFigures Without(const HeapFigures& part) const;
  bool operator==(const HeapFigures&) const = default;
};

struct Totals : HeapFigures {
#define HG_TOTALS HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Totals&) const = default;
};

struct Forecast {
#define HG_FORECAST HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Forecast&) const = default;
};

// What one set of labels holds of a site.
struct LabelShare {
#define HG_SHARE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const LabelShare&) const = default;
};

// Memory in flight for calls to one peer.
struct Call {
#define HG_CALL HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Call&) const = default;
};

// Services that call each other in a circle, this one among them.
struct Circle {
#define HG_CIRCLE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Circle&) const = default;
};

// What is alive with one label.
struct LabelSum {
#define HG_LABEL HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const LabelSum&) const = default;
};

// One whole stack, and the verdict on it.
struct Site : HeapFigures {
#define HG_JUDGED HG_MEMBER
#define HG_GROWTH HG_MEMBER
#define HG_SITE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Site&) const = default;
};

// Who holds what a call site left behind.
struct Holder {
#define HG_HOLDER HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Holder&) const = default;
};

struct Ring {
#define HG_RING HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Ring&) const = default;
};

struct Held {
#define HG_HELD HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Held&) const = default;
};

// All stacks that ask at one line, and the verdict on their sum.
struct Callsite {
  static constexpr size_t kMostSites = 20;

  // The sum's figures under the call site's id.  Its frames are those of the stack that has most of
  // the growth, or that holds most; `callsite` is the line in them.
  Site sum;
#define HG_CALLSITE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Callsite&) const = default;
};

// What a call site holds by stacks that are not in the report.
struct CallsiteRest {
  HeapFigures figures;
  Frame frame;  // the call site
  bool operator==(const CallsiteRest&) const = default;
};

// What made the highest live heap.
struct PeakCallsite {
  Frame frame;  // the call site
#define HG_PEAK_CALLSITE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const PeakCallsite&) const = default;
};

struct Peak {
#define HG_PEAK HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Peak&) const = default;
};

// Born and dead between two reports: of one call site, and of all.
struct BriefFigures {
#define HG_BRIEF HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const BriefFigures&) const = default;
};

struct BriefCallsite : BriefFigures {
  Frame frame;  // the call site
#define HG_BRIEF_CALLSITE HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const BriefCallsite&) const = default;
};

struct Temporary : BriefFigures {
#define HG_TEMPORARY HG_MEMBER
#include "report/report_fields.inc"
  bool operator==(const Temporary&) const = default;
};

struct Report {
#define HG_REPORT HG_MEMBER
#include "report/report_fields.inc"
  // For the profile, which adds up to the whole heap; in no other file.
  std::vector<CallsiteRest> rest;
  bool operator==(const Report&) const = default;
};

#undef HG_MEMBER

// The unit that all rates of a report are told in.
RateUnit RateUnitOf(const Report& report);

// The report's call sites; where it has none, each of its sites stands for one.
std::vector<Callsite> CallsitesOf(const Report& report);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPORT_H_
