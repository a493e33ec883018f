// The numbers of all reports at a path, as they are read.
#ifndef HEAPGAUGE_TESTS_UNIT_REPORT_SEQUENCES_IN_H_
#define HEAPGAUGE_TESTS_UNIT_REPORT_SEQUENCES_IN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "report/report_file.h"

namespace heapgauge {

inline std::vector<uint64_t> SequencesIn(const std::string& path, std::vector<std::string>* notes) {
  std::vector<uint64_t> sequences;
  std::string error;
  ForEachReport(
      path,
      [&](Report&& report) {
        sequences.push_back(report.sequence);
        return true;
      },
      notes, &error);
  return sequences;
}

}  // namespace heapgauge

#endif  // HEAPGAUGE_TESTS_UNIT_REPORT_SEQUENCES_IN_H_
