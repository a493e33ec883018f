// The parsing that all subcommands share: CLI11 with one-line errors, suggestions, and help that
// wraps.
#ifndef HEAPGAUGE_CLI_ARGUMENTS_H_
#define HEAPGAUGE_CLI_ARGUMENTS_H_

#include <sys/types.h>

#include <CLI/App.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace heapgauge::cli {

using Arguments = std::vector<std::string>;

// An App called `name` ("heapgauge run") with -h/--help and our formatting.  `usage`: what stands
// behind the name.
std::unique_ptr<CLI::App> MakeApp(const std::string& name, const std::string& usage,
                                  const std::string& description);

// Parses `arguments` (those behind the subcommand).  nullopt: go on.  Otherwise the exit status:
// help was printed (0), or one line said what is wrong and what would be right (2).  --help=man and
// --help=words print other forms of the help (help_forms.h).
std::optional<int> Parse(CLI::App& app, Arguments arguments);

// nullopt: no number of a process.
std::optional<pid_t> ParsePid(const std::string& text);

// Where the options of `app` end and CMD begins: at the first argument that is no option and no
// option's value, or behind the first "--".  CMD's own options are none of ours.
struct Split {
  size_t options_end = 0;
  size_t command_begin = 0;
};
Split SplitAtCommand(const CLI::App& app, const Arguments& arguments);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_ARGUMENTS_H_
