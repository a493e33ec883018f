#include "cli/arguments.h"

#include <fmt/core.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/help_forms.h"
#include "cli/message.h"
#include "cli/suggest.h"
#include "report/text_style.h"

namespace heapgauge::cli {
namespace {

constexpr size_t kHelpWidth = 100;

// Usage, options and footer as people know them from other tools; long descriptions wrap under
// themselves.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) {}

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    constexpr size_t kColumn = 30;
    std::string name = "  " + make_option_name(option, is_positional);
    if (!is_positional && option->get_type_size() > 0) name += " " + option->get_type_name();
    const std::string indent(kColumn, ' ');
    std::string text = Wrapped(option->get_description(), indent, kHelpWidth);
    if (name.size() + 2 > kColumn) return name + "\n" + text;
    if (text.size() < kColumn) return name + "\n";
    return name + text.substr(name.size());
  }

  std::string make_usage(const CLI::App* app, std::string /*name*/) const override {
    return fmt::format("Usage: {} {}\n\n{}\n", app->get_name(), usage_, app->get_description());
  }

  std::string make_description(const CLI::App* /*app*/) const override {
    return {};
  }  // behind the usage

  const std::string& usage() const { return usage_; }

 private:
  std::string usage_;
};

const CLI::Option* FindOption(const CLI::App& app, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  for (const CLI::Option* option : app.get_options()) {
    // "-o" may carry its value directly: -oFILE
    if (option->check_name(name)) return option;
    if (name.size() > 2 && name[1] != '-' && option->check_name(name.substr(0, 2))) return option;
  }
  return nullptr;
}

bool LooksLikeOption(const std::string& argument) {
  return argument.size() > 1 && argument[0] == '-';
}

bool CarriesValue(const CLI::Option& option, const std::string& argument) {
  return argument.find('=') != std::string::npos || option.get_type_size() == 0 ||
         (argument.size() > 2 && argument[1] != '-');
}

// The option that is wrong, said better than CLI11 does; "" if all are known and have their values.
std::string WrongOption(const CLI::App& app, const Arguments& arguments) {
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (!LooksLikeOption(arguments[i])) continue;
    const CLI::Option* option = FindOption(app, arguments[i]);
    const std::string typed = arguments[i].substr(0, arguments[i].find('='));
    if (option == nullptr) {
      std::vector<std::string> names;
      for (const CLI::Option* known : app.get_options()) {
        for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
      }
      return fmt::format("unknown option {}{}", typed, DidYouMean(typed, names));
    }
    const bool empty = arguments[i].ends_with('=') && option->get_type_size() > 0;
    const bool may_stand_alone = option->get_expected_min() == 0;
    if (!empty && (may_stand_alone || CarriesValue(*option, arguments[i]))) continue;
    if (empty || i + 1 == arguments.size())
      return fmt::format("{} needs a value: {}", typed, option->get_type_name());
    ++i;
  }
  return {};
}

int PrintHelp(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kExitGood : Fail("cannot write the help to standard output");
}

}  // namespace

std::unique_ptr<CLI::App> MakeApp(const std::string& name, const std::string& usage,
                                  const std::string& description) {
  auto app = std::make_unique<CLI::App>(description, name);
  app->formatter(std::make_shared<HelpFormatter>(usage));
  app->set_help_flag("-h,--help", "show this help");
  app->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return app;
}

std::optional<int> Parse(CLI::App& app, Arguments arguments) {
  const auto fail = [&](const std::string& problem) {
    return Fail(fmt::format("{} (see {} --help)", problem, app.get_name()));
  };
  if (arguments.size() == 1 && arguments[0] == "--help=man") {
    const auto* formatter = dynamic_cast<const HelpFormatter*>(app.get_formatter().get());
    return PrintHelp(ManPage(app, formatter != nullptr ? formatter->usage() : ""));
  }
  if (arguments.size() == 1 && arguments[0] == "--help=words")
    return PrintHelp(CompletionWords(app));
  const auto help = std::find_if(arguments.begin(), arguments.end(),
                                 [](const std::string& a) { return a == "--help" || a == "-h"; });
  if (help == arguments.end()) {
    const std::string wrong = WrongOption(app, arguments);
    if (!wrong.empty()) return fail(wrong);
  }
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return PrintHelp(app.help());
  } catch (const CLI::ParseError& error) {
    std::string problem = error.what();
    std::replace(problem.begin(), problem.end(), '\n', ' ');
    return fail(problem);
  }
}

std::optional<pid_t> ParsePid(const std::string& text) {
  pid_t pid = 0;
  const auto [at, failure] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (failure != std::errc() || at != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

Split SplitAtCommand(const CLI::App& app, const Arguments& arguments) {
  size_t i = 0;
  while (i < arguments.size()) {
    if (arguments[i] == "--") return {i, i + 1};
    if (!LooksLikeOption(arguments[i])) break;
    const CLI::Option* option = FindOption(app, arguments[i]);
    i += option == nullptr || CarriesValue(*option, arguments[i]) ? 1 : 2;
  }
  i = std::min(i, arguments.size());
  return {i, i};
}

}  // namespace heapgauge::cli
