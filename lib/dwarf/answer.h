// One request of the library, answered.
#ifndef HEAPGAUGE_DWARF_ANSWER_H_
#define HEAPGAUGE_DWARF_ANSWER_H_

namespace heapgauge::dwarf {

// Answers the one request on `in_fd` on `out_fd` (symbolize/helper_protocol.h) and returns an exit
// status.  Bounds its own memory and processor time and lowers its priority first, so it is for a
// process of its own.  Says nothing on standard error.
int AnswerRequest(int in_fd, int out_fd);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_ANSWER_H_
