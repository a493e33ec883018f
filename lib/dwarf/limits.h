// What the helper allows itself: it runs beside a production process, in its control group.
#ifndef HEAPGAUGE_DWARF_LIMITS_H_
#define HEAPGAUGE_DWARF_LIMITS_H_

#include <cstdint>

namespace heapgauge::dwarf {

// Beyond mapped files, which the kernel can drop at will: libdw's tables, decompressed sections,
// our frames.  Debug information of 1 GB takes some 300 MB of them; one damaged file can ask for
// anything.
inline constexpr uint64_t kMaxMemoryBytes = uint64_t{1024} * 1024 * 1024;
// With less than this left it is not the moment to read debug information.
inline constexpr uint64_t kMinMemoryBytes = uint64_t{16} * 1024 * 1024;
// Processor time; the asker's own time limit is shorter, this one holds if it is gone.
inline constexpr uint64_t kMaxCpuSeconds = 30;

// Lowest priority, first choice of the kernel when memory runs out, no core dump, bounded time.
void LimitProcess();

// The most private memory to use: kMaxMemoryBytes, or half of what the machine and each control
// group above us have left.  A group's limit may be set to end the host with us (memory.oom.group).
uint64_t MemoryBudget();

// Allows this process its present size, the budget and mappings of so many bytes of files.
void LimitMemory(uint64_t budget_bytes, uint64_t file_bytes);

}  // namespace heapgauge::dwarf

#endif  // HEAPGAUGE_DWARF_LIMITS_H_
