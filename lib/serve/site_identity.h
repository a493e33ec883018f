// What a stack is called in every run of the same binaries: a hash over build-ids and offsets.
#ifndef HEAPGAUGE_SERVE_SITE_IDENTITY_H_
#define HEAPGAUGE_SERVE_SITE_IDENTITY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "store/site_table.h"
#include "symbolize/module_map.h"

namespace heapgauge {

class Tracker;

// Report thread only.
class SiteIdentity final {
 public:
  // Brings the module map up to date, and lets the tracker forget what it knows of modules that are
  // gone; before the calls below, once a report.
  void Refresh(Tracker& tracker) noexcept;

  // The id of a site; computed once, then remembered: modules may be unloaded later.
  uint64_t IdOf(const StoredSite& site);

  // The site's frames as module addresses, leaf first; return addresses have been moved back into
  // their calls.
  std::vector<ModuleAddress> Addresses(const StoredSite& site) const;

  const ModuleMap& modules() const { return modules_; }

 private:
  ModuleMap modules_;
  std::vector<uint64_t> ids_;  // by site index; 0 = not computed
};

// "0123456789abcdef"
std::string IdText(uint64_t id);

}  // namespace heapgauge

#endif  // HEAPGAUGE_SERVE_SITE_IDENTITY_H_
