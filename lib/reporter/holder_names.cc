#include "reporter/holder_names.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/descriptor.h"
#include "elf/data_names.h"
#include "report/units.h"
#include "reporter/block_types.h"
#include "reporter/lost_rings.h"
#include "symbolize/demangle.h"

namespace heapgauge {
namespace {

using Answer = HolderSearch::Answer;
constexpr size_t kMostSteps = 8;
constexpr size_t kMostWay = 16;

std::string ThreadName(pid_t thread) {
  if (thread == getpid()) return "main";
  const Descriptor file =
      Descriptor::OpenToRead(fmt::format("/proc/self/task/{}/comm", thread).c_str());
  char text[32];
  const ssize_t got = file.valid() ? pread(file.get(), text, sizeof(text), 0) : 0;
  std::string name(text, got > 0 ? static_cast<size_t>(got) : 0);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? fmt::format("{}", thread) : fmt::format("{} ({})", name, thread);
}

std::vector<std::string> PathOf(const HolderSearch& search, BlockTypes& types, uintptr_t block) {
  Block path[kMostSteps];
  const size_t count = std::min(search.PathTo(block, path, kMostSteps), kMostSteps);
  std::vector<std::string> steps;
  for (size_t i = 0; i < count; ++i) {
    const std::string& type = types.Of(path[i].begin);
    const std::string size = FormatBytes(static_cast<double>(path[i].bytes));
    steps.push_back(type.empty() ? "a block of " + size : fmt::format("{} ({})", type, size));
    path[i].begin = 0;  // W2 of HolderWatch
  }
  return steps;
}

// The blocks before it that are nearest, and the block itself, all turned.
std::vector<uint64_t> WayTo(const HolderSearch& search, uintptr_t block) {
  Block path[kMostWay];
  const size_t count = search.LastOfPath(block, path, kMostWay);
  std::vector<uint64_t> way = {~uint64_t{block}};
  for (size_t i = 0; i < count; ++i) {
    way.push_back(~uint64_t{path[i].begin});
    path[i].begin = 0;  // W2 of HolderWatch
  }
  return way;
}

// Variables known to the compiler alone have no name for people.
std::string ReadableSymbol(const std::string& name) { return symbolize::Demangle(name); }

}  // namespace

ShareInterval WilsonInterval(double share, double effective) {
  if (!(effective > 0)) return {0, 1};
  constexpr double kZ = 1.96;
  const double z2 = kZ * kZ / effective;
  const double middle = (share + z2 / 2) / (1 + z2);
  const double half =
      kZ / (1 + z2) * std::sqrt(share * (1 - share) / effective + z2 / 4 / effective);
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

// `words`: addresses, in the order of the answer.
std::vector<HolderNames::Named> HolderNames::NameGlobals(std::vector<uintptr_t> words) const {
  std::vector<Named> named(words.size());
  for (const ModuleMap::Module& module : identity_.modules().modules()) {
    std::map<uint64_t, std::vector<size_t>> places;  // by address in the file
    for (size_t i = 0; i < words.size(); ++i) {
      if (!module.loaded || words[i] < module.extent.begin || words[i] >= module.extent.end)
        continue;
      places[words[i] - module.bias].push_back(i);
    }
    if (places.empty()) continue;
    std::vector<uint64_t> addresses;
    for (const auto& [address, indices] : places) addresses.push_back(address);
    std::vector<std::string> names(addresses.size());
    const auto image = elf::ElfImage::OpenFile(module.path.c_str());
    if (image) {
      elf::NameData(*image, elf::SymbolTable::kFull, addresses, names);
      elf::NameData(*image, elf::SymbolTable::kDynamic, addresses, names);
    }
    for (size_t k = 0; k < addresses.size(); ++k) {
      const std::string section = image ? elf::SectionOf(*image, addresses[k]) : std::string();
      const std::string name =
          names[k].empty() ? fmt::format("data at 0x{:x}", addresses[k]) : ReadableSymbol(names[k]);
      for (const size_t i : places[addresses[k]]) named[i] = {name, module.path, section};
    }
  }
  return named;
}

const VariablePlace* HolderNames::VariableOf(const HolderSearch::Holder& holder) const {
  const auto found =
      holder.answer == Answer::kHeld ? variables_.find(holder.word) : variables_.end();
  return found != variables_.end() ? &found->second : nullptr;
}

Held HolderNames::Describe(const std::vector<Found>& found, HolderSearch& search) const {
  Held held;
  BlockTypes types(identity_, search);
  std::vector<LostRings::Object> lost;
  std::vector<LostRings::Object> reached;
  held.whole = search.whole();
  std::vector<uintptr_t> words;
  double sum = 0;
  double squares = 0;
  bool exact = true;
  for (const Found& one : found) {
    const bool is_global =
        one.holder.answer == Answer::kHeld && one.holder.place == RootKind::kGlobal;
    words.push_back(is_global ? one.holder.word : 0);
    sum += one.bytes;
    squares += one.bytes * one.bytes;
    exact = exact && one.weight <= 1;
  }
  const std::vector<Named> named = NameGlobals(words);
  const double effective = squares > 0 ? sum * sum / squares : 0;
  struct Group {
    Holder holder;
    double bytes = 0;
    uint32_t depth = ~0U;
    uintptr_t nearest = 0;
  };
  std::map<std::string, Group> groups;
  double lost_bytes = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const HolderSearch::Holder& holder = found[i].holder;
    if (holder.answer == Answer::kLost) {
      ++held.lost_objects;
      lost_bytes += found[i].bytes;
      lost.push_back({found[i].hidden, found[i].bytes, {}});
      continue;
    }
    if (holder.answer == Answer::kHeld && held.whole) {
      reached.push_back({found[i].hidden, found[i].bytes, WayTo(search, ~found[i].hidden)});
    }
    Holder to;
    if (holder.answer == Answer::kHeld && holder.place == RootKind::kGlobal) {
      to.kind = "global";
      to.name = named[i].name;
      to.module = named[i].module;
      to.section = named[i].section;
    } else if (holder.answer == Answer::kHeld) {
      to.kind = holder.place == RootKind::kThreadLocal ? "thread_local" : "stack";
      to.name = fmt::format("{}", holder.thread);
    }
    if (const VariablePlace* const variable = VariableOf(holder)) {
      // The symbol of a plain global says as much.
      if (!variable->type.empty() || to.kind == "stack") to.path = {variable->variable};
      if (!variable->type.empty()) to.path.push_back(variable->type);
    }
    std::string key = to.kind + "|" + to.name + "|" + to.module.value_or("");
    for (const std::string& step : to.path) key += "|" + step;
    Group& group = groups[key];
    if (group.holder.objects == 0) group.holder = std::move(to);
    ++group.holder.objects;
    group.bytes += found[i].bytes;
    if (holder.answer == Answer::kHeld && holder.depth < group.depth) {
      group.depth = holder.depth;
      group.nearest = ~found[i].hidden;
    }
  }
  if (!lost.empty()) held.rings = LostRings(search, types).Of(lost);
  for (Ring& ring : LostRings(search, types, reached).Of(reached)) {
    held.rings.push_back(std::move(ring));
  }
  held.checked_objects = found.size();
  held.checked_bytes = sum;
  const auto share = [&](double bytes, double* low, double* high) {
    const double part = sum > 0 ? bytes / sum : 0;
    const ShareInterval interval =
        exact ? ShareInterval{part, part} : WilsonInterval(part, effective);
    *low = interval.low;
    *high = interval.high;
    return part;
  };
  held.lost_share = share(lost_bytes, &held.lost_low, &held.lost_high);
  for (auto& [key, group] : groups) {
    Holder& holder = group.holder;
    holder.share = share(group.bytes, &holder.low, &holder.high);
    if (group.nearest != 0) {
      for (std::string& step : PathOf(search, types, group.nearest))
        holder.path.push_back(std::move(step));
    }
    if (holder.kind == "stack" || holder.kind == "thread_local") {
      holder.name = ThreadName(static_cast<pid_t>(std::stol(holder.name)));
    }
    held.holders.push_back(std::move(holder));
  }
  std::stable_sort(held.holders.begin(), held.holders.end(),
                   [](const Holder& a, const Holder& b) { return a.share > b.share; });
  constexpr size_t kMostHolders = 20;
  if (held.holders.size() > kMostHolders) held.holders.resize(kMostHolders);
  return held;
}

}  // namespace heapgauge
