#include "reporter/stack_ends.h"

#include <fmt/format.h>

#include "base/basename.h"
#include "elf/elf_image.h"
#include "trace/unwind_gap.h"

namespace heapgauge {
namespace {

// Of the live bytes.
constexpr double kLeastShare = 0.01;

// Its own first function has no table and no caller.
bool IsLoader(const std::string& path) { return Basename(path).starts_with("ld-"); }

bool HasDebugFrame(const std::string& path) {
  const auto file = elf::ElfImage::OpenFile(path.c_str());
  return file && file->FindSection(".debug_frame") != nullptr;
}

}  // namespace

uint32_t StackEnds::Look(const StoredSite& site, const SiteIdentity& identity) {
  if (site.depth == 0 || site.depth >= most_frames_) return kWhole;
  const SiteIdentity::Spot spot = identity.SpotOf(site, site.depth - 1);
  if (UnwindTableOf(spot.call) != UnwindTable::kMissing) return kWhole;
  // What lies there now must be what lay there then.
  const std::string path = identity.AddressOf(spot).module;
  if (path.empty() || path != identity.modules().Locate(spot.call).module || IsLoader(path)) {
    return kWhole;
  }
  const auto [place, added] = places_.try_emplace(path, static_cast<uint32_t>(modules_.size()));
  if (added) modules_.push_back(path);
  return kFirstModule + place->second;
}

std::vector<std::string> StackEnds::Notes(const StoreSnapshot& snapshot, const SiteTable& sites,
                                          const SiteIdentity& identity) {
  std::vector<double> live(modules_.size());
  for (const SiteSnapshot& site : snapshot.sites) {
    if (site.index >= ends_.size()) ends_.resize(site.index + 1 + site.index / 2, kUnknown);
    uint32_t& end = ends_[site.index];
    if (end == kUnknown) end = Look(*sites.At(site.index), identity);
    if (end < kFirstModule) continue;
    live.resize(modules_.size());
    live[end - kFirstModule] += site.observation.live_bytes;
  }
  std::vector<std::string> notes;
  const double all = snapshot.totals.live_bytes;
  for (size_t i = 0; i < live.size(); ++i) {
    if (all <= 0 || live[i] < kLeastShare * all) continue;
    notes.push_back(fmt::format(
        "stacks with {:.0f} % of the live bytes end early in {}, in code without unwind tables{}: "
        "their callers are not known. Build it with -fasynchronous-unwind-tables.",
        100 * live[i] / all, modules_[i],
        HasDebugFrame(modules_[i]) ? " (its .debug_frame is for debuggers, and not in memory)"
                                   : ""));
  }
  return notes;
}

}  // namespace heapgauge
