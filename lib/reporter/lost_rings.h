// Rings among what is lost: blocks that lead to each other, which is why nobody freed them.
//
// Proposed by pointers: the strongly connected parts of what nothing reaches.  Proven by what the
// control blocks of std::shared_ptr in a ring say of their owners: when the pointers to each that lie
// in the ring account for all of them, nobody else is one.
//
// Addresses are kept with all bits turned (HolderWatch W2).  Report thread only.
#ifndef HEAPGAUGE_REPORTER_LOST_RINGS_H_
#define HEAPGAUGE_REPORTER_LOST_RINGS_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "graph/holder_search.h"
#include "report/report.h"
#include "reporter/block_types.h"

namespace heapgauge {

class LostRings final {
 public:
  // Of the search's lost blocks, as far as they are few enough.
  LostRings(HolderSearch& search, BlockTypes& types);

  // Of lost objects, those that are in a ring or hang on one.
  struct Object {
    uint64_t turned = 0;
    double bytes = 0;  // that it stands for
  };
  // Rings of the same members are one; the most bytes first, at most 5.
  std::vector<Ring> Of(const std::vector<Object>& objects) const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  void FindParts();
  void AddRing(const std::vector<uint32_t>& members, BlockTypes& types);
  bool IsAccountedFor(uint32_t block, const std::vector<uint32_t>& members);

  HolderSearch& search_;
  std::vector<uint64_t> blocks_;              // turned
  std::vector<std::vector<uint32_t>> to_;     // pointers between them
  std::vector<std::vector<uint32_t>> parts_;  // of two blocks and more
  std::vector<Ring> rings_;
  std::unordered_map<uint64_t, uint32_t> ring_of_;  // turned address -> place in rings_
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LOST_RINGS_H_
