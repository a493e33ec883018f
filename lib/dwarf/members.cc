#include "dwarf/members.h"

#include <dwarf.h>

#include <algorithm>
#include <string_view>

#include "dwarf/library_types.h"

namespace heapgauge::dwarf {
namespace {

constexpr int kMostNested = 48;  // of members in members
constexpr uint64_t kPointer = 8;

bool IsRecord(int tag) {
  return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

// Of the types that may have the program's own inside.
bool IsPublicMember(std::string_view name) { return name == "first" || name == "second"; }

// The member or base that has the pointer at `offset`; false: none, or which one of a union's is not
// known.
bool MemberAt(Dwarf_Die* record, uint64_t offset, Dwarf_Die* member, uint64_t* begin) {
  Dwarf_Die child;
  if (dwarf_child(record, &child) != 0) return false;
  const bool is_union = dwarf_tag(record) == DW_TAG_union_type;
  int found = 0;
  bool sized = false;
  do {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_member && tag != DW_TAG_inheritance) continue;
    Dwarf_Attribute attribute;
    Dwarf_Word at = 0;
    if (dwarf_attr(&child, DW_AT_data_member_location, &attribute) == nullptr) {
      if (!is_union) continue;  // a static one
    } else if (dwarf_formudata(&attribute, &at) != 0) {
      continue;
    }
    Dwarf_Die type;
    uint64_t bytes = 0;
    if (at > offset || !PeeledType(&child, &type)) continue;
    if (SizeOf(&type, &bytes)) {
      if (offset - at + kPointer > bytes) continue;  // an empty one, too
      sized = true;
      ++found;
    } else if (sized || !IsRecord(dwarf_tag(&type)) || (found > 0 && at < *begin)) {
      continue;  // else of a class that is only declared here: the last one before
    }
    *member = child;
    *begin = at;
    found = std::max(found, 1);
    if (sized && !is_union) return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return found == 1;
}

}  // namespace

bool SizeOf(Dwarf_Die* type, uint64_t* size) {
  Dwarf_Word bytes = 0;
  if (dwarf_aggregate_size(type, &bytes) != 0) return false;
  *size = bytes;
  return true;
}

VariablePlace Inside(Dwarf_Die type, uint64_t offset, std::string variable) {
  VariablePlace place;
  std::string within;   // the class whose member it is
  std::string leaf;     // the library's type in it
  std::string wrapper;  // around it
  bool in_library = false;
  for (int depth = 0; depth < kMostNested; ++depth) {
    const int tag = dwarf_tag(&type);
    if (tag == DW_TAG_array_type) {
      Dwarf_Die element;
      uint64_t bytes = 0;
      if (!PeeledType(&type, &element) || !SizeOf(&element, &bytes) || bytes == 0) break;
      variable += "[]";
      offset %= bytes;
      type = element;
      continue;
    }
    if (!IsRecord(tag)) break;
    const char* const name = dwarf_diename(&type);
    LibraryType library = LibraryTypeOf(&type);
    if (name == nullptr && in_library) library.kind = LibraryType::Kind::kAround;
    if (library.kind == LibraryType::Kind::kWhole) {
      leaf = library.name;
      break;
    }
    in_library = library.kind == LibraryType::Kind::kAround;
    if (!library.name.empty()) wrapper = library.name;
    if (!in_library) wrapper.clear();
    Dwarf_Die member;
    uint64_t begin = 0;
    if (in_library && StoredType(&type, &member)) {
      type = member;
      continue;
    }
    if (!MemberAt(&type, offset, &member, &begin)) break;
    if (!in_library && name != nullptr) within = name;
    const char* const member_name = dwarf_diename(&member);
    if (dwarf_tag(&member) == DW_TAG_member && member_name != nullptr &&
        (!in_library || IsPublicMember(member_name))) {
      variable += std::string(".") + member_name;
    }
    offset -= begin;
    if (!PeeledType(&member, &type)) break;
  }
  if (leaf.empty()) leaf = wrapper;
  place.variable = std::move(variable);
  if (leaf.empty() && within.empty()) return place;
  if (leaf.empty()) leaf = place.variable.substr(place.variable.rfind('.') + 1);
  place.type = leaf + (within.empty() ? "" : " in " + within);
  return place;
}

VariablePlace NamedPlace(Dwarf_Die type, uint64_t offset, const std::string& name) {
  const bool is_this = name == "this";
  if (!IsReservedName(name) && !is_this) return Inside(type, offset, name);
  const int tag = dwarf_tag(&type);
  const bool points = tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type ||
                      tag == DW_TAG_pointer_type;
  Dwarf_Die to = type;
  if (points && !PeeledType(&type, &to)) return {};
  LibraryType library = IsRecord(dwarf_tag(&to)) ? LibraryTypeOf(&to) : LibraryType();
  if (is_this && library.name.empty()) return Inside(type, offset, name);
  const bool is_loop = name.starts_with("__for_") || name.starts_with("__range") ||
                       name.starts_with("__begin") || name.starts_with("__end");
  if (library.name.empty()) return {is_loop ? "a loop" : "", ""};
  if (!is_loop) return {library.name, ""};
  constexpr std::string_view kIterator = "::iterator";
  if (library.name.ends_with(kIterator))
    library.name.resize(library.name.size() - kIterator.size());
  return {"a loop over " + library.name, library.name};
}

}  // namespace heapgauge::dwarf
