// What a stack is called in every run of the same binaries: a hash over build-ids and offsets.
#ifndef HEAPGAUGE_REPORTER_SITE_IDENTITY_H_
#define HEAPGAUGE_REPORTER_SITE_IDENTITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "store/site_table.h"
#include "symbolize/module_map.h"
#include "trace/module_ledger.h"

namespace heapgauge {

class Tracker;

// A stack's frames are of the modules that lay there when it was taken (module_ledger.h), whatever
// lies there by now.
//
// Report thread only.
class SiteIdentity final {
 public:
  // One frame: where the call is, and which module that was.
  struct Spot {
    uintptr_t call = 0;   // the return address has been moved back into its call
    uint32_t module = 0;  // number of its record; 0: of whatever lies there; kNobodys

    bool operator==(const Spot&) const = default;
  };
  struct SpotHash {
    size_t operator()(const Spot& spot) const noexcept {
      return (spot.call ^ uint64_t{spot.module} << 48) * 0x9E3779B97F4A7C15U >> 16;
    }
  };

  // The ledger stays the caller's and outlives this.  nullptr: modules are where they are now.
  explicit SiteIdentity(const ModuleLedger* ledger = nullptr) : ledger_(ledger) {}

  // Brings the module map up to date, and lets the tracker forget what it knows of modules that are
  // gone; before the calls below, once a report.
  void Refresh(Tracker& tracker) noexcept;

  // The id of a site; computed once, then remembered: modules may be unloaded later.
  uint64_t IdOf(const StoredSite& site);

  Spot SpotOf(const StoredSite& site, size_t frame) const;
  ModuleAddress AddressOf(const Spot& spot) const;
  // What tells the content of the spot's module from others: its build-id; without one, how its
  // file begins, if another file of this path was loaded before; else "".
  std::string ContentOf(const Spot& spot) const;
  // The site's frames as module addresses, leaf first.
  std::vector<ModuleAddress> Addresses(const StoredSite& site) const;

  const ModuleMap& modules() const { return modules_; }
  // As long as this is the same, so is what AddressOf() says of a spot.
  uint64_t changes() const { return map_changes_ + records_.size(); }

 private:
  static constexpr uint32_t kNobodys = ~uint32_t{0};
  struct Range {
    uintptr_t begin;
    uintptr_t end;
    uint32_t number;
  };

  void LearnRecords() const;
  std::string PathOf(const ModuleRecord& record) const;
  bool FirstOfItsPath(const ModuleAddress& module) const;

  ModuleMap modules_;
  uint64_t map_changes_ = 0;
  const ModuleLedger* ledger_;
  // What the ledger has, taken over as it grows.
  mutable std::vector<ModuleAddress> records_;  // by number - 1: path and build-id
  mutable std::vector<std::string> contents_;   // likewise: ContentOf()
  mutable std::vector<Range> first_holders_;    // sorted; they do not overlap
  std::vector<uint64_t> ids_;                   // by site index; 0 = not computed
};

// "0123456789abcdef"
std::string IdText(uint64_t id);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_SITE_IDENTITY_H_
