// `heapgauge report --open`: a report in a viewer that runs in the browser.
#ifndef HEAPGAUGE_CLI_OPEN_VIEWER_H_
#define HEAPGAUGE_CLI_OPEN_VIEWER_H_

#include <string>
#include <string_view>
#include <vector>

namespace heapgauge::cli {

// "browser", "speedscope", "firefox", "perfetto".
const std::vector<std::string>& Viewers();

// The format that a viewer reads.
std::string_view FormatOf(std::string_view viewer);

// Has the browser ($BROWSER, else xdg-open) open an address.  False where there is none, or no
// display.
bool OpenInBrowser(const std::string& url);

// Serves `content` once on loopback and has the browser open the viewer on it (where it
// can't, the address is printed to be opened by hand).  Returns when it was fetched; "" or what went wrong.
std::string OpenInViewer(std::string_view viewer, const std::string& content);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_OPEN_VIEWER_H_
