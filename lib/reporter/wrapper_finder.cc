#include "reporter/wrapper_finder.h"

#include <fnmatch.h>

#include <algorithm>
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
constexpr int kMostLayers = 6;

// Callers' mean sizes differ by that factor; those with fewer samples have no mean.
constexpr double kOtherSize = 1.5;
constexpr uint64_t kLeastForMean = 4;

// What passes through a function, by its callers.
struct Passage {
  struct Caller {
    double bytes = 0;
    double objects = 0;
    uint64_t samples = 0;
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
    double least = 0;
    double most = 0;
    for (const auto& [id, caller] : callers) {
      if (caller.samples < kLeastForMean || !(caller.objects > 0)) continue;
      const double mean = caller.bytes / caller.objects;
      least = least == 0 ? mean : std::min(least, mean);
      most = std::max(most, mean);
    }
    return most > kOtherSize * least;
  }
};

std::string KeyOf(std::string_view module, std::string_view name) {
  return std::string(module).append(1, '\0').append(name);
}

}  // namespace

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

bool WrapperFinder::FindOnce(std::span<const Flow> flows) {
  const auto first_of = [&](const Flow& flow) {
    size_t first = 0;
    while (first + 1 < flow.functions.size() && functions_[flow.functions[first]].wrapper) ++first;
    return first;
  };
  std::unordered_map<FunctionId, Passage> direct;  // of functions that are call sites now
  std::set<FunctionId> calls_others;               // functions with a call site below them
  std::unordered_map<std::string_view, double> module_bytes;
  for (const Flow& flow : flows) {
    if (flow.functions.empty()) continue;
    const size_t first = first_of(flow);
    const FunctionId function = flow.functions[first];
    module_bytes[functions_[function].module] += flow.bytes;
    direct[function].Add(flow, first);
    for (size_t i = first + 1; i < flow.functions.size(); ++i) {
      if (flow.functions[i] != function) calls_others.insert(flow.functions[i]);  // no recursion
    }
  }
  const auto qualifies = [&](FunctionId id, const Passage& passage) {
    const Function& function = functions_[id];
    if (function.name.empty() || function.name == "main") return false;
    if (passage.samples < kLeastSamples || !passage.SizesDiffer()) return false;
    const double all = module_bytes[function.module];
    return (passage.callers.size() >= kManyCallers && passage.bytes >= kMost * all) ||
           (passage.callers.size() >= kFewCallers && passage.bytes >= kNearlyAll * all);
  };
  // What passes through `outer`, if nothing does but directly or by `inner`.
  const auto beyond = [&](FunctionId inner, FunctionId outer) {
    Passage passage;
    for (const Flow& flow : flows) {
      if (flow.functions.empty()) continue;
      const size_t first = first_of(flow);
      size_t at = first;
      while (at < flow.functions.size() && flow.functions[at] != outer) ++at;
      if (at == flow.functions.size()) continue;
      const bool by_inner = at == first + 1 && flow.functions[first] == inner;
      if (at != first && !by_inner) return Passage();
      passage.Add(flow, at);
    }
    return passage;
  };
  std::vector<FunctionId> found;
  for (const auto& [id, passage] : direct) {
    if (functions_[id].name.empty() || calls_others.count(id) != 0) continue;
    if (qualifies(id, passage)) {
      found.push_back(id);
    } else if (passage.callers.size() == 1) {
      const FunctionId outer = passage.callers.begin()->first;
      if (outer != id && qualifies(outer, beyond(id, outer))) found.push_back(id);
    }
  }
  for (const FunctionId id : found) functions_[id].wrapper = true;
  return !found.empty();
}

}  // namespace heapgauge
