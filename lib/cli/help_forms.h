// The same help in other forms: a page of the manual, and words for a shell that completes.
#ifndef HEAPGAUGE_CLI_HELP_FORMS_H_
#define HEAPGAUGE_CLI_HELP_FORMS_H_

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge::cli {

// A page of section 1 (man 7 man) for a subcommand.  `usage`: what stands behind its name.
std::string ManPage(const CLI::App& app, std::string_view usage);

// The page of the command itself.  `help`: its help text; `pages`: names of the subcommands.
std::string ManPageOfCommand(std::string_view help, const std::vector<std::string>& pages);

// A line for each option: its name, a tab, the values that it takes ("a b c", FILE, DIR or PID, or
// nothing), a tab, and its first sentence.  A last line "-" has what stands without an option.
std::string CompletionWords(const CLI::App& app);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_HELP_FORMS_H_
