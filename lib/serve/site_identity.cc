#include "serve/site_identity.h"

#include <fmt/format.h>

#include <string_view>

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

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

void SiteIdentity::Refresh(Tracker& tracker) noexcept {
  // A module may have taken the place of one that was unloaded; the rules of the old one would
  // mislead.
  if (modules_.Refresh()) tracker.ForgetStacks();
}

std::vector<ModuleAddress> SiteIdentity::Addresses(const StoredSite& site) const {
  std::vector<ModuleAddress> addresses;
  addresses.reserve(site.depth);
  // A call that never returns may be its function's last instruction: its return address belongs to
  // the next one.
  for (uint32_t i = 0; i < site.depth; ++i)
    addresses.push_back(modules_.Locate(site.frames()[i] - 1));
  return addresses;
}

uint64_t SiteIdentity::IdOf(const StoredSite& site) {
  if (site.index >= ids_.size()) ids_.resize(site.index + 1 + site.index / 2, 0);
  uint64_t& id = ids_[site.index];
  if (id != 0) return id;
  uint64_t hash = kFnvBasis;
  for (const ModuleAddress& address : Addresses(site)) {
    if (address.module.empty()) {  // generated code: its address means nothing in another run
      hash = Mix(hash, "?");
      continue;
    }
    hash = Mix(hash, address.build_id.empty() ? BaseName(address.module) : address.build_id);
    hash = Mix(hash, address.offset);
  }
  id = hash != 0 ? hash : 1;
  return id;
}

std::string IdText(uint64_t id) { return fmt::format("{:016x}", id); }

}  // namespace heapgauge
