#include "report/callers_beside.h"

#include <algorithm>
#include <map>

#include "report/frame_text.h"

namespace heapgauge {
namespace {

// How a frame reads; "" beyond the stack's end.
std::string TextAt(const Site& site, size_t index) {
  if (index >= site.frames.size()) return {};
  const Frame& frame = site.frames[index];
  const std::string place = FileAndLine(frame, false);
  return ShortFunction(frame) + (place.empty() ? "" : " " + place);
}

}  // namespace

std::vector<std::string> CallersBeside(const std::vector<const Site*>& rows) {
  std::vector<std::string> callers(rows.size());
  std::map<std::string, std::vector<size_t>> alike;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Site& site = *rows[i];
    if (site.callsite >= site.frames.size()) continue;
    alike[TextAt(site, site.callsite) + " " + site.frames[site.callsite].module].push_back(i);
  }
  for (const auto& [text, group] : alike) {
    size_t depth = 1;
    bool deeper = group.size() > 1;
    // Callers that all have in common tell nothing.
    for (; deeper; ++depth) {
      const Site& first = *rows[group.front()];
      const std::string caller = TextAt(first, first.callsite + depth);
      const bool same = std::all_of(group.begin(), group.end(), [&](size_t i) {
        return TextAt(*rows[i], rows[i]->callsite + depth) == caller;
      });
      if (!same) {
        for (const size_t i : group) callers[i] = TextAt(*rows[i], rows[i]->callsite + depth);
      }
      deeper = same && !caller.empty();
    }
  }
  return callers;
}

std::string CallerBeside(const Report& report, const std::string& id) {
  std::vector<const Site*> rows;
  for (const Callsite& callsite : report.callsites) rows.push_back(&callsite.sum);
  const std::vector<std::string> callers = CallersBeside(rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]->id == id) return callers[i];
  }
  return {};
}

}  // namespace heapgauge
