// Names and lines that a program could not find for its own report: it had entered another root
// directory, from which its files are not to be seen.
#ifndef HEAPGAUGE_CLI_FILL_NAMES_H_
#define HEAPGAUGE_CLI_FILL_NAMES_H_

#include <string>

#include "report/report.h"

namespace heapgauge::cli {

// Has `report` frames of its program, and not one with a name?
bool LacksNames(const Report& report);

// Looks up what has no name in modules that are the same as at that time, by their build-ids, and
// that nobody but root and the calling user can have written.  False when nothing was found.
bool FillNames(Report* report);

// The newest report in `directory`, if it lacks names: its text and its line are written anew.
void FillNamesIn(const std::string& directory);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_FILL_NAMES_H_
