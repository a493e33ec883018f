// Numbers for sentences people read, without the locale of the host (printf would follow its
// decimal comma).
#ifndef HEAPGAUGE_ANALYZE_TEXT_H_
#define HEAPGAUGE_ANALYZE_TEXT_H_

#include <cstdint>
#include <string>

namespace heapgauge::text {

std::string Count(uint64_t count);  // "3 900"
std::string Number(double value);   // three significant digits: "0.042", "4.2", "80", "12 300"
std::string Bytes(double bytes);    // "812 B", "1.5 MiB", "-3.0 KiB"
std::string BytesPerSecond(
    double rate);  // "310 KiB/s"; below 1 KiB/s in the unit that reads best: "1.0 MiB/h"
std::string PerSecond(double rate);    // a count: "80/s", "4.5/min", "2.0/h"
std::string Duration(double seconds);  // "350 ms", "12 s", "4.5 min", "2.3 h", "5.1 days"

}  // namespace heapgauge::text

#endif  // HEAPGAUGE_ANALYZE_TEXT_H_
