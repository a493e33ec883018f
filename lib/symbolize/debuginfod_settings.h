// What the environment says of servers for debug files, as elfutils' client reads it.
#ifndef HEAPGAUGE_SYMBOLIZE_DEBUGINFOD_SETTINGS_H_
#define HEAPGAUGE_SYMBOLIZE_DEBUGINFOD_SETTINGS_H_

#include <string>
#include <string_view>
#include <vector>

namespace heapgauge::symbolize {

// "NAME=value": is the name one of those that the client reads?
bool IsDebuginfodSetting(std::string_view setting);

// Those that this process was started with; empty unless DEBUGINFOD_URLS names a server.  Read from
// /proc, for the host may be changing its environment at this moment.
std::vector<std::string> DebuginfodSettings();

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_DEBUGINFOD_SETTINGS_H_
