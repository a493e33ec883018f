// What the C library keeps of a thread that is over until somebody joins it: the thread's result.
//
// Where it lies is no interface, but the library tells debuggers where the fields around it are, in
// symbols that its libthread_db reads (_thread_db_pthread_*).  The order is an old one: whom the thread
// waits for, the result, priority and policy, the start routine, its argument.  Where the symbols say
// something else, no result is taken for one.
#ifndef HEAPGAUGE_GRAPH_THREAD_RECORD_H_
#define HEAPGAUGE_GRAPH_THREAD_RECORD_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge {

// Asks the loader, and takes its lock: before threads rest.  Until then no result is known.
void LearnThreadRecord() noexcept;

// Of a record that begins with `bytes` and lies at `record`, of a thread that is over: what it
// returned.  0: nothing, nobody will ask (it is joined, or detached), or it is not known where.
uintptr_t ResultIn(const char* bytes, size_t count, uintptr_t record) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_THREAD_RECORD_H_
