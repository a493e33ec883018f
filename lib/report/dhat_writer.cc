#include "report/dhat_writer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/basename.h"
#include "report/json_text.h"
#include "report/other_stacks.h"
#include "report/printable.h"
#include "report/stack_table.h"

namespace heapgauge {
namespace {

constexpr double kTicksPerSecond = 1e6;
constexpr uint64_t kShortLivedTicks = 500;  // as valgrind has it for instructions

// As valgrind writes them: its readers take name, file and line apart again.
std::string FrameText(const ShownFrame& frame) {
  const std::string where = !frame.file.empty() && frame.line != 0
                                ? fmt::format("{}:{}", Basename(frame.file), frame.line)
                            : !frame.file.empty()   ? std::string(Basename(frame.file))
                            : !frame.module.empty() ? fmt::format("in {}", frame.module)
                                                    : "in ???";
  return fmt::format("0x{:X}: {} ({})", frame.module_offset, frame.name, where);
}

uint64_t Ticks(double seconds) { return WholeBytes(seconds * kTicksPerSecond); }

void AddStack(const Site& site, const StackTable::Stack& stack, JsonText* json) {
  const uint64_t live_bytes = WholeBytes(site.live_bytes);
  const uint64_t live_blocks = WholeBytes(site.live_objects);
  const uint64_t all_bytes = std::max(WholeBytes(site.allocated_bytes), live_bytes);
  const uint64_t all_blocks =
      std::max({WholeBytes(site.allocated_objects), live_blocks, uint64_t{1}});
  const double lifetimes_s =
      site.freed_objects * site.lifetime_p50_s.value_or(0) + site.live_objects * site.age_p50_s;
  json->BeginObject().Add("tb", all_bytes).Add("tbk", all_blocks).Add("tl", Ticks(lifetimes_s));
  for (const char* when : {"m", "g", "e"}) {
    json->Add(fmt::format("{}b", when), live_bytes).Add(fmt::format("{}bk", when), live_blocks);
  }
  json->BeginArray("fs");
  for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) json->Element(*frame + 1);
  json->End().End();
}

}  // namespace

std::string ToDhat(const Report& listed) {
  const Report report = WithOtherStacks(listed);
  StackTable table;
  std::vector<StackTable::Stack> stacks;
  for (const Site& site : report.sites) stacks.push_back(table.Add(site));

  JsonText json;
  json.BeginObject()
      .Add("dhatFileVersion", 2)
      .Add("mode", "heap")
      .Add("verb", "Allocated")
      .Add("bklt", true)
      .Add("bkacc", false)
      .Add("tu", "us")
      .Add("Mtu", "s")
      .Add("tuth", kShortLivedTicks)
      .Add("cmd", Printable(Basename(report.exe)))
      .Add("pid", report.pid)
      .Add("te", Ticks(report.uptime_s))
      .Add("tg", Ticks(report.uptime_s))
      .BeginArray("pps");
  for (size_t i = 0; i < stacks.size(); ++i) AddStack(report.sites[i], stacks[i], &json);
  json.End().BeginArray("ftbl").Element("[root]");
  for (const ShownFrame& frame : table.Frames()) json.Element(FrameText(frame));
  json.End().End();
  return json.Take() + "\n";
}

}  // namespace heapgauge
