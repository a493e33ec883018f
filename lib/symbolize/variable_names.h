// Which variable lies at an address, asked of the helper that reads debug information.
//
// Report thread only.
#ifndef HEAPGAUGE_SYMBOLIZE_VARIABLE_NAMES_H_
#define HEAPGAUGE_SYMBOLIZE_VARIABLE_NAMES_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "symbolize/symbolizer.h"
#include "symbolize/variable_place.h"

namespace heapgauge {

namespace symbolize {
class HelperClient;
}

class VariableNames final {
 public:
  // `wanted`: HEAPGAUGE_SYMBOLIZE=lines; else nothing has a name.
  explicit VariableNames(bool wanted);
  ~VariableNames();
  VariableNames(const VariableNames&) = delete;
  VariableNames& operator=(const VariableNames&) = delete;

  // Of each place the variable; empty where it is not known, and without the helper.  `modules`: of
  // each place the module of its address.
  std::vector<VariablePlace> Find(std::span<const ModuleAddress> modules,
                                  std::span<const PlaceQuestion> places);

 private:
  std::unique_ptr<symbolize::HelperClient> helper_;
  std::vector<std::string> debuginfod_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_VARIABLE_NAMES_H_
