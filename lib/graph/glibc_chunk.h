// A chunk of glibc's malloc: two words before the program's bytes, its size and flags in the second.
#ifndef HEAPGAUGE_GRAPH_GLIBC_CHUNK_H_
#define HEAPGAUGE_GRAPH_GLIBC_CHUNK_H_

#include <cstdint>

namespace heapgauge {

struct GlibcChunk {
  static constexpr uintptr_t kHeader = 16;
  static constexpr uint64_t kAlign = 16;
  static constexpr uint64_t kLeast = 32;
  // In the word of the size.
  static constexpr uint64_t kBeforeInUse = 1;
  static constexpr uint64_t kMapped = 2;
  static constexpr uint64_t kFlags = 7;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_GRAPH_GLIBC_CHUNK_H_
