// The messages of a pprof profile (perftools.profiles.Profile) as they stand in the file, with
// every index still to be looked up.
#ifndef HEAPGAUGE_REPORT_PPROF_PROFILE_H_
#define HEAPGAUGE_REPORT_PPROF_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace heapgauge {

// What is wrong with a profile, a clause for people.
struct PprofDamage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PprofProfile {
  struct Line {
    uint64_t function = 0;
    int64_t line = 0;
  };
  struct Location {
    uint64_t mapping = 0;
    uint64_t address = 0;
    std::vector<Line> lines;
  };
  struct Function {
    int64_t name = 0;
    int64_t system_name = 0;
    int64_t file = 0;
  };
  struct Mapping {
    uint64_t start = 0;
    uint64_t offset = 0;
    int64_t file = 0;
    int64_t build_id = 0;
  };
  struct Sample {
    std::vector<uint64_t> locations;
    std::vector<int64_t> values;
    std::vector<std::pair<int64_t, int64_t>> labels;  // strings
  };

  // Throws PprofDamage or a protozero::exception.  `bytes`: not compressed.
  explicit PprofProfile(const std::string& bytes);

  // Throws PprofDamage for an index that the table does not have.
  const std::string& String(int64_t index) const;

  // Index of the sample value called `type`, or one behind the last.
  size_t TypeIndex(std::string_view type) const;

  std::vector<std::string> strings;
  std::vector<int64_t> types;
  std::vector<Sample> samples;
  std::unordered_map<uint64_t, Location> locations;
  std::unordered_map<uint64_t, Function> functions;
  std::map<uint64_t, Mapping> mappings;
  uint64_t first_mapping = 0;
  int64_t time_nanos = 0;
  int64_t duration_nanos = 0;
  int64_t period = 0;
};

inline constexpr size_t kMostPprofBytes = size_t{512} << 20;  // not compressed
inline constexpr size_t kMostPprofFrames = 4096;              // of one sample

// A gzip file's content.  Throws PprofDamage, also for more than kMostPprofBytes.
std::string GunzipPprof(const std::string& packed);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_PPROF_PROFILE_H_
