// Stacks that end early, because the code at their end has no unwind tables: some projects build
// with -fno-asynchronous-unwind-tables, and the tables for debuggers (.debug_frame) are in the file
// alone, which is not read in a program's sampled paths.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_STACK_ENDS_H_
#define HEAPGAUGE_REPORTER_STACK_ENDS_H_

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/site_identity.h"
#include "reporter/store_snapshot.h"

namespace heapgauge {

class SiteTable;

class StackEnds final {
 public:
  // `most_frames`: deeper stacks end there, whatever tables there are.
  explicit StackEnds(size_t most_frames) : most_frames_(most_frames) {}

  // A sentence for each module where stacks with a share of the live bytes worth mentioning end.
  std::vector<std::string> Notes(const StoreSnapshot& snapshot, const SiteTable& sites,
                                 const SiteIdentity& identity);

 private:
  static constexpr uint32_t kUnknown = 0;
  static constexpr uint32_t kWhole = 1;
  static constexpr uint32_t kFirstModule = 2;  // + place in modules_

  uint32_t Look(const StoredSite& site, const SiteIdentity& identity);

  const size_t most_frames_;
  std::vector<uint32_t> ends_;  // by site index
  std::vector<std::string> modules_;
  std::unordered_map<std::string, uint32_t> places_;  // in modules_
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_STACK_ENDS_H_
