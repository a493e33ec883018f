#include "page/page.h"

#include <fmt/core.h>

#include <map>
#include <string_view>

#include "base/basename.h"
#include "page/page_files.h"
#include "page/page_json.h"
#include "page/random_token.h"
#include "report/printable.h"

namespace heapgauge {
namespace {

std::string HtmlEscaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '&':
        html += "&amp;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

// The template with each {{name}} replaced.
std::string Filled(std::string_view page, const std::map<std::string_view, std::string_view>& by) {
  std::string html;
  for (size_t at = 0;;) {
    const size_t open = page.find("{{", at);
    const size_t close = page.find("}}", open);
    if (open == std::string_view::npos || close == std::string_view::npos)
      return html.append(page.substr(at));
    html.append(page.substr(at, open - at));
    if (const auto found = by.find(page.substr(open + 2, close - open - 2)); found != by.end())
      html.append(found->second);
    at = close + 2;
  }
}

constexpr char kLinks[] =
    " <a href=\"report\">report.txt</a> <a href=\"report.json\">report.json</a> "
    "<a href=\"history.json\">history.json</a> <a href=\"debug/pprof/\">profiles</a> "
    "<a href=\"metrics\">metrics</a>";

}  // namespace

Page MakePage(const Report& report, const History& history, bool live) {
  const std::string nonce = RandomToken();
  Page page;
  page.policy = fmt::format(
      "default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; connect-src {1}; "
      "base-uri 'none'; form-action 'none'",
      nonce, live ? "'self'" : "'none'");
  const std::string data = PageJson(report, history, live);
  const std::string title =
      HtmlEscaped(fmt::format("{} - heapgauge", Printable(Basename(report.exe))));
  page.html = Filled(PageTemplate(), {{"policy", page.policy},
                                      {"nonce", nonce},
                                      {"title", title},
                                      {"style", PageStyle()},
                                      {"d3", D3()},
                                      {"script", PageScript()},
                                      {"links", live ? kLinks : ""},
                                      {"data", data}});
  return page;
}

}  // namespace heapgauge
