#include "options/options.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <clocale>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "support/captured_stderr.h"

namespace heapgauge {
namespace {

constexpr uint64_t kKi = 1024;
constexpr uint64_t kMi = kKi * kKi;
constexpr uint64_t kSecond = 1'000'000'000;

// Reads an environment of these entries; what went to stderr comes back in `said`.
Options Read(const std::vector<std::string>& entries, std::string* said = nullptr) {
  std::vector<const char*> environment;
  for (const std::string& entry : entries) environment.push_back(entry.c_str());
  environment.push_back(nullptr);
  Options options;
  const test::CapturedStderr captured;
  ReadEnvironment(options, environment.data());
  if (said != nullptr) *said = captured.text();
  return options;
}

// What is said about one entry.
std::string Said(const std::string& entry) {
  std::string said;
  Read({entry}, &said);
  return said;
}

bool IsOneLine(const std::string& text) {
  return text.find('\n') == text.size() - 1 && text.rfind("heapgauge: ", 0) == 0;
}

TEST_CASE("the defaults are those that the documents promise", "[options]") {
  const Options options = Read({"PATH=/bin", "HOME=/root"});
  CHECK(options.sample_interval_bytes == 512 * kKi);
  CHECK(options.report_interval_ns == 60 * kSecond);
  CHECK(options.output.value == std::string("heapgauge.%e.%p"));
  CHECK(options.unwind == UnwindMode::kAuto);
  CHECK(options.max_frames == 64);
  CHECK(options.symbolize == SymbolizeOption::kLines);
  CHECK(options.memory_limit_bytes == 64 * kMi);
  CHECK(options.cpu_budget == Approx(0.01));
  CHECK(options.start);
  CHECK(options.only.value == std::string("*"));
  CHECK(options.follow == FollowOption::kExec);
  CHECK(options.http.value == std::string("off"));
  CHECK(options.log == LogLevel::kWarning);
}

TEST_CASE("every default is a good value of its own option", "[options]") {
  size_t count = 0;
  const OptionSpec* const specs = OptionSpecs(&count);
  CHECK(count == 22);
  std::set<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    INFO(specs[i].suffix);
    CHECK(names.insert(specs[i].suffix).second);
    CHECK(std::strlen(specs[i].help) > 10);
    CHECK(std::strlen(specs[i].accepted) > 2);
    Options options;
    if (*specs[i].default_text != '\0') CHECK(specs[i].parse(options, specs[i].default_text));
  }
}

TEST_CASE("every variable is read", "[options]") {
  std::string said;
  const Options options =
      Read({"HEAPGAUGE_SAMPLE_INTERVAL=64KiB", "HEAPGAUGE_REPORT_INTERVAL=500ms",
            "HEAPGAUGE_OUTPUT=/tmp/%h", "HEAPGAUGE_UNWIND=fp", "HEAPGAUGE_MAX_FRAMES=7",
            "HEAPGAUGE_SYMBOLIZE=names", "HEAPGAUGE_MEMORY_LIMIT=8MiB", "HEAPGAUGE_CPU_BUDGET=2.5%",
            "HEAPGAUGE_START=off", "HEAPGAUGE_ONLY=redis*", "HEAPGAUGE_FOLLOW=none",
            "HEAPGAUGE_CONTROL=off", "HEAPGAUGE_HTTP=127.0.0.1:9191",
            "HEAPGAUGE_HTTP_TOKEN_FILE=/etc/token", "HEAPGAUGE_ALERT_EXEC=page me",
            "HEAPGAUGE_ALERT_URL=http://h:9093/api/v2/alerts", "HEAPGAUGE_LOG=debug"},
           &said);
  CHECK(said.empty());
  CHECK(options.sample_interval_bytes == 64 * kKi);
  CHECK(options.report_interval_ns == kSecond / 2);
  CHECK(options.output.value == std::string("/tmp/%h"));
  CHECK(options.unwind == UnwindMode::kFramePointers);
  CHECK(options.max_frames == 7);
  CHECK(options.symbolize == SymbolizeOption::kNames);
  CHECK(options.memory_limit_bytes == 8 * kMi);
  CHECK(options.cpu_budget == Approx(0.025));
  CHECK_FALSE(options.start);
  CHECK(options.only.value == std::string("redis*"));
  CHECK(options.follow == FollowOption::kNone);
  CHECK(options.http.value == std::string("127.0.0.1:9191"));
  CHECK(options.http_token_file.value == std::string("/etc/token"));
  CHECK(options.alert_exec.value == std::string("page me"));
  CHECK(options.alert_url.value == std::string("http://h:9093/api/v2/alerts"));
  CHECK(options.log == LogLevel::kDebug);
}

TEST_CASE("sizes", "[options]") {
  uint64_t bytes = 0;
  const auto size = [&](const char* text) {
    bytes = 0;
    return ParseSize(text, &bytes) ? bytes : UINT64_MAX;
  };
  CHECK(size("1") == 1);
  CHECK(size("1048576") == kMi);
  CHECK(size("512KiB") == 512 * kKi);
  CHECK(size("512kib") == 512 * kKi);
  CHECK(size("64k") == 64 * kKi);
  CHECK(size("64 KB") == 64 * kKi);
  CHECK(size("100B") == 100);
  CHECK(size("1.5MiB") == kMi + kMi / 2);
  CHECK(size(".5K") == 512);
  CHECK(size("2G") == 2048 * kMi);
  CHECK(size("1TiB") == uint64_t{1} << 40);
  for (const char* const bad :
       {"", "KiB", "-1", "+1", "1e6", "0x10", "12 34", "1KiBs", "1PiB", "1.2.3", ".", " 1", "nan",
        "inf", "99999999999999999999999", "9999999999999TiB"}) {
    INFO(bad);
    CHECK(size(bad) == UINT64_MAX);
  }
}

TEST_CASE("durations", "[options]") {
  uint64_t ns = 0;
  const auto duration = [&](const char* text) {
    ns = 0;
    return ParseDuration(text, &ns) ? ns : UINT64_MAX;
  };
  CHECK(duration("500ms") == kSecond / 2);
  CHECK(duration("10s") == 10 * kSecond);
  CHECK(duration("10") == 10 * kSecond);
  CHECK(duration("5m") == 300 * kSecond);
  CHECK(duration("1.5h") == 5400 * kSecond);
  CHECK(duration("2d") == 2 * 86'400 * kSecond);
  CHECK(duration("3us") == 3000);
  CHECK(duration("3 ns") == 3);
  for (const char* const bad : {"", "s", "-5s", "5 minutes", "1w", "1h30m", "9999999999999d"}) {
    INFO(bad);
    CHECK(duration(bad) == UINT64_MAX);
  }
}

TEST_CASE("numbers are read the same in a locale with a decimal comma", "[options]") {
  // Whether or not such a locale is installed, the parser does not ask.
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  uint64_t ns = 0;
  CHECK(ParseDuration("1.5s", &ns));
  CHECK(ns == kSecond * 3 / 2);
  CHECK_FALSE(ParseDuration("1,5s", &ns));
  std::setlocale(LC_ALL, "C");
}

TEST_CASE("ranges: the ends are good, what lies beyond is not", "[options]") {
  for (const char* const good :
       {"SAMPLE_INTERVAL=1", "SAMPLE_INTERVAL=1TiB", "REPORT_INTERVAL=100ms", "REPORT_INTERVAL=30d",
        "MAX_FRAMES=1", "MAX_FRAMES=256", "MEMORY_LIMIT=1MiB", "MEMORY_LIMIT=1TiB",
        "CPU_BUDGET=0.01%", "CPU_BUDGET=100%", "CPU_BUDGET=5"}) {
    INFO(good);
    CHECK(Said(std::string("HEAPGAUGE_") + good).empty());
  }
  for (const char* const bad : {"SAMPLE_INTERVAL=0",
                                "SAMPLE_INTERVAL=0.4",
                                "SAMPLE_INTERVAL=1025GiB",
                                "REPORT_INTERVAL=99ms",
                                "REPORT_INTERVAL=31d",
                                "MAX_FRAMES=0",
                                "MAX_FRAMES=257",
                                "MAX_FRAMES=1.5",
                                "MAX_FRAMES=64 frames",
                                "MAX_FRAMES=1e300",
                                "MAX_FRAMES=99999999999999999999999999",
                                "MEMORY_LIMIT=1023KiB",
                                "MEMORY_LIMIT=2TiB",
                                "CPU_BUDGET=0",
                                "CPU_BUDGET=101%",
                                "CPU_BUDGET=1%%",
                                "UNWIND=magic",
                                "SYMBOLIZE=on",
                                "FOLLOW=all",
                                "START=maybe",
                                "LOG=loud",
                                "CONTROL=maybe"}) {
    INFO(bad);
    CHECK(IsOneLine(Said(std::string("HEAPGAUGE_") + bad)));
  }
}

TEST_CASE("on and off have their usual names", "[options]") {
  for (const char* const on : {"on", "ON", "1", "yes", "true"}) {
    CHECK(Read({std::string("HEAPGAUGE_START=") + on}).start);
  }
  for (const char* const off : {"off", "Off", "0", "no", "false"}) {
    CHECK_FALSE(Read({std::string("HEAPGAUGE_START=") + off}).start);
  }
}

TEST_CASE("addresses and URLs are judged here, for the command too", "[options]") {
  Options options;
  size_t count = 0;
  const OptionSpec* const specs = OptionSpecs(&count);
  const auto good = [&](const std::string& suffix, const char* text) {
    for (size_t i = 0; i < count; ++i) {
      if (specs[i].suffix == suffix) return specs[i].parse(options, text);
    }
    return false;
  };
  for (const char* text : {"off", "127.0.0.1:9191", "[::1]:9191", "localhost:0"}) {
    INFO(text);
    CHECK(good("HTTP", text));
  }
  for (const char* text : {"9191", ":9191", "127.0.0.1:99999", "h:1.5", "h:", "h:x"}) {
    INFO(text);
    CHECK_FALSE(good("HTTP", text));
  }
  for (const char* text : {"http://h", "https://h:9093/api/v2/alerts"}) {
    INFO(text);
    CHECK(good("ALERT_URL", text));
    CHECK(options.alert_url.value == std::string(text));
  }
  for (const char* text : {"ftp://x", "http://", "https:///x", "h:80"}) {
    INFO(text);
    CHECK_FALSE(good("ALERT_URL", text));
  }
}

TEST_CASE("a bad value costs one line that names variable, value and what is accepted",
          "[options]") {
  std::string said;
  const Options options = Read({"HEAPGAUGE_SAMPLE_INTERVAL=lots"}, &said);
  CHECK(IsOneLine(said));
  for (const char* const part : {"HEAPGAUGE_SAMPLE_INTERVAL", "lots", "64KiB", "512KiB"}) {
    INFO(part);
    CHECK(said.find(part) != std::string::npos);
  }
  CHECK(options.sample_interval_bytes == 512 * kKi);
}

TEST_CASE("a bad value leaves an earlier good one and the other options alone", "[options]") {
  const Options options = Read({"HEAPGAUGE_MAX_FRAMES=9", "HEAPGAUGE_MAX_FRAMES=1000",
                                "HEAPGAUGE_MEMORY_LIMIT=2MiB", "HEAPGAUGE_ONLY="});
  CHECK(options.max_frames == 9);
  CHECK(options.memory_limit_bytes == 2 * kMi);
  CHECK(options.only.value == std::string("*"));  // set but empty: the default
}

TEST_CASE("unknown names get a line each, other people's variables none", "[options]") {
  std::string said;
  Read({"HEAPGAUGE_SAMPLE_INTERVALS=1", "HEAPGAUGE_=x", "HEAPGAUGE_sample_interval=1",
        "HEAPGAUGES=1", "XHEAPGAUGE_LOG=1", "heapgauge_log=debug", "HEAPGAUGE_LOG"},
       &said);
  CHECK(std::count(said.begin(), said.end(), '\n') == 3);
  CHECK(said.find("HEAPGAUGE_SAMPLE_INTERVALS ") != std::string::npos);
  CHECK(said.find("HEAPGAUGE_sample_interval ") != std::string::npos);
  CHECK(said.find("HEAPGAUGES") == std::string::npos);
}

TEST_CASE("texts of any length are read or refused, never cut", "[options]") {
  const std::string fits(option_type::kTextBytes - 1, 'x');
  CHECK(Read({"HEAPGAUGE_OUTPUT=" + fits}).output.value == fits);
  std::string said;
  const Options options = Read({"HEAPGAUGE_OUTPUT=" + fits + "x"}, &said);
  CHECK(IsOneLine(said));
  CHECK(options.output.value == std::string("heapgauge.%e.%p"));
}

TEST_CASE("an empty environment is no environment", "[options]") {
  Options options;
  ReadEnvironment(options, nullptr);
  CHECK(options.max_frames == 64);
}

}  // namespace
}  // namespace heapgauge
