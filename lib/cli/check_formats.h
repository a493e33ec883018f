// What a check has found, in the formats of `heapgauge check`.
#ifndef HEAPGAUGE_CLI_CHECK_FORMATS_H_
#define HEAPGAUGE_CLI_CHECK_FORMATS_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/lost_groups.h"
#include "cli/suppressions.h"

namespace heapgauge::cli {

const std::vector<std::string>& CheckFormats();

struct CheckPage {
  std::string command;      // as it was typed
  std::string source_root;  // files below it are shown relative to it
  int command_status = 0;   // of CMD, as a shell shows it
};

std::string RenderCheck(std::string_view format, const CheckResult& result,
                        const Suppressions& suppressions, const CheckPage& page);

// "3 objects, 120 B".
std::string SumText(const LostSum& sum);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_CHECK_FORMATS_H_
