#include "report/speedscope_writer.h"

#include <fmt/core.h>

#include "base/basename.h"
#include "report/json_text.h"
#include "report/other_stacks.h"
#include "report/printable.h"
#include "report/stack_table.h"

namespace heapgauge {
namespace {

void AddProfile(const char* name, double Site::*bytes, const Report& report,
                const std::vector<StackTable::Stack>& stacks, JsonText* json) {
  uint64_t sum = 0;
  json->BeginObject()
      .Add("type", "sampled")
      .Add("name", name)
      .Add("unit", "bytes")
      .BeginArray("samples");
  for (size_t i = 0; i < stacks.size(); ++i) {
    if (WholeBytes(report.sites[i].*bytes) == 0) continue;
    json->BeginArray();
    for (const uint32_t frame : stacks[i]) json->Element(frame);
    json->End();
  }
  json->End().BeginArray("weights");
  for (const Site& site : report.sites) {
    const uint64_t weight = WholeBytes(site.*bytes);
    if (weight == 0) continue;
    json->Element(weight);
    sum += weight;
  }
  json->End().Add("startValue", 0).Add("endValue", sum).End();
}

}  // namespace

std::string ToSpeedscope(const Report& listed) {
  const Report report = WithOtherStacks(listed);
  StackTable table;
  std::vector<StackTable::Stack> stacks;
  for (const Site& site : report.sites) stacks.push_back(table.Add(site));

  JsonText json;
  json.BeginObject()
      .Add("$schema", "https://www.speedscope.app/file-format-schema.json")
      .Add("exporter", "heapgauge")
      .Add("name", fmt::format("{} {}", Printable(Basename(report.exe)), report.time))
      .Add("activeProfileIndex", 0)
      .BeginObject("shared")
      .BeginArray("frames");
  for (const ShownFrame& frame : table.Frames()) {
    json.BeginObject().Add("name", frame.name);
    if (!frame.file.empty()) json.Add("file", frame.file);
    if (frame.line != 0) json.Add("line", frame.line);
    json.End();
  }
  json.End().End().BeginArray("profiles");
  AddProfile("live bytes", &Site::live_bytes, report, stacks, &json);
  AddProfile("grown since the last report", &Site::growth_bytes, report, stacks, &json);
  AddProfile("allocated bytes", &Site::allocated_bytes, report, stacks, &json);
  json.End().End();
  return json.Take() + "\n";
}

}  // namespace heapgauge
