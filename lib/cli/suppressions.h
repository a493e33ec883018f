// LeakSanitizer's suppression files: lines "leak:TEMPLATE", comments with #.
//
// A template is looked for in the module, function and file of every frame of a stack: anywhere in
// it, but for ^ at the begin, $ at the end, and * for any text.
#ifndef HEAPGAUGE_CLI_SUPPRESSIONS_H_
#define HEAPGAUGE_CLI_SUPPRESSIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbolize/frame.h"

namespace heapgauge::cli {

bool TemplateMatches(std::string_view pattern, std::string_view text);

class Suppressions final {
 public:
  struct Rule {
    std::string pattern;
    uint64_t objects = 0;  // that it has suppressed
    double bytes = 0;
  };

  // Adds what stands in `text`; lines with errors are said, and left out.
  void Add(std::string_view text, const std::string& name, std::vector<std::string>* problems);
  // The same, but rules that are known already are left out: processes that share a program.
  void AddOnce(std::string_view text, const std::string& name, std::vector<std::string>* problems);
  // The first rule that matches.
  std::optional<size_t> Match(const std::vector<Frame>& stack) const;
  void Count(size_t rule, double bytes) {
    ++rules_[rule].objects;
    rules_[rule].bytes += bytes;
  }
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  std::vector<Rule> rules_;
};

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SUPPRESSIONS_H_
