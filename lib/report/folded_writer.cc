#include "report/folded_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "report/frame_text.h"
#include "report/other_stacks.h"

namespace heapgauge {
namespace {

std::string Name(const Frame& frame) {
  std::string name = FullName(frame);
  std::replace(name.begin(), name.end(), ';', ':');
  return name;
}

}  // namespace

std::string FoldedStack(const Site& site) {
  std::string stack;
  for (auto frame = site.frames.rbegin(); frame != site.frames.rend(); ++frame) {
    stack += (stack.empty() ? "" : ";") + Name(*frame);
  }
  return stack.empty() ? "[no stack]" : stack;
}

std::string ToFolded(const Report& listed) {
  const Report report = WithOtherStacks(listed);
  std::string out;
  for (const Site& site : report.sites) {
    if (!std::isfinite(site.live_bytes) || site.live_bytes < 0.5) continue;
    out += fmt::format("{} {:.0f}\n", FoldedStack(site), site.live_bytes);
  }
  return out;
}

}  // namespace heapgauge
