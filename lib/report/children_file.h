// children.jsonl of a report directory, summed up: what its short-lived children were, by program.
//
// Written by the children themselves, one line of at most 4 KiB each (reporter/family.h); may be
// torn, hostile or still growing.  Read line by line; at most a few thousand sums are held.
#ifndef HEAPGAUGE_REPORT_CHILDREN_FILE_H_
#define HEAPGAUGE_REPORT_CHILDREN_FILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace heapgauge {

struct ChildCallsite {
  std::string module;
  uint64_t offset = 0;   // in the module's own address space
  std::string function;  // "" until somebody names it
  uint64_t children = 0;
  double live_bytes = 0;  // at the ends of those children, together
};

struct ChildProgram {
  std::string exe;
  uint64_t count = 0;
  uint64_t failed = 0;  // their status is known, and not 0
  double lifetime_s = 0;
  double lifetime_max_s = 0;
  double live_bytes = 0;
  double allocated_bytes = 0;
  double live_max_bytes = 0;  // of one child
  std::map<std::pair<std::string, uint64_t>, ChildCallsite> callsites;
  const ChildCallsite* Largest() const;  // nullptr: none is known
};

struct ChildrenSummary {
  uint64_t count = 0;
  uint64_t skipped = 0;  // lines that are none
  double live_bytes = 0;
  double allocated_bytes = 0;
  std::vector<ChildProgram> programs;  // the most allocated first
};

// Of the directory `path`, the rotated file included.  Without such a file: no children.
ChildrenSummary ReadChildren(const std::string& path);

// For people; "" without children.  Names are made safe to show.
std::string ChildrenText(const ChildrenSummary& children);
// One JSON object.
std::string ChildrenJson(const ChildrenSummary& children);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_CHILDREN_FILE_H_
