// Report -> one line of JSON, schema heapgauge.report/1.
#ifndef HEAPGAUGE_REPORT_JSON_WRITER_H_
#define HEAPGAUGE_REPORT_JSON_WRITER_H_

#include <cstddef>
#include <string>

#include "report/report.h"

namespace heapgauge {

// One JSON object without line break in or behind it, keys in the order of the schema.  Valid JSON
// whatever the report holds: invalid UTF-8 in names becomes U+FFFD; NaN and infinities become 0, or
// null where the schema has null; figures that are whole are written as integers, others with at
// most six decimals.
//
// `max_sites` cuts the list of sites (ranked, so the last ones go); `sites_total` still tells how
// many there were.
std::string ToJson(const Report& report, size_t max_sites = SIZE_MAX);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_JSON_WRITER_H_
