// How long is left until the limit, as every surface says it: report.txt, the page, `top`, the metrics
// and alerts.  JSON has the forecast itself, with how long the growth has lasted.
#ifndef HEAPGAUGE_REPORT_TIME_LEFT_H_
#define HEAPGAUGE_REPORT_TIME_LEFT_H_

#include <optional>
#include <string>

#include "report/report.h"

namespace heapgauge {

// Has the growth lasted a fifth of the time that it foretells, or of an hour where that is less?
// What has not may be a program that fills its memory once, at its start.
bool HasLasted(const Forecast& forecast);

// The forecast where it may be told to a person.  nullopt: there is none, or it is too early.
std::optional<Forecast> TimeLeft(const Report& report);

// "too early to say; memory use has grown by +1.20 MiB/s for 12 s" where there is a forecast that is
// not told yet, else empty.
std::string TooEarly(const Report& report);

// "memory use" or "the live heap": what grows.
const char* GrowthOf(const Forecast& forecast);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_TIME_LEFT_H_
