#include "dwarf/variables.h"

#include <dwarf.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "dwarf/library_types.h"
#include "dwarf/members.h"
#include "dwarf/scopes.h"

namespace heapgauge::dwarf {
namespace {

constexpr int kMaxDepth = 32;  // of blocks in blocks
// DWARF's numbers on x86-64.
constexpr uint64_t kFramePointer = 6;
constexpr uint64_t kStackPointer = 7;

std::optional<Dwarf_Op> SingleOperation(Dwarf_Die* die, unsigned attribute_name, uint64_t pc) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(die, attribute_name, &attribute) == nullptr) return std::nullopt;
  Dwarf_Op* operations = nullptr;
  size_t count = 0;
  if (dwarf_getlocation_addr(&attribute, pc, &operations, &count, 1) != 1) {
    if (dwarf_getlocation(&attribute, &operations, &count) != 0) return std::nullopt;
  }
  if (count != 1) return std::nullopt;
  return operations[0];
}

std::optional<uint64_t> AddressOf(Dwarf_Attribute* location, const Dwarf_Op& op) {
  if (op.atom == DW_OP_addr) return op.number;
  // clang has them in a table of their own.
  if (op.atom != DW_OP_addrx && op.atom != DW_OP_GNU_addr_index) return std::nullopt;
  Dwarf_Attribute entry;
  Dwarf_Addr address = 0;
  if (dwarf_getlocation_attr(location, &op, &entry) != 0 || dwarf_formaddr(&entry, &address) != 0)
    return std::nullopt;
  return address;
}

// A register and what is added to it, as an operation of DWARF tells it.
struct RegisterPlus {
  uint64_t number = 0;
  int64_t add = 0;
};
std::optional<RegisterPlus> RegisterOf(const Dwarf_Op& op) {
  if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31)
    return RegisterPlus{uint64_t{op.atom} - DW_OP_breg0, static_cast<int64_t>(op.number)};
  if (op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31)
    return RegisterPlus{uint64_t{op.atom} - DW_OP_reg0, 0};
  if (op.atom == DW_OP_bregx) return RegisterPlus{op.number, static_cast<int64_t>(op.number2)};
  return std::nullopt;
}

std::optional<RegisterPlus> FrameEnd(const FrameTables& tables, uint64_t pc) {
  for (const auto& [table, bias] :
       {std::pair(tables.eh, tables.eh_bias), std::pair(tables.debug, tables.debug_bias)}) {
    Dwarf_Frame* frame = nullptr;
    if (table == nullptr || dwarf_cfi_addrframe(table, pc + bias, &frame) != 0) continue;
    Dwarf_Op* operations = nullptr;
    size_t count = 0;
    std::optional<RegisterPlus> end;
    if (dwarf_frame_cfa(frame, &operations, &count) == 0 && count == 1)
      end = RegisterOf(operations[0]);
    std::free(frame);
    if (end) return end;
  }
  return std::nullopt;
}

class FrameVariables final {
 public:
  // `to_end`: bytes from the place up to the end of the frame (the canonical frame address).
  // `frame_bytes`: from the stack pointer up to there; 0: not known.
  FrameVariables(Dwarf_Die function, uint64_t pc, uint64_t to_end, uint64_t frame_bytes)
      : function_(function), pc_(pc), to_end_(to_end), frame_bytes_(frame_bytes) {}

  std::optional<VariablePlace> Find() {
    const std::optional<Dwarf_Op> base = SingleOperation(&function_, DW_AT_frame_base, pc_);
    if (!base) return std::nullopt;
    // Where the base is, counted from the end of the frame.
    if (base->atom == DW_OP_call_frame_cfa) {
      base_ = 0;
    } else if (const auto at = RegisterOf(*base); at && at->number == kFramePointer) {
      base_ = at->add - 16;
    } else if (at && at->number == kStackPointer && frame_bytes_ != 0) {
      base_ = at->add - static_cast<int64_t>(frame_bytes_);
    } else {
      return std::nullopt;
    }
    return In(&function_, 0);
  }

 private:
  std::optional<VariablePlace> In(Dwarf_Die* scope, int depth) {
    Dwarf_Die die;
    if (depth > kMaxDepth || dwarf_child(scope, &die) != 0) return std::nullopt;
    do {
      std::optional<VariablePlace> found;
      switch (dwarf_tag(&die)) {
        case DW_TAG_variable:
        case DW_TAG_formal_parameter:
          found = Try(&die);
          break;
        case DW_TAG_lexical_block:
        case DW_TAG_inlined_subroutine:
          found = In(&die, depth + 1);
          break;
        default:
          break;
      }
      if (found) return found;
    } while (dwarf_siblingof(&die, &die) == 0);
    return std::nullopt;
  }

  std::optional<VariablePlace> Try(Dwarf_Die* variable) const {
    const std::optional<Dwarf_Op> at = SingleOperation(variable, DW_AT_location, pc_);
    if (!at || at->atom != DW_OP_fbreg) return std::nullopt;
    const int64_t begin = base_ + static_cast<int64_t>(at->number);
    const int64_t place = -static_cast<int64_t>(to_end_);
    Dwarf_Die type;
    uint64_t bytes = 0;
    if (!PeeledType(variable, &type) || !SizeOf(&type, &bytes)) return std::nullopt;
    if (place < begin || static_cast<uint64_t>(place - begin) >= bytes) return std::nullopt;
    Dwarf_Attribute attribute;
    const char* name = nullptr;
    if (dwarf_attr_integrate(variable, DW_AT_name, &attribute) != nullptr)
      name = dwarf_formstring(&attribute);
    if (name == nullptr) return std::nullopt;
    return NamedPlace(type, static_cast<uint64_t>(place - begin), name);
  }

  Dwarf_Die function_;
  const uint64_t pc_;
  const uint64_t to_end_;
  const uint64_t frame_bytes_;
  int64_t base_ = 0;
};

VariablePlace OnStack(const PlaceQuestion& question, uint64_t pc, DwarfQuery& query,
                      const FrameTables& tables) {
  if (query.scopes.empty()) return {};
  const std::optional<RegisterPlus> end = FrameEnd(tables, pc);
  if (!end) return {};
  if (end->number == kStackPointer) {
    const uint64_t frame_bytes = static_cast<uint64_t>(end->add);
    if (end->add <= 0 || frame_bytes <= question.above) return {};  // another frame's
    const uint64_t to_end = frame_bytes - question.above;
    if (!std::binary_search(question.ends.begin(), question.ends.end(), to_end)) return {};
    return FrameVariables(query.scopes[0], query.address, to_end, frame_bytes)
        .Find()
        .value_or(VariablePlace());
  }
  if (end->number != kFramePointer) return {};
  // Where it points to is not known; one of the return addresses above ends the frame.
  for (const uint64_t to_end : question.ends) {
    auto found = FrameVariables(query.scopes[0], query.address, to_end, 0).Find();
    if (found) return *found;
  }
  return {};
}

// Global variables, and the static ones of functions.
class GlobalVariables final {
 public:
  struct Wanted {
    uint64_t address;  // in the debug file's address space
    VariablePlace* place;
  };

  GlobalVariables(Dwarf* dwarf, std::vector<Wanted> wanted)
      : dwarf_(dwarf), wanted_(std::move(wanted)) {}

  void Find() {
    for (const bool thorough : {false, true}) {
      thorough_ = thorough;
      Dwarf_CU* cu = nullptr;
      Dwarf_Half version = 0;
      uint8_t type = 0;
      Dwarf_Die unit;
      while (!wanted_.empty() &&
             dwarf_get_units(dwarf_, cu, &cu, &version, &type, &unit, nullptr) == 0) {
        if (type == DW_UT_compile) In(&unit, 0);
      }
    }
  }

 private:
  void In(Dwarf_Die* scope, int depth) {
    Dwarf_Die die;
    if (depth > kMaxDepth || dwarf_child(scope, &die) != 0) return;
    do {
      switch (dwarf_tag(&die)) {
        case DW_TAG_variable:
          Try(&die);
          break;
        case DW_TAG_namespace:
          In(&die, depth + 1);
          break;
        case DW_TAG_subprogram:
        case DW_TAG_lexical_block:
          if (thorough_) In(&die, depth + 1);
          break;
        default:
          break;
      }
    } while (!wanted_.empty() && dwarf_siblingof(&die, &die) == 0);
  }

  void Try(Dwarf_Die* variable) {
    Dwarf_Attribute attribute;
    if (dwarf_attr(variable, DW_AT_location, &attribute) == nullptr) return;
    Dwarf_Op* operations = nullptr;
    size_t count = 0;
    if (dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1) return;
    const std::optional<uint64_t> address = AddressOf(&attribute, operations[0]);
    if (!address) return;
    const uint64_t begin = *address;
    const bool may_be = std::any_of(wanted_.begin(), wanted_.end(), [&](const Wanted& one) {
      return one.address >= begin && one.address - begin < (uint64_t{1} << 32);
    });
    Dwarf_Die type;
    uint64_t bytes = 0;
    if (!may_be || !PeeledType(variable, &type) || !SizeOf(&type, &bytes)) return;
    const char* name = nullptr;
    if (dwarf_attr_integrate(variable, DW_AT_name, &attribute) != nullptr)
      name = dwarf_formstring(&attribute);
    if (name == nullptr) return;
    std::erase_if(wanted_, [&](const Wanted& one) {
      if (one.address < begin || one.address - begin >= bytes) return false;
      *one.place = NamedPlace(type, one.address - begin, name);
      return true;
    });
  }

  Dwarf* dwarf_;
  std::vector<Wanted> wanted_;
  bool thorough_ = false;
};

}  // namespace

std::vector<VariablePlace> NameVariables(Dwarf* dwarf, uint64_t bias, const FrameTables& tables,
                                         std::span<const PlaceQuestion> places) {
  std::vector<VariablePlace> named(places.size());
  std::vector<DwarfQuery> queries(places.size());
  std::vector<GlobalVariables::Wanted> globals;
  for (size_t i = 0; i < places.size(); ++i) {
    // A call may be the last instruction of its function.
    queries[i].address = places[i].on_stack ? places[i].address - 1 + bias : 0;
    if (!places[i].on_stack) globals.push_back({places[i].address + bias, &named[i]});
  }
  FindScopes(dwarf, queries);
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i].on_stack)
      named[i] = OnStack(places[i], places[i].address - 1, queries[i], tables);
  }
  if (!globals.empty()) GlobalVariables(dwarf, std::move(globals)).Find();
  return named;
}

}  // namespace heapgauge::dwarf
