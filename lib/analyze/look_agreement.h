// How many looks at memory does it take to call an object lost?
//
// A look takes a while, and what moves from a place that is still to be read to one that was read
// already is missed (graph/holder_search.h, H2).  Two looks are enough where they agree on all objects
// of a call site and things stay where they are.  Else it takes kStableLooks in a row that agree, and
// so many that all of them missed a held object by chance is unlikely, too:
//
//   objects that one look missed and another one found    what this look misses of those that are held
//   N held objects, looks that miss p1, p2 ... of them    N * p1 * p2 ... are missed by all, by chance
//
// That number alone would not do: it is the same objects that looks miss again and again, those whose
// two places are read farthest apart (measured: 52 missed objects of 836, then 69 that held all 52).
// Where kMostLooks are not enough nothing is called lost.
#ifndef HEAPGAUGE_ANALYZE_LOOK_AGREEMENT_H_
#define HEAPGAUGE_ANALYZE_LOOK_AGREEMENT_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace heapgauge {

class LookAgreement final {
 public:
  static constexpr int kMostLooks = 8;
  static constexpr int kLeastLooks = 2;
  static constexpr int kStableLooks = 3;
  static constexpr double kMostByChance = 0.01;  // objects of a row
  static constexpr double kMovingShare = 0.125;  // of a row: so many of its objects change places

  // Forgets all, and awaits so many objects.
  void Begin(size_t objects);
  // Of the look at hand.  `place`: any number that is the same as long as the same words hold it.
  // `fleeting`: by a word on a stack, which may be an old one that is gone by the next look.
  void Missed(size_t object, uint64_t row) noexcept;
  void Found(size_t object, uint64_t row, uint64_t place, bool fleeting = false) noexcept;
  // It was freed meanwhile, and counts no more.
  void Gone(size_t object) noexcept { objects_[object].gone = true; }
  // After all objects.  True: it takes one look more.
  bool EndLook();
  int looks() const noexcept { return looks_; }

  // After the last look.
  bool IsLost(size_t object) const noexcept { return objects_[object].lost; }

 private:
  struct Object {
    uint64_t row = 0;
    uint64_t place = 0;
    uint8_t missed = 0;  // a bit a look
    bool placed = false;
    bool fleeting = false;
    bool moved = false;
    bool gone = false;
    bool lost = false;
  };

  // Of a row.
  struct History {
    int stable = 0;  // looks in a row that have missed the same objects
    bool differed = false;
    bool enough = false;  // to call what all have missed lost
  };

  std::vector<Object> objects_;
  std::unordered_map<uint64_t, History> rows_;
  int looks_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_LOOK_AGREEMENT_H_
