#include "dwarf/scopes.h"

#include <dwarf.h>

#include <algorithm>
#include <functional>
#include <map>

namespace heapgauge::dwarf {
namespace {

using Pending = std::vector<DwarfQuery*>;

// Deeper nesting than any compiler emits; a damaged tree must not exhaust the stack.
constexpr int kMostScopes = 256;

// Calls visit(begin, end) for each range of code the entry covers; false if it has none.
template <typename Visit>
bool ForEachRange(Dwarf_Die* die, Visit visit) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  bool any = false;
  for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &begin, &end)) > 0;) {
    any = true;
    // Address 0 is what the linker leaves of a function it threw away.
    if (begin != 0 && begin < end) visit(begin, end);
  }
  return any;
}

Pending Matching(Dwarf_Die* die, const Pending& pending, bool& has_ranges) {
  Pending matched;
  has_ranges = ForEachRange(die, [&](Dwarf_Addr begin, Dwarf_Addr end) {
    for (DwarfQuery* query : pending) {
      if (begin <= query->address && query->address < end) matched.push_back(query);
    }
  });
  return matched;
}

bool HoldsFunctions(int tag) { return tag == DW_TAG_namespace || tag == DW_TAG_module; }

// Where a function with code is found in rare cases only: local classes, nested functions.
bool MayHoldFunctions(int tag) {
  switch (tag) {
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
      return true;
    default:
      return false;
  }
}

bool IsScope(int tag) {
  switch (tag) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
    case DW_TAG_entry_point:
      return true;
    default:
      return false;
  }
}

class TreeWalk final {
 public:
  // `thorough`: also look where functions seldom are; several times the work in C++.
  explicit TreeWalk(bool thorough) : thorough_(thorough) {}

  void Visit(Dwarf_Die* parent, Pending pending, int depth) {
    if (depth > kMostScopes) return;
    Dwarf_Die die;
    if (dwarf_child(parent, &die) != 0) return;
    do {
      const int tag = dwarf_tag(&die);
      if (IsScope(tag)) {
        VisitScope(&die, tag, pending, depth);
      } else if (HoldsFunctions(tag) || (thorough_ && MayHoldFunctions(tag))) {
        Visit(&die, pending, depth + 1);
      } else {
        continue;
      }
      // Only at the top, where a match is final: an inner scope may be repeated deeper down.
      if (depth == 0)
        std::erase_if(pending, [](const DwarfQuery* q) { return !q->scopes.empty(); });
    } while (!pending.empty() && dwarf_siblingof(&die, &die) == 0);
  }

 private:
  void VisitScope(Dwarf_Die* die, int tag, const Pending& pending, int depth) {
    bool has_ranges = false;
    const Pending matched = Matching(die, pending, has_ranges);
    if (matched.empty()) {
      if (thorough_ && MayHoldFunctions(tag)) Visit(die, pending, depth + 1);
      return;
    }
    for (DwarfQuery* query : matched) {
      if (tag == DW_TAG_subprogram)
        query->scopes.clear();  // nested function: the outer is no caller
      if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
        query->scopes.push_back(*die);
    }
    Visit(die, matched, depth + 1);
  }

  const bool thorough_;
};

// By .debug_aranges where there is one, else by the ranges of the units themselves.
void FindUnits(Dwarf* dwarf, std::span<DwarfQuery> queries) {
  Pending pending;
  for (DwarfQuery& query : queries) {
    Dwarf_Die unit;
    if (dwarf_addrdie(dwarf, query.address, &unit) != nullptr) {
      query.unit = unit;
    } else {
      pending.push_back(&query);
    }
  }
  Dwarf_CU* cu = nullptr;
  Dwarf_Half version = 0;
  uint8_t type = 0;
  Dwarf_Die unit;
  while (!pending.empty() &&
         dwarf_get_units(dwarf, cu, &cu, &version, &type, &unit, nullptr) == 0) {
    if (type != DW_UT_compile && type != DW_UT_skeleton) continue;
    bool has_ranges = false;
    for (DwarfQuery* query : Matching(&unit, pending, has_ranges)) query->unit = unit;
    std::erase_if(pending, [](const DwarfQuery* query) { return query->unit.has_value(); });
  }
}

std::string SplitFileOf(Dwarf_Die unit) {
  Dwarf_Attribute attribute;
  for (const unsigned name : {DW_AT_dwo_name, DW_AT_GNU_dwo_name}) {
    if (dwarf_attr(&unit, name, &attribute) == nullptr) continue;
    const char* const text = dwarf_formstring(&attribute);
    if (text != nullptr) return text;
  }
  return "a .dwo file";
}

// The tree of a unit: with split DWARF that of the .dwo file, if it can be found, or its name in
// `missing`.
Dwarf_Die TreeOf(const Dwarf_Die& unit, std::string& missing) {
  Dwarf_Half version = 0;
  uint8_t type = 0;
  Dwarf_Die split = {};
  if (dwarf_cu_info(unit.cu, &version, &type, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
      type == DW_UT_skeleton) {
    if (split.cu != nullptr) return split;
    missing = SplitFileOf(unit);
  }
  return unit;
}

}  // namespace

std::string FindScopes(Dwarf* dwarf, std::span<DwarfQuery> queries) {
  FindUnits(dwarf, queries);
  std::map<const void*, Pending, std::less<>> by_unit;
  for (DwarfQuery& query : queries) {
    if (query.unit) by_unit[query.unit->addr].push_back(&query);
  }
  std::string missing;
  for (auto& [address, pending] : by_unit) {
    Dwarf_Die tree = TreeOf(*pending.front()->unit, missing);
    for (const bool thorough : {false, true}) {
      TreeWalk(thorough).Visit(&tree, pending, 0);
      std::erase_if(pending, [](const DwarfQuery* query) { return !query->scopes.empty(); });
      if (pending.empty()) break;
    }
  }
  return missing;
}

}  // namespace heapgauge::dwarf
