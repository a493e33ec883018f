#include "cli/child_names.h"

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "symbolize/demangle.h"
#include "symbolize/symbol_names.h"

namespace heapgauge::cli {

void NameCallsites(ChildrenSummary* children) {
  std::map<std::string, std::set<uint64_t>> wanted;
  for (const ChildProgram& program : children->programs) {
    if (const ChildCallsite* const site = program.Largest())
      wanted[site->module].insert(site->offset);
  }
  std::map<std::pair<std::string, uint64_t>, std::string> found;
  for (const auto& [module, offsets] : wanted) {
    struct stat status {};
    if (module.empty() || module.front() != '/' || stat(module.c_str(), &status) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    const std::vector<uint64_t> addresses(offsets.begin(), offsets.end());
    const std::vector<std::string> names =
        symbolize::SymbolNames(module, "", addresses, "/usr/lib/debug");
    for (size_t i = 0; i < names.size() && i < addresses.size(); ++i) {
      found[{module, addresses[i]}] = symbolize::Demangle(names[i]);
    }
  }
  for (ChildProgram& program : children->programs) {
    for (auto& [key, site] : program.callsites) {
      if (const auto at = found.find(key); at != found.end()) site.function = at->second;
    }
  }
}

}  // namespace heapgauge::cli
