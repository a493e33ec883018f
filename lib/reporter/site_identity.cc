#include "reporter/site_identity.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/basename.h"
#include "base/fork_gate.h"
#include "elf/hex.h"
#include "symbolize/main_executable.h"
#include "symbolize/module_files.h"
#include "track/tracker.h"

namespace heapgauge {
namespace {

// FNV-1a: ids are compared across machines and versions, so the hash must never change.
constexpr uint64_t kFnvBasis = 0xCBF29CE484222325U;
constexpr uint64_t kFnvPrime = 0x100000001B3U;

uint64_t Mix(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  return hash;
}

uint64_t Mix(uint64_t hash, uint64_t word) {
  for (int i = 0; i < 8; ++i, word >>= 8) hash = (hash ^ (word & 0xFF)) * kFnvPrime;
  return hash;
}

}  // namespace

void SiteIdentity::Refresh(Tracker& tracker) noexcept {
  {
    const ForkGate::Passage gate;  // the loader's lock
    if (gate.entered()) tracker.ModulesCame();
  }
  if (modules_.Refresh()) ++map_changes_;
  try {
    LearnRecords();  // while most of them are loaded still
  } catch (...) {    // memory: at the next call
  }
}

// The map has names as people know them, but only of what is loaded.
std::string SiteIdentity::PathOf(const ModuleRecord& record) const {
  const std::string build_id =
      elf::ToHex({record.facts.build_id.data(), record.facts.build_id_size});
  const std::string_view name = record.facts.name;
  for (const ModuleMap::Module& module : modules_.modules()) {
    if (module.loaded && module.bias == record.facts.bias && module.build_id == build_id &&
        record.Covers(module.extent.begin) &&
        (module.path.ends_with(Basename(name)) || module.path == symbolize::kVdsoPath)) {
      return module.path;
    }
  }
  return symbolize::AbsolutePath(std::string(name));
}

// A program that has always been without build-ids keeps its ids when it is built again.
bool SiteIdentity::FirstOfItsPath(const ModuleAddress& module) const {
  if (!module.build_id.empty() || module.head.bytes == 0) return true;
  return std::none_of(records_.begin(), records_.end(), [&](const ModuleAddress& other) {
    return other.module == module.module && other.head != module.head;
  });
}

void SiteIdentity::LearnRecords() const {
  if (ledger_ == nullptr) return;
  const uint32_t count = ledger_->size();
  if (records_.size() >= count) return;
  // Out of memory after this leaves whole records.
  records_.reserve(count);
  contents_.reserve(count);
  first_holders_.reserve(count);
  while (records_.size() < count) {
    const auto number = static_cast<uint32_t>(records_.size() + 1);
    const ModuleRecord* const record = ledger_->At(number);
    if (record == nullptr) return;
    const ModuleFacts& facts = record->facts;
    std::string build_id = elf::ToHex({facts.build_id.data(), facts.build_id_size});
    ModuleAddress module = {PathOf(*record), std::move(build_id), 0, facts.head};
    std::string content =
        FirstOfItsPath(module) ? module.build_id : fmt::format("{:x}", facts.head.hash);
    records_.push_back(std::move(module));
    contents_.push_back(std::move(content));
    if (record->successor) continue;
    const auto place = std::find_if(first_holders_.begin(), first_holders_.end(),
                                    [&](const Range& range) { return range.begin > facts.begin; });
    first_holders_.insert(place, {facts.begin, facts.end, number});
  }
}

SiteIdentity::Spot SiteIdentity::SpotOf(const StoredSite& site, size_t frame) const {
  // A call that never returns may be its function's last instruction: its return address belongs to
  // the next one.
  const uintptr_t call = site.frames()[frame] - 1;
  if (ledger_ == nullptr) return {call, 0};
  if (site.holders != 0) {
    const uintptr_t* const numbers = site.holder_numbers();
    const ModuleRecord* const holder = ledger_->HolderOf(call, numbers, site.holders);
    if (holder != nullptr) return {call, holder->number};
    if (ModuleLedger::IsUnknown(numbers, site.holders)) return {call, kNobodys};
  }
  LearnRecords();
  const auto after =
      std::upper_bound(first_holders_.begin(), first_holders_.end(), call,
                       [](uintptr_t address, const Range& range) { return address < range.begin; });
  if (after == first_holders_.begin() || call >= std::prev(after)->end) return {call, 0};
  return {call, std::prev(after)->number};
}

ModuleAddress SiteIdentity::AddressOf(const Spot& spot) const {
  if (spot.module == 0) return modules_.Locate(spot.call);
  if (spot.module == kNobodys) return {{}, {}, spot.call};
  LearnRecords();
  const ModuleRecord* const record = ledger_->At(spot.module);
  if (record == nullptr || spot.module > records_.size()) return {{}, {}, spot.call};
  ModuleAddress address = records_[spot.module - 1];
  address.offset = spot.call - record->facts.bias;
  return address;
}

std::string SiteIdentity::ContentOf(const Spot& spot) const {
  if (spot.module == 0) return modules_.Locate(spot.call).build_id;
  return spot.module <= contents_.size() ? contents_[spot.module - 1] : std::string();
}

std::vector<ModuleAddress> SiteIdentity::Addresses(const StoredSite& site) const {
  std::vector<ModuleAddress> addresses;
  addresses.reserve(site.depth);
  for (uint32_t i = 0; i < site.depth; ++i) addresses.push_back(AddressOf(SpotOf(site, i)));
  return addresses;
}

uint64_t SiteIdentity::IdOf(const StoredSite& site) {
  if (site.index >= ids_.size()) ids_.resize(site.index + 1 + site.index / 2, 0);
  uint64_t& id = ids_[site.index];
  if (id != 0) return id;
  uint64_t hash = kFnvBasis;
  for (uint32_t i = 0; i < site.depth; ++i) {
    const Spot spot = SpotOf(site, i);
    const ModuleAddress address = AddressOf(spot);
    const std::string content = ContentOf(spot);
    if (address.module.empty()) {  // generated code: its address means nothing in another run
      hash = Mix(hash, "?");
      continue;
    }
    hash = Mix(hash, content.empty() ? Basename(address.module) : content);
    hash = Mix(hash, address.offset);
  }
  id = hash != 0 ? hash : 1;
  return id;
}

std::string IdText(uint64_t id) { return fmt::format("{:016x}", id); }

}  // namespace heapgauge
