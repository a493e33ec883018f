// The tables of a pprof profile that its samples point into: texts, functions, locations, mappings.
#ifndef HEAPGAUGE_REPORT_PPROF_TABLES_H_
#define HEAPGAUGE_REPORT_PPROF_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/report.h"

namespace heapgauge {

// Fields of a Profile in profile.proto (github.com/google/pprof/proto).
namespace pprof_field {
enum : uint32_t {
  kSampleType = 1,
  kSample = 2,
  kMapping = 3,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kComment = 13,
  kDefaultSampleType = 14
};
}  // namespace pprof_field

// Ids begin at 1, strings at 0 with "".  Throws std::bad_alloc, and is not to be used any more then.
class PprofTables final {
 public:
  explicit PprofTables(const std::string& exe);

  int64_t String(const std::string& text);
  int64_t strings() const { return static_cast<int64_t>(string_order_.size()); }

  // The locations of a site's stack, from its call site on.
  std::vector<uint64_t> Stack(const Site& site);

  size_t bytes() const;  // by estimate

  // Everything but the samples; to be called last.  `build_ids`: by module.
  void AppendTo(const TextMap& build_ids, std::string* out);

 private:
  struct ModuleEntry {
    uint64_t id = 0;
    bool named = false;  // functions of it are known: pprof needn't look for the file
  };
  struct KnownStack {
    FrameList frames;  // so that no others take their identity
    uint32_t callsite;
    std::vector<uint64_t> locations;
  };
  // Locations are looked up by views: nearly every frame has been met before.
  using LocationView = std::tuple<uint64_t, size_t, std::string_view, std::string_view>;
  struct LocationOrder {
    using is_transparent = void;
    bool operator()(const LocationView& a, const LocationView& b) const { return a < b; }
  };

  // One location for frames[begin, end): inlined ones and the function they were inlined into.
  uint64_t Location(const std::vector<Frame>& frames, size_t begin, size_t end);
  uint64_t Function(const Frame& frame);
  ModuleEntry& Module(const std::string& path);
  std::vector<uint64_t> NewStack(const Site& site);
  void WriteMapping(const std::pair<const std::string, ModuleEntry>& entry,
                    const TextMap& build_ids, protozero::pbf_writer* all);

  std::unordered_map<const void*, KnownStack> stacks_;  // kept ones, by identity
  std::unordered_map<std::string, int64_t> strings_;
  std::vector<std::string> string_order_;
  std::map<std::string, ModuleEntry> modules_;
  std::map<std::tuple<uint64_t, size_t, std::string, std::string>, uint64_t, LocationOrder>
      locations_;
  std::map<std::pair<std::string, std::string>, uint64_t> functions_;
  std::string location_bytes_;
  std::string function_bytes_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PPROF_TABLES_H_
