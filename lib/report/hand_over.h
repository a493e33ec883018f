// A report directory and the user that its process becomes.
//
// A program that begins as root and gives that up could not write into its own directory any more,
// for that belongs to root.  So it is given to the new user right before, with the files that
// reports are made of.
//
// Only ever what belongs to the user that gives, and is plainly a report directory and nothing else
// (somebody may have named /root): nobody else may write to it, and it holds our files alone, one
// of them those that say whose it is.  Of the files, regular ones with one name.
#ifndef HEAPGAUGE_REPORT_HAND_OVER_H_
#define HEAPGAUGE_REPORT_HAND_OVER_H_

#include <sys/types.h>

namespace heapgauge {

// False when `directory`, just opened and `from`'s, did not become `to`'s.  No allocation; any
// thread.
bool HandOverDirectory(int directory, uid_t from, uid_t to) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORT_HAND_OVER_H_
