// The variables in which the search ended: of a word in a module's data and of one on a stack, what
// debug information says of it, down to the member that it lies in.
//
// On a stack the frame has to be found first.  The nearest return address below the word is that of
// the call which its frame has made; dead ones lie about as well, so the helper gets several, and
// takes those whose frame reaches over the word and ends in another return address.
//
// x86-64 alone.  Report thread only.
#ifndef HEAPGAUGE_REPORTER_HOLDER_PLACES_H_
#define HEAPGAUGE_REPORTER_HOLDER_PLACES_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "graph/holder_search.h"
#include "reporter/site_identity.h"
#include "symbolize/variable_names.h"

namespace heapgauge {

class HolderPlaces final {
 public:
  // Both stay the caller's and outlive this.
  HolderPlaces(const SiteIdentity& identity, VariableNames& variables)
      : identity_(identity), variables_(variables) {}

  // By the address of the word; words of which nothing is known are left out.
  using Names = std::unordered_map<uintptr_t, VariablePlace>;
  Names NameAll(const std::vector<HolderSearch::Holder>& holders, HolderSearch& search) const;

 private:
  struct Questions {
    std::vector<uintptr_t> words;
    std::vector<ModuleAddress> modules;
    std::vector<PlaceQuestion> places;
  };

  void AskGlobal(uintptr_t word, Questions* questions) const;
  void AskStack(uintptr_t word, HolderSearch& search, Questions* questions) const;
  bool IsReturnAddress(uintptr_t address, HolderSearch& search) const;

  const SiteIdentity& identity_;
  VariableNames& variables_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_HOLDER_PLACES_H_
