#include "options/options.h"

#include <strings.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace heapgauge {
namespace {

// A decimal number and what follows it.  No strtod: it obeys the host's locale.
bool ParseNumber(const char* text, double* number, const char** rest) noexcept {
  double value = 0;
  const char* at = text;
  int digits = 0;
  for (; *at >= '0' && *at <= '9'; ++at, ++digits) value = value * 10 + (*at - '0');
  if (*at == '.') {
    double unit = 0.1;
    for (++at; *at >= '0' && *at <= '9'; ++at, ++digits, unit /= 10) value += (*at - '0') * unit;
  }
  if (digits == 0) return false;
  *number = value;
  *rest = at;
  return true;
}

struct Unit {
  const char* name;
  double factor;
};

template <size_t kCount>
bool ParseWithUnit(const char* text, const Unit (&units)[kCount], uint64_t* out) noexcept {
  double number;
  const char* rest;
  if (!ParseNumber(text, &number, &rest)) return false;
  while (*rest == ' ') ++rest;
  for (const Unit& unit : units) {
    if (strcasecmp(rest, unit.name) != 0) continue;
    const double value = number * unit.factor;
    if (value >= 9.2e18) return false;
    *out = static_cast<uint64_t>(value + 0.5);
    return true;
  }
  return false;
}

template <typename Value>
struct Choice {
  const char* name;
  Value value;
};

template <typename Value, size_t kCount>
bool Choose(const char* text, const Choice<Value> (&choices)[kCount], Value* out) noexcept {
  for (const Choice<Value>& choice : choices) {
    if (strcasecmp(text, choice.name) == 0) {
      *out = choice.value;
      return true;
    }
  }
  return false;
}

bool ParseOnOff(const char* text, bool* out) noexcept {
  static constexpr Choice<bool> kChoices[] = {{"on", true},   {"off", false},  {"1", true},
                                              {"0", false},   {"yes", true},   {"no", false},
                                              {"true", true}, {"false", false}};
  return Choose(text, kChoices, out);
}

bool ParseUnwind(const char* text, UnwindMode* out) noexcept {
  static constexpr Choice<UnwindMode> kChoices[] = {{"auto", UnwindMode::kAuto},
                                                    {"dwarf", UnwindMode::kDwarf},
                                                    {"fp", UnwindMode::kFramePointers}};
  return Choose(text, kChoices, out);
}

bool ParseSymbolize(const char* text, SymbolizeOption* out) noexcept {
  static constexpr Choice<SymbolizeOption> kChoices[] = {{"lines", SymbolizeOption::kLines},
                                                         {"names", SymbolizeOption::kNames},
                                                         {"off", SymbolizeOption::kOff}};
  return Choose(text, kChoices, out);
}

bool ParseFollow(const char* text, FollowOption* out) noexcept {
  static constexpr Choice<FollowOption> kChoices[] = {
      {"none", FollowOption::kNone}, {"fork", FollowOption::kFork}, {"exec", FollowOption::kExec}};
  return Choose(text, kChoices, out);
}

bool ParseHolders(const char* text, HoldersOption* out) noexcept {
  static constexpr Choice<HoldersOption> kChoices[] = {{"auto", HoldersOption::kAuto},
                                                       {"ask", HoldersOption::kAsk},
                                                       {"exit", HoldersOption::kExit},
                                                       {"off", HoldersOption::kOff}};
  return Choose(text, kChoices, out);
}

bool ParseChildren(const char* text, ChildrenOption* out) noexcept {
  static constexpr Choice<ChildrenOption> kChoices[] = {{"summary", ChildrenOption::kSummary},
                                                        {"full", ChildrenOption::kFull}};
  return Choose(text, kChoices, out);
}

bool ParseLog(const char* text, LogLevel* out) noexcept {
  static constexpr Choice<LogLevel> kChoices[] = {{"error", LogLevel::kError},
                                                  {"warning", LogLevel::kWarning},
                                                  {"info", LogLevel::kInfo},
                                                  {"debug", LogLevel::kDebug}};
  return Choose(text, kChoices, out);
}

bool ParseCount(const char* text, uint64_t* out) noexcept {
  double number;
  const char* rest;
  if (!ParseNumber(text, &number, &rest) || *rest != '\0') return false;
  if (number < 1 || number > kMaxFrames) return false;  // also: more than an integer can hold
  *out = static_cast<uint64_t>(number);
  return static_cast<double>(*out) == number;
}

bool ParsePercent(const char* text, double* out) noexcept {
  double number;
  const char* rest;
  if (!ParseNumber(text, &number, &rest) || (*rest != '\0' && strcmp(rest, "%") != 0)) return false;
  if (number < 0.01 || number > 100) return false;
  *out = number / 100;
  return true;
}

bool ParseText(const char* text, option_type::Text* out) noexcept {
  if (std::strlen(text) >= option_type::kTextBytes) return false;
  std::strcpy(out->value, text);
  return true;
}

// "off", "127.0.0.1:9191", "[::1]:9191", "localhost:9191"
bool ParseHttpAddress(const char* text, option_type::Text* out) noexcept {
  if (strcasecmp(text, "off") != 0) {
    const char* const colon = std::strrchr(text, ':');
    double port;
    const char* rest;
    if (colon == nullptr || colon == text || !ParseNumber(colon + 1, &port, &rest) ||
        *rest != '\0' || std::strchr(colon, '.') != nullptr || port > 65535) {
      return false;
    }
  }
  return ParseText(text, out);
}

// http:// or https:// with a host; "" is none.
bool ParseUrl(const char* text, option_type::Text* out) noexcept {
  for (const char* scheme : {"http://", "https://"}) {
    const size_t length = std::strlen(scheme);
    if (std::strncmp(text, scheme, length) != 0) continue;
    return text[length] != '\0' && text[length] != '/' && ParseText(text, out);
  }
  return *text == '\0' && ParseText(text, out);
}

// One overload a type of options.inc; sizes and durations have their own ranges below.
namespace parse {
bool Size(const char* text, uint64_t* out) noexcept { return ParseSize(text, out); }
bool Duration(const char* text, uint64_t* out) noexcept { return ParseDuration(text, out); }
bool Count(const char* text, uint64_t* out) noexcept { return ParseCount(text, out); }
bool Percent(const char* text, double* out) noexcept { return ParsePercent(text, out); }
bool OnOff(const char* text, bool* out) noexcept { return ParseOnOff(text, out); }
bool Unwind(const char* text, UnwindMode* out) noexcept { return ParseUnwind(text, out); }
bool Symbolize(const char* text, SymbolizeOption* out) noexcept {
  return ParseSymbolize(text, out);
}
bool Follow(const char* text, FollowOption* out) noexcept { return ParseFollow(text, out); }
bool Holders(const char* text, HoldersOption* out) noexcept { return ParseHolders(text, out); }
bool Children(const char* text, ChildrenOption* out) noexcept { return ParseChildren(text, out); }
bool Log(const char* text, LogLevel* out) noexcept { return ParseLog(text, out); }
bool Text(const char* text, option_type::Text* out) noexcept { return ParseText(text, out); }
bool HttpAddress(const char* text, option_type::HttpAddress* out) noexcept {
  return ParseHttpAddress(text, out);
}
bool Url(const char* text, option_type::Url* out) noexcept { return ParseUrl(text, out); }
}  // namespace parse

// What a type alone does not rule out.
bool InRange(const Options& options) noexcept {
  constexpr uint64_t kMs = 1'000'000;
  constexpr uint64_t kDay = uint64_t{24} * 3600 * 1000 * kMs;
  return options.sample_interval_bytes >= 1 &&
         options.sample_interval_bytes <= Sampler::kMaxInterval &&
         options.report_interval_ns >= 100 * kMs && options.report_interval_ns <= 30 * kDay &&
         options.memory_limit_bytes >= (uint64_t{1} << 20) &&
         options.memory_limit_bytes <= (uint64_t{1} << 40) && options.output.value[0] != '\0' &&
         options.only.value[0] != '\0';
}

template <typename Value>
bool Assign(Options& options, Value Options::*field, const char* text,
            bool (*parse_value)(const char*, Value*) noexcept) noexcept {
  const Value before = options.*field;
  if (parse_value(text, &(options.*field)) && InRange(options)) return true;
  options.*field = before;
  return false;
}

constexpr OptionSpec kSpecs[] = {
#define HG_OPTION(type, field, suffix, value, default_text, accepted, help)              \
  {suffix, value, default_text, accepted, help, [](Options& options, const char* text) { \
     return Assign(options, &Options::field, text, &parse::type);                        \
   }},
#include "options/options.inc"
#undef HG_OPTION
};

}  // namespace

const OptionSpec* FindOption(std::string_view suffix) noexcept {
  for (const OptionSpec& spec : kSpecs) {
    if (suffix == spec.suffix) return &spec;
  }
  return nullptr;
}

bool ParseSize(const char* text, uint64_t* bytes) noexcept {
  constexpr double kKi = 1024;
  static constexpr Unit kUnits[] = {{"", 1},
                                    {"B", 1},
                                    {"K", kKi},
                                    {"KB", kKi},
                                    {"KiB", kKi},
                                    {"M", kKi * kKi},
                                    {"MB", kKi * kKi},
                                    {"MiB", kKi * kKi},
                                    {"G", kKi * kKi * kKi},
                                    {"GB", kKi * kKi * kKi},
                                    {"GiB", kKi * kKi * kKi},
                                    {"T", kKi * kKi * kKi * kKi},
                                    {"TB", kKi * kKi * kKi * kKi},
                                    {"TiB", kKi * kKi * kKi * kKi}};
  return ParseWithUnit(text, kUnits, bytes);
}

bool ParseDuration(const char* text, uint64_t* ns) noexcept {
  static constexpr Unit kUnits[] = {{"", 1e9},     {"ns", 1},     {"us", 1e3},
                                    {"ms", 1e6},   {"s", 1e9},    {"m", 60e9},
                                    {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
  return ParseWithUnit(text, kUnits, ns);
}

Options::Options() noexcept {
  // Raw, because InRange() judges a whole that is not there yet.
#define HG_OPTION(type, field, suffix, value, default_text, accepted, help) \
  parse::type(default_text, &field);
#include "options/options.inc"
#undef HG_OPTION
}

const OptionSpec* OptionSpecs(size_t* count) noexcept {
  *count = sizeof(kSpecs) / sizeof(kSpecs[0]);
  return kSpecs;
}

void ReadEnvironment(Options& options, const char* const* environment) noexcept {
  constexpr size_t kPrefix = sizeof(kOptionPrefix) - 1;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const char* const entry = *environment;
    if (std::strncmp(entry, kOptionPrefix, kPrefix) != 0) continue;
    const char* const equals = std::strchr(entry, '=');
    if (equals == nullptr) continue;
    const int name_length = static_cast<int>(equals - entry);
    const OptionSpec* const spec =
        FindOption({entry + kPrefix, static_cast<size_t>(equals - entry) - kPrefix});
    if (spec == nullptr) {
      RawLog(
          LogLevel::kWarning,
          "%.*s is not a variable of heapgauge and is ignored; `heapgauge run --help` lists them",
          name_length, entry);
      continue;
    }
    const char* const value = equals + 1;
    if (*value == '\0') continue;  // set but empty: the default
    if (!spec->parse(options, value)) {
      RawLog(LogLevel::kWarning, "%.*s=%.200s is not understood (accepted: %s); using %s",
             name_length, entry, value, spec->accepted,
             *spec->default_text != '\0' ? spec->default_text : "nothing");
    }
  }
}

}  // namespace heapgauge
