// The HEAPGAUGE_* environment as a value.
#ifndef HEAPGAUGE_OPTIONS_OPTIONS_H_
#define HEAPGAUGE_OPTIONS_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/raw_log.h"
#include "trace/stack_trace.h"

namespace heapgauge {

enum class SymbolizeOption : uint8_t { kLines, kNames, kOff };
enum class FollowOption : uint8_t { kNone, kFork, kExec };
enum class HoldersOption : uint8_t { kAuto, kAsk, kExit, kOff };
enum class ChildrenOption : uint8_t { kSummary, kFull };

namespace option_type {
using Size = uint64_t;      // [bytes]
using Duration = uint64_t;  // [ns]
using Count = uint64_t;
using Percent = double;  // as a share: 0.01 for 1%
using OnOff = bool;
using Unwind = UnwindMode;
using Symbolize = SymbolizeOption;
using Follow = FollowOption;
using Children = ChildrenOption;
using Holders = HoldersOption;
using Log = LogLevel;
// A text is cut off at this size; no variable of ours needs more than a path.
inline constexpr size_t kTextBytes = 4096;
struct Text {
  char value[kTextBytes] = "";
};
struct HttpAddress : Text {};
struct Url : Text {};
}  // namespace option_type

struct Options {
  Options() noexcept;  // all defaults

#define HG_OPTION(type, field, suffix, value, default_text, accepted, help) \
  option_type::type field{};
#include "options/options.inc"
#undef HG_OPTION
};

struct OptionSpec {
  const char* suffix;        // "SAMPLE_INTERVAL"
  const char* value;         // "SIZE": what it takes, in the command's help
  const char* default_text;  // as README.md shows it
  const char* accepted;      // what a good value looks like, for errors and help
  const char* help;
  bool (*parse)(Options& options,
                const char* text);  // false: not a good value; `options` is unchanged
};

inline constexpr char kOptionPrefix[] = "HEAPGAUGE_";

// By its suffix; nullptr: there is none.
const OptionSpec* FindOption(std::string_view suffix) noexcept;

// All specs, `*count` of them, in the order of options.inc.
const OptionSpec* OptionSpecs(size_t* count) noexcept;

// Reads every HEAPGAUGE_* variable of `environment` (NAME=value strings, nullptr at the end).  An
// unknown name or a bad value gets one line on stderr and keeps the default.
void ReadEnvironment(Options& options, const char* const* environment) noexcept;

// "512KiB", "1MiB", "64k", "1048576" -> bytes.  Suffixes B, K, KB, KiB, M..., G..., T..., any case,
// powers of 1024.
bool ParseSize(const char* text, uint64_t* bytes) noexcept;
// "500ms", "10s", "5m", "1h", "2d", "1.5s" -> ns.  A number without a unit is seconds.
bool ParseDuration(const char* text, uint64_t* ns) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_OPTIONS_OPTIONS_H_
