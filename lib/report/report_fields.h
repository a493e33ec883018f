// Visits the members of a report's structures, in the order of report_fields.inc:
// visit(key, member) for each.  Writer and reader are such visitors, so they cannot disagree.
#ifndef HEAPGAUGE_REPORT_REPORT_FIELDS_H_
#define HEAPGAUGE_REPORT_REPORT_FIELDS_H_

#include <concepts>
#include <type_traits>

#include "report/report.h"

namespace heapgauge {

// T is `Wanted` or `const Wanted`.
template <typename T, typename Wanted>
concept Either = std::same_as<std::remove_const_t<T>, Wanted>;

#define HG_VISIT(type, name, initial, meaning) visit(#name, value.name);
#define HG_VISIT_MEMBER(name, meaning) visit(#name, value.name);

template <Either<SamplingInfo> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_SAMPLING HG_VISIT
#include "report/report_fields.inc"
}

template <Either<ProcessInfo> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_PROCESS HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Totals> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_HEAP HG_VISIT
#define HG_TOTALS HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Forecast> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_FORECAST HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Holder> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_HOLDER HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Ring> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_RING HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Held> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_HELD HG_VISIT
#include "report/report_fields.inc"
}

// The line that a call site is, of its frame.
template <Either<Frame> T, typename Visit>
void VisitLine(T& value, const Visit& visit) {
#define HG_LINE HG_VISIT_MEMBER
#include "report/report_fields.inc"
}

template <Either<Frame> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
  VisitLine(value, visit);
#define HG_FRAME HG_VISIT_MEMBER
#include "report/report_fields.inc"
}

// What a stack and a call site have in common.
template <Either<Site> T, typename Visit>
void VisitJudged(T& value, const Visit& visit) {
#define HG_HEAP HG_VISIT
#define HG_JUDGED HG_VISIT
#define HG_GROWTH HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Site> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
  VisitJudged(value, visit);
#define HG_SITE HG_VISIT
#include "report/report_fields.inc"
}

// Without its sum: VisitJudged() and VisitLine() are for that.
template <Either<Callsite> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_CALLSITE HG_VISIT
#include "report/report_fields.inc"
}

template <Either<LabelShare> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_SHARE HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Call> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_CALL HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Circle> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_CIRCLE HG_VISIT
#include "report/report_fields.inc"
}

template <Either<LabelSum> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_LABEL HG_VISIT
#include "report/report_fields.inc"
}

template <Either<PeakCallsite> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
  VisitLine(value.frame, visit);
#define HG_PEAK_CALLSITE HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Peak> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_PEAK HG_VISIT
#include "report/report_fields.inc"
}

template <Either<BriefCallsite> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
  VisitLine(value.frame, visit);
#define HG_BRIEF HG_VISIT
#define HG_BRIEF_CALLSITE HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Temporary> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_BRIEF HG_VISIT
#define HG_TEMPORARY HG_VISIT
#include "report/report_fields.inc"
}

template <Either<Report> T, typename Visit>
void VisitFields(T& value, const Visit& visit) {
#define HG_REPORT HG_VISIT
#include "report/report_fields.inc"
}

#undef HG_VISIT
#undef HG_VISIT_MEMBER

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_REPORT_FIELDS_H_
