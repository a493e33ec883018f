// What a seccomp filter answers a system call: the kernel's classic BPF, run by us.
//
// Pure arithmetic on a program of the host's that has not been checked by the kernel yet, so every
// instruction is looked at before it is carried out.  Jumps lead forwards alone and a program has
// at most 4096 instructions, so it ends.
#ifndef HEAPGAUGE_TRACK_FILTER_PROGRAM_H_
#define HEAPGAUGE_TRACK_FILTER_PROGRAM_H_

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

namespace heapgauge {

enum class CallVerdict : uint8_t {
  kAllowed,
  kRefused,  // an error in place of the call
  kDeadly,   // kills, or asks a handler, a tracer or another process that does not know us
};

// kDeadly, too, where the program is not one that the kernel takes.
CallVerdict RunFilter(const sock_filter* program, size_t size, const seccomp_data& call) noexcept;

}  // namespace heapgauge

#endif  // HEAPGAUGE_TRACK_FILTER_PROGRAM_H_
