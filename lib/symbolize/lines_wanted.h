// Is it worth the helper's start to ask for a module's lines?
#ifndef HEAPGAUGE_SYMBOLIZE_LINES_WANTED_H_
#define HEAPGAUGE_SYMBOLIZE_LINES_WANTED_H_

#include <string>

namespace heapgauge::symbolize {

// False for a module of which symbol tables tell all that there is: one without debug information,
// and the C library and its loader.  Where those have some installed it is compressed, and to
// inflate it is nine tenths of what a report of a small program costs (205 of 240 million
// instructions here), for the lines of __libc_start_call_main and strdup.
//
// `has_servers`: debug files may come from elsewhere.  Opens the module's files; never fails.
bool LinesWanted(const std::string& path, const std::string& build_id,
                 const std::string& debug_root, bool has_servers = false);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_LINES_WANTED_H_
