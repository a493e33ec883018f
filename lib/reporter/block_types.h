// What a block is, by what lies in it: a C++ object whose class has virtual functions begins with the
// address of its vtable; the word before that leads to the class's type information, and its second
// word to the class's name.  Stripped programs have the names, too.
//
// All reading is by the search's reader: no word is followed that is not of a module's data.
// Report thread only.
#ifndef HEAPGAUGE_REPORTER_BLOCK_TYPES_H_
#define HEAPGAUGE_REPORTER_BLOCK_TYPES_H_

#include <cstdint>
#include <string>
#include <unordered_map>

#include "graph/holder_search.h"
#include "reporter/site_identity.h"

namespace heapgauge {

class BlockTypes final {
 public:
  // Both stay the caller's and outlive this.
  BlockTypes(const SiteIdentity& identity, HolderSearch& search)
      : identity_(identity), search_(search) {}

  // "checkout::Session"; "std::shared_ptr<checkout::Session>" of the control block that counts its
  // owners; "" where nothing tells.
  const std::string& Of(uintptr_t block);
  // Whether it is such a control block.
  bool IsControlBlock(uintptr_t block) { return Of(block).starts_with(kSharedPointer); }

  static constexpr char kSharedPointer[] = "std::shared_ptr<";

 private:
  std::string NameAt(uintptr_t vtable);
  bool IsModuleData(uintptr_t address) const;

  const SiteIdentity& identity_;
  HolderSearch& search_;
  std::unordered_map<uintptr_t, std::string> by_vtable_;
};

// Of a control block of libstdc++'s, what people call it; else the name as it is.
std::string ReadableType(const std::string& name);

}  // namespace heapgauge

#endif  // HEAPGAUGE_REPORTER_BLOCK_TYPES_H_
