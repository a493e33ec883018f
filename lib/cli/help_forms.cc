#include "cli/help_forms.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "heapgauge/heapgauge.h"

namespace heapgauge::cli {
namespace {

// Text as roff takes it: nothing in it is a request or an escape.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

std::string Head(std::string_view name) {
  std::string title(name);
  std::replace(title.begin(), title.end(), ' ', '-');
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return fmt::format(".TH {} 1 \"\" \"heapgauge {}.{}.{}\" \"User Commands\"\n.nh\n", Roff(title),
                     HEAPGAUGE_VERSION_MAJOR, HEAPGAUGE_VERSION_MINOR, HEAPGAUGE_VERSION_PATCH);
}

std::string FirstSentence(std::string_view text) {
  const size_t end = std::min({text.find(". "), text.find(": "), text.find('\n')});
  std::string sentence(text.substr(0, end));
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence;
}

// "-f, --format", as `man` shows names.
std::string Names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  if (names.empty()) names.push_back(option.get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

// What a footer calls a part is one here: "Examples:" with indented lines, "Exit status: ...".
std::string Parts(std::string_view footer) {
  std::string out;
  while (!footer.empty()) {
    const size_t end = std::min(footer.find("\n\n"), footer.size());
    const std::string_view part = footer.substr(0, end);
    footer.remove_prefix(std::min(end + 2, footer.size()));
    const size_t colon = part.find(':');
    if (colon == std::string_view::npos) {
      out += fmt::format(".PP\n{}\n", Roff(part));
      continue;
    }
    std::string title(part.substr(0, colon));
    std::transform(title.begin(), title.end(), title.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::string_view rest = part.substr(colon + 1);
    while (rest.starts_with(' ') || rest.starts_with('\n')) {
      if (rest.starts_with("\n  ")) break;
      rest.remove_prefix(1);
    }
    out += fmt::format(".SH {}\n", Roff(title));
    const bool as_it_is = rest.starts_with("\n  ");
    if (as_it_is) rest.remove_prefix(1);
    out += as_it_is ? fmt::format(".nf\n{}\n.fi\n", Roff(rest)) : Roff(rest) + "\n";
  }
  return out;
}

// "a|b|c" are values, anything in capitals is the kind of one.
std::string ValuesOf(const CLI::Option& option) {
  if (option.get_type_size() == 0) return {};
  std::string type = option.get_type_name();
  std::replace(type.begin(), type.end(), '|', ' ');
  return type;
}

}  // namespace

std::string ManPage(const CLI::App& app, std::string_view usage) {
  std::string name = app.get_name();
  std::string page_name = name;
  std::replace(page_name.begin(), page_name.end(), ' ', '-');
  std::string page = Head(name);
  page += fmt::format(".SH NAME\n{} \\- {}\n", Roff(page_name),
                      Roff(FirstSentence(app.get_description())));
  page += fmt::format(".SH SYNOPSIS\n.B {}\n{}\n", Roff(name), Roff(usage));
  page += fmt::format(".SH DESCRIPTION\n{}\n.SH OPTIONS\n", Roff(app.get_description()));
  for (const CLI::Option* option : app.get_options()) {
    const bool positional = option->get_positional();
    page += fmt::format(".TP\n.B {}", Roff(positional ? option->get_name() : Names(*option)));
    if (!positional && option->get_type_size() > 0) page += " " + Roff(option->get_type_name());
    page += "\n" + Roff(option->get_description()) + "\n";
  }
  page += Parts(app.get_footer());
  return page + ".SH SEE ALSO\n.BR heapgauge (1)\n";
}

std::string ManPageOfCommand(std::string_view help, const std::vector<std::string>& pages) {
  std::string page = Head("heapgauge");
  page += ".SH NAME\nheapgauge \\- leak or load: watches the heap of a C or C++ service\n";
  const size_t end = help.find("\n\n");
  constexpr std::string_view kUsage = "Usage: ";
  page += fmt::format(".SH SYNOPSIS\n{}\n", Roff(help.substr(kUsage.size(), end - kUsage.size())));
  std::string_view rest = help.substr(end + 2);
  const size_t paragraph = rest.find("\n\n");
  page += fmt::format(".SH DESCRIPTION\n{}\n", Roff(rest.substr(0, paragraph)));
  page += Parts(rest.substr(paragraph + 2));
  page += ".SH SEE ALSO\n";
  for (const std::string& name : pages)
    page += fmt::format(".BR heapgauge\\-{} (1){}\n", Roff(name), name == pages.back() ? "" : ",");
  return page;
}

std::string CompletionWords(const CLI::App& app) {
  std::string words;
  std::string loose;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      loose += (loose.empty() ? "" : " ") + option->get_name();
      continue;
    }
    for (const std::string& name : option->get_lnames()) {
      words += fmt::format("--{}\t{}\t{}\n", name, ValuesOf(*option),
                           FirstSentence(option->get_description()));
    }
  }
  return words + fmt::format("-\t{}\t\n", loose);
}

}  // namespace heapgauge::cli
