#include "report/text_held.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/basename.h"
#include "report/printable.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kHolders = 3;  // in the sentence
constexpr size_t kShownBlocks = 3;

std::string Of(uint64_t some, uint64_t all) {
  return FormatCount(static_cast<double>(some)) + " of " + FormatCount(static_cast<double>(all));
}

bool IsBlock(const std::string& step) {
  return step.starts_with("a block of ") || step.ends_with("B)");
}

// A path may begin with a variable, and then say what that is: "std::deque in CouponBook".
bool SaysWhat(const std::vector<std::string>& path) {
  return path.size() >= 2 && !IsBlock(path[0]) && !IsBlock(path[1]);
}

std::string Where(const Holder& holder) {
  const std::string name = Printable(holder.name);
  const bool has_type = SaysWhat(holder.path);
  const std::string type = has_type ? Printable(holder.path[1]) + ", " : "";
  if (holder.kind == "global") {
    std::string place = Printable(Basename(holder.module.value_or("")));
    if (!holder.section.empty()) place += (place.empty() ? "" : " ") + Printable(holder.section);
    return "kept in " + type + (has_type ? "from " : "") + name +
           (place.empty() ? "" : " (" + place + ")");
  }
  if (holder.kind == "stack" && has_type) {
    return "kept in " + type + "from " +
           (name == "main" ? "main's stack" : "the stack of thread " + name);
  }
  if (holder.kind == "stack") return "kept from the stack of thread " + name;
  if (holder.kind == "thread_local") return "kept in thread-local storage of thread " + name;
  if (holder.kind == "block") return "kept in a block from " + name;
  return "a pointer lies in memory that nothing is known of";
}

std::string Through(const Holder& holder) {
  const auto begin = holder.path.begin() + (SaysWhat(holder.path) ? 2 : 0);
  const std::vector<std::string> path(begin, holder.path.end());
  if (path.empty()) return {};
  if (path.size() > kShownBlocks) return fmt::format(" through {} or more blocks", path.size());
  std::string text;
  for (const std::string& step : path) text += (text.empty() ? "" : " -> ") + Printable(step);
  return " through " + text;
}

}  // namespace

std::string HolderSentence(const Held& held, const Holder& holder) {
  return Where(holder) + Through(holder) + ", " + Of(holder.objects, held.checked_objects);
}

std::string HeldSentence(const Held& held) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (held.lost_objects > 0) {
    add("nothing points to " + Of(held.lost_objects, held.checked_objects) +
        " of them any more: they are lost");
  }
  for (const Ring& ring : held.rings) {
    std::string members;
    for (const std::string& member : ring.members) {
      members += (members.empty() ? "" : ", ") + Printable(member);
    }
    add((ring.proven ? "they hold each other, as the counts of their owners prove: "
                     : "they point to each other: ") +
        members);
  }
  for (size_t i = 0; i < std::min(kHolders, held.holders.size()); ++i) {
    add(HolderSentence(held, held.holders[i]));
  }
  if (held.holders.size() > kHolders) {
    add(FormatCount(static_cast<double>(held.holders.size() - kHolders)) + " more hold others");
  }
  if (text.empty()) return {};
  if (!held.whole) text += " (with this allocator, only what points to them directly is known)";
  return text;
}

}  // namespace heapgauge
