// What a reader must know of the modules' files: that names or lines are missing, and why.
#ifndef HEAPGAUGE_SYMBOLIZE_FILE_NOTES_H_
#define HEAPGAUGE_SYMBOLIZE_FILE_NOTES_H_

#include <string>

#include "symbolize/symbolizer.h"

namespace heapgauge::symbolize {

// A sentence on a module whose path leads to another file than the one that it was loaded from;
// "" where it leads there, and where that is not to be found out.
std::string ReplacedNote(const ModuleAddress& module, const std::string& debug_root, bool lines);

}  // namespace heapgauge::symbolize

#endif  // HEAPGAUGE_SYMBOLIZE_FILE_NOTES_H_
