// Which call site each stack belongs to: the line that asked for the memory, and where that code
// has no name, the line of the program that led there.
//
// A call site is known by what stays the same in every run of the same binaries: function, file and
// line where debug information has them (so that all instantiations of a template and all inlined
// copies are one), else module and offset.  Decided when a stack is first seen and kept, for its
// module may be gone later; only a wrapper that is found out moves call sites outwards.
//
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_CALLSITE_MAP_H_
#define HEAPGAUGE_REPORTER_CALLSITE_MAP_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/site_identity.h"
#include "reporter/wrapper_finder.h"
#include "symbolize/symbolizer.h"
#include "track/tracker.h"

namespace heapgauge {

class CallsiteMap final {
 public:
  struct Callsite {
    uint64_t id = 0;  // never 0
    Frame frame;
  };

  // `wrappers`: HEAPGAUGE_WRAPPERS.  The others stay the caller's and outlive this.
  CallsiteMap(const Tracker& tracker, const SiteIdentity& identity, Symbolizer& symbolizer,
              std::string_view wrappers);

  // Takes in the stacks that are new since the last call, those that hold most first.  True when a
  // wrapper was found out: call sites of stacks known before may have changed.
  bool Learn();

  // Stacks below this index have been seen by Learn().
  uint32_t known() const { return known_; }

  // Of a stack by its index; one that Learn() has not seen has id 0 and no frame.  The line of the
  // program is the call site itself where that has a name.
  const Callsite& Of(uint32_t site) const;
  const Callsite& ProgramLineOf(uint32_t site) const;
  // The wrapper of the program's own that the call site asked; nullptr: none.
  const Callsite* WrapperOf(uint32_t site) const;
  // The same for all calls of one function by one other whose lines are not known; 0: the line is.
  uint64_t AlikeOf(uint32_t site) const;

  // The frame of a named stack that its call site is.
  uint32_t IndexIn(const std::vector<Frame>& frames) const;

  size_t memory_bytes() const;

 private:
  using PlaceId = uint32_t;
  static constexpr size_t kChain = 10;  // places kept of a stack, to move outwards along
  static constexpr size_t kLines = 4;

  struct Chain {
    std::array<PlaceId, kChain> places{};  // from the first that is no wrapper by its name
    std::array<PlaceId, kLines> lines{};   // the first of these, and of those beyond, that are told
    uint8_t size = 0;
    uint8_t line_count = 0;
    uint8_t at = 0;  // of the call site before it was found to be nameless
    PlaceId callsite = 0;
    PlaceId program_line = 0;
  };
  struct Place {
    Callsite callsite;
    uint32_t function = 0;  // of wrappers_
    bool wrapper = false;   // by its name, file or module
    bool told = false;      // has a line, or lies in the program
  };
  struct Named;

  void Name(const std::vector<uint32_t>& sites, const std::vector<size_t>& ends, Named* named);
  bool MakeChain(const StoredSite& site, size_t end, const Named& named, Chain* chain);
  PlaceId Intern(const Frame& frame, std::string_view content = {});
  bool InProgram(const Frame& frame) const;
  void PlaceCallsite(Chain& chain) const;
  bool FindWrappers();

  const Tracker& tracker_;
  const SiteIdentity& identity_;
  Symbolizer& symbolizer_;
  std::vector<Chain> chains_;  // by site index; size 0: not seen
  uint32_t known_ = 0;         // stacks below this index are in chains_
  uint32_t searched_ = 0;      // how many there were when wrappers were looked for
  uint64_t searched_samples_ = 0;
  std::vector<Place> places_;
  std::unordered_map<uint64_t, PlaceId> place_of_;  // by call site id
  WrapperFinder wrappers_;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_CALLSITE_MAP_H_
