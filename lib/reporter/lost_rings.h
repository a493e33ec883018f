// Rings: blocks that lead to each other, which is why nobody frees them.
//
// Proposed by pointers: the strongly connected parts of what nothing reaches.  Proven by what the
// control blocks of std::shared_ptr in a ring say of their owners: when the pointers to each that lie
// in the ring account for all of them, nobody else is one.
//
// Of what is held, rings are those that are proven, alone: lists and trees with pointers back lead
// to themselves, too.  Such a ring is reached by a plain pointer, which owns nothing.
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
    double bytes = 0;           // that it stands for
    std::vector<uint64_t> way;  // of one that is held: the last blocks before it, turned
  };
  // Of held objects, those that have a ring on their way.  Where no control block is on any, nothing
  // is read.
  LostRings(HolderSearch& search, BlockTypes& types, const std::vector<Object>& held);

  // Rings of the same members are one; the most bytes first, at most 5.
  std::vector<Ring> Of(const std::vector<Object>& objects) const;

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  void FindRings(BlockTypes& types);
  void FindParts();
  void AddRing(const std::vector<uint32_t>& members, BlockTypes& types);
  bool IsAccountedFor(uint32_t block, const std::vector<uint32_t>& members);

  HolderSearch& search_;
  const bool held_;
  std::vector<uint64_t> blocks_;              // turned
  std::vector<std::vector<uint32_t>> to_;     // pointers between them
  std::vector<std::vector<uint32_t>> parts_;  // of two blocks and more
  std::vector<Ring> rings_;
  std::unordered_map<uint64_t, uint32_t> ring_of_;  // turned address -> place in rings_
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_LOST_RINGS_H_
