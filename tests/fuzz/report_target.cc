// A line of reports.jsonl, as the command and the server read it; and what every writer makes of
// what it says: a text without controls, JSON that is JSON, a page without a script of others.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "page/page.h"
#include "report/dhat_writer.h"
#include "report/firefox_writer.h"
#include "report/folded_writer.h"
#include "report/json_reader.h"
#include "report/json_writer.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "report/sarif_writer.h"
#include "report/speedscope_writer.h"
#include "report/text_writer.h"
#include "sample_report.h"
#include "target.h"

namespace heapgauge::fuzz {
namespace {

void Insist(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s does not hold\n", what);
  std::abort();
}

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

void InsistOnText(const std::string& text) {
  // Letters of other scripts are shown, the controls beyond ASCII (U+0080 to U+009F) are not.
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    Insist(c == '\n' || (c >= ' ' && c != 0x7F), "no control in a text");
    const bool beyond = c == 0xC2 && i + 1 < text.size();
    Insist(!beyond || static_cast<unsigned char>(text[i + 1]) >= 0xA0, "no control beyond ASCII");
  }
}

void Write(const Report& report) {
  InsistOnText(ToText(report, {.max_sites = 20, .max_frames = 20, .width = 20, .colour = false}));
  const std::string json = ToJson(report);
  std::string error;
  Insist(FromJson(json, &error).has_value(), "what was written is read");
  Insist(json.find('\n') == std::string::npos, "one line");
  for (const std::string& text : {json, ToSpeedscope(report), ToFirefox(report, {}), ToDhat(report),
                                  ReportToSarif(report, "/src")}) {
    Insist(nlohmann::json::accept(text), "JSON");
  }
  ToFolded(report);
  const std::string profile = ToPprofProto(report);
  if (!profile.empty()) FromPprof(profile, &error);
  static const size_t scripts = Count(MakePage(SampleReport(1, false), {}, false).html, "</script");
  Insist(Count(MakePage(report, {}, false).html, "</script") == scripts, "the page's own scripts");
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  const Guarded line(data, size);
  std::string error;
  const auto report = FromJson(
      {reinterpret_cast<const char*>(line.begin()), static_cast<size_t>(line.end() - line.begin())},
      &error);
  if (report) {
    Write(*report);
  } else {
    Insist(!error.empty(), "a reason");
  }
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const bool odd : {false, true}) {
    const std::string line = ToJson(SampleReport(7, odd));
    seeds.emplace_back(line.begin(), line.end());
  }
  return seeds;
}

}  // namespace heapgauge::fuzz
