#include "reporter/wrapper_finder.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "report/function_name.h"

namespace heapgauge {
namespace {

// Less says little about who calls whom.
constexpr uint64_t kLeastSamples = 32;
constexpr double kMost = 0.5;
constexpr size_t kManyCallers = 3;
constexpr double kNearlyAll = 0.9;
constexpr size_t kFewCallers = 2;
constexpr int kMostLayers = 8;
constexpr size_t kOnlyCallers = 4;  // in a row

// Of those beside each other: each, and all together.
constexpr double kSiblingShare = 0.05;
constexpr double kSiblingsTogether = 0.75;

// Callers' mean sizes differ by that factor; those with fewer samples have no mean.
constexpr double kOtherSize = 1.5;
constexpr uint64_t kLeastForMean = 4;
// By less when many samples say so; sizes may vary as much as their mean.
constexpr double kLeastOtherSize = 0.1;  // of the logarithm
constexpr double kSigmas = 3.5;

std::string KeyOf(std::string_view module, std::string_view name) {
  return std::string(module).append(1, '\0').append(name);
}

}  // namespace

// What passes through a function, by its callers.
struct WrapperFinder::Passage {
  struct Caller {
    double bytes = 0;
    double objects = 0;
    uint64_t samples = 0;
    double MeanSize() const { return bytes / objects; }
  };
  double bytes = 0;
  uint64_t samples = 0;
  std::map<uint32_t, Caller> callers;

  void Add(const WrapperFinder::Flow& flow, size_t at) {
    bytes += flow.bytes;
    samples += flow.samples;
    if (at + 1 >= flow.functions.size()) return;
    Caller& caller = callers[flow.functions[at + 1]];
    caller.bytes += flow.bytes;
    caller.objects += flow.objects;
    caller.samples += flow.samples;
  }
  bool SizesDiffer() const {
    std::vector<Caller> known;
    for (const auto& [id, caller] : callers) {
      if (caller.samples >= kLeastForMean && caller.bytes > 0 && caller.objects > 0) {
        known.push_back(caller);
      }
    }
    if (known.size() < 2) return false;
    std::sort(known.begin(), known.end(),
              [](const Caller& a, const Caller& b) { return a.MeanSize() < b.MeanSize(); });
    if (known.back().MeanSize() > kOtherSize * known.front().MeanSize()) return true;
    // Those with few samples may be the least and the largest by chance.
    std::erase_if(known, [this](const Caller& caller) {
      return caller.samples * 2 * callers.size() < samples;
    });
    if (known.size() < 2) return false;
    const Caller& least = known.front();
    const Caller& most = known.back();
    const double error =
        std::sqrt(1 / static_cast<double>(least.samples) + 1 / static_cast<double>(most.samples));
    return std::log(most.MeanSize() / least.MeanSize()) > kLeastOtherSize + kSigmas * error;
  }
};

WrapperFinder::WrapperFinder(std::string_view globs) {
  while (!globs.empty()) {
    const size_t comma = std::min(globs.find(','), globs.size());
    std::string_view glob = globs.substr(0, comma);
    while (!glob.empty() && glob.front() == ' ') glob.remove_prefix(1);
    while (!glob.empty() && glob.back() == ' ') glob.remove_suffix(1);
    if (!glob.empty()) globs_.emplace_back(glob);
    globs.remove_prefix(std::min(comma + 1, globs.size()));
  }
}

bool WrapperFinder::IsNamed(std::string_view name) const {
  if (globs_.empty() || name.empty()) return false;
  const std::string qualified = ShortName(name);
  const size_t scope = qualified.rfind("::");
  const std::string last = scope == std::string::npos ? qualified : qualified.substr(scope + 2);
  return std::any_of(globs_.begin(), globs_.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), qualified.c_str(), 0) == 0 ||
           fnmatch(glob.c_str(), last.c_str(), 0) == 0;
  });
}

WrapperFinder::FunctionId WrapperFinder::Intern(std::string_view module, std::string_view name) {
  const auto [found, fresh] =
      ids_.emplace(KeyOf(module, name), static_cast<FunctionId>(functions_.size()));
  if (fresh) functions_.push_back({std::string(module), std::string(name), IsNamed(name)});
  return found->second;
}

bool WrapperFinder::IsWrapper(std::string_view module, std::string_view name) const {
  const auto found = ids_.find(KeyOf(module, name));
  return found != ids_.end() ? functions_[found->second].wrapper : IsNamed(name);
}

bool WrapperFinder::Find(std::span<const Flow> flows) {
  bool any = false;
  // From the inside outwards: a layer shows once the one below it is known.
  for (int layer = 0; layer < kMostLayers && FindOnce(flows); ++layer) any = true;
  return any;
}

// One pass over the flows, with the wrappers known before it.
class WrapperFinder::Search final {
 public:
  Search(const std::vector<Function>& functions, std::span<const Flow> flows)
      : functions_(functions), flows_(flows) {
    for (const Flow& flow : flows) {
      if (flow.functions.empty()) continue;
      const size_t first = FirstOf(flow);
      const FunctionId function = flow.functions[first];
      Module& module = modules_[functions_[function].module];
      module.bytes += flow.bytes;
      // What goes through wrappers that were found among the innermost.
      if (first > 0) module.wrapped += flow.bytes;
      Direct& direct = direct_[function];
      direct.passage.Add(flow, first);
      direct.innermost = direct.innermost && first == 0;
      for (size_t i = first + 1; i < flow.functions.size(); ++i) {
        if (flow.functions[i] != function) calls_others_.insert(flow.functions[i]);  // no recursion
      }
    }
  }

  std::vector<FunctionId> Found() {
    std::vector<FunctionId> found;
    for (const auto& [id, direct] : direct_) {
      const Function& function = functions_[id];
      if (function.name.empty() || calls_others_.count(id) != 0) continue;
      Module& module = modules_[function.module];
      // All that may pass through a row of only callers.
      if (direct.passage.bytes < kSiblingShare * module.bytes) continue;
      const Passage served = Served(id, direct.passage);
      if (served.samples < kLeastSamples || !served.SizesDiffer()) continue;
      const size_t callers = served.callers.size();
      if ((callers >= kManyCallers && served.bytes >= kMost * module.bytes) ||
          (callers >= kFewCallers && served.bytes >= kNearlyAll * module.bytes)) {
        found.push_back(id);
      } else if (callers >= kManyCallers && direct.innermost) {
        module.siblings.push_back(id);
        module.beside += served.bytes;
      }
    }
    for (const auto& [name, module] : modules_) {
      if (module.wrapped + module.beside < kSiblingsTogether * module.bytes) continue;
      found.insert(found.end(), module.siblings.begin(), module.siblings.end());
    }
    return found;
  }

 private:
  struct Direct {  // a function that is a call site now
    Passage passage;
    bool innermost = true;  // calls the allocator, not a wrapper that was found
  };
  struct Module {
    double bytes = 0;
    double wrapped = 0;
    double beside = 0;
    std::vector<FunctionId> siblings;
  };

  size_t FirstOf(const Flow& flow) const {
    size_t first = 0;
    while (first + 1 < flow.functions.size() && functions_[flow.functions[first]].wrapper) ++first;
    return first;
  }

  // What passes through the function that the row of only callers above `id` leads to; nothing when
  // something else passes through them, too.
  Passage Served(FunctionId id, Passage passage) const {
    std::vector<FunctionId> row = {id};
    while (passage.callers.size() == 1) {
      const FunctionId outer = passage.callers.begin()->first;
      const std::string& name = functions_[outer].name;
      if (row.size() > kOnlyCallers || name.empty() || name == "main" ||
          std::find(row.begin(), row.end(), outer) != row.end()) {
        return {};
      }
      row.push_back(outer);
      passage = Beyond(row);
    }
    return functions_[row.back()].name == "main" ? Passage() : passage;
  }

  // What passes through the last of `row`, if nothing does but directly or by those before it.
  Passage Beyond(const std::vector<FunctionId>& row) const {
    constexpr uint32_t kNone = ~0U;
    Passage passage;
    std::vector<uint32_t> lines(row.size(), kNone);
    for (const Flow& flow : flows_) {
      if (flow.functions.empty()) continue;
      const size_t first = FirstOf(flow);
      const auto begin = flow.functions.begin() + static_cast<std::ptrdiff_t>(first);
      const auto at = std::find(begin, flow.functions.end(), row.back());
      if (at == flow.functions.end()) continue;
      const auto steps = static_cast<size_t>(at - begin);
      if (steps >= row.size()) return {};
      const size_t from = row.size() - 1 - steps;
      if (!std::equal(begin, at, row.begin() + static_cast<std::ptrdiff_t>(from))) return {};
      for (size_t k = std::max<size_t>(from + 1, 2); k < row.size() && !flow.lines.empty(); ++k) {
        const uint32_t line = flow.lines[first + k - from];
        if (lines[k] != kNone && lines[k] != line) return {};
        lines[k] = line;
      }
      passage.Add(flow, first + steps);
    }
    return passage;
  }

  const std::vector<Function>& functions_;
  const std::span<const Flow> flows_;
  std::unordered_map<FunctionId, Direct> direct_;
  std::set<FunctionId> calls_others_;  // functions with a call site below them
  std::map<std::string_view, Module> modules_;
};

bool WrapperFinder::FindOnce(std::span<const Flow> flows) {
  const std::vector<FunctionId> found = Search(functions_, flows).Found();
  for (const FunctionId id : found) functions_[id].wrapper = true;
  return !found.empty();
}

}  // namespace heapgauge
