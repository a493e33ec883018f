#include "dwarf/names.h"

#include <dwarf.h>

#include <string_view>
#include <vector>

#include "dwarf/readable.h"
#include "symbolize/rust_name.h"

namespace heapgauge::dwarf {
namespace {

const char* LinkageName(Dwarf_Die* function) {
  for (const unsigned int kind : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name}) {
    Dwarf_Attribute attribute;
    if (dwarf_attr_integrate(function, kind, &attribute) == nullptr) continue;
    const char* const name = dwarf_formstring(&attribute);
    // Other languages' schemes stay mangled; their DW_AT_name reads better.
    if (name == nullptr) continue;
    if (std::string_view(name).starts_with("_Z") || symbolize::IsRustV0(name)) return name;
  }
  return nullptr;
}

bool IsCPlusPlus(Dwarf_Die* function) {
  Dwarf_Die unit;
  if (dwarf_diecu(function, &unit, nullptr, nullptr) == nullptr) return false;
  switch (dwarf_srclang(&unit)) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
      return true;
    default:
      return false;
  }
}

// `unnamed`: for a type without a name, which gcc's closures are.
std::string ScopeName(Dwarf_Die* scope, const char* unnamed) {
  const char* const name = dwarf_diename(scope);
  switch (dwarf_tag(scope)) {
    case DW_TAG_namespace:
      return name != nullptr ? name : "(anonymous namespace)";
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
      return name != nullptr ? name : unnamed;
    case DW_TAG_subprogram:
      return name != nullptr ? name : "";
    default:
      return {};
  }
}

// foo.part.0 and foo.cold are pieces of foo.
std::string WithoutCloneSuffix(const std::string& mangled) {
  return mangled.substr(0, mangled.find('.', 2));
}

// The C library defines __libc_malloc and exports it as malloc.
bool IsPublicNameOf(std::string_view symbol, std::string_view name) {
  return name.starts_with('_') && !symbol.empty() && symbol.size() < name.size() &&
         name.find(symbol) != std::string_view::npos;
}

}  // namespace

// The entry inside its namespace or class: an inlined copy refers to the abstract function, that to
// the declaration.
Dwarf_Die Declaration(Dwarf_Die die) {
  for (int hops = 0; hops < 8; ++hops) {
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    if (dwarf_attr(&die, DW_AT_abstract_origin, &attribute) == nullptr &&
        dwarf_attr(&die, DW_AT_specification, &attribute) == nullptr) {
      break;
    }
    if (dwarf_formref_die(&attribute, &next) == nullptr) break;
    die = next;
  }
  return die;
}

// The entries that contain this one, outermost first.  DWARF has no way up; but entries stand in
// the order of their offsets, parents before children, so on each level it is the last that starts
// before.  (dwarf_getscopes_die finds them by visiting everything: half of the helper's time.)
std::vector<Dwarf_Die> ScopesAround(Dwarf_Die* die) {
  const Dwarf_Off target = dwarf_dieoffset(die);
  std::vector<Dwarf_Die> scopes;
  Dwarf_Die scope;
  if (dwarf_diecu(die, &scope, nullptr, nullptr) == nullptr) return scopes;
  while (dwarf_dieoffset(&scope) < target) {
    scopes.push_back(scope);
    Dwarf_Die child;
    if (dwarf_child(&scope, &child) != 0 || dwarf_dieoffset(&child) > target) return {};
    Dwarf_Die next;
    while (dwarf_siblingof(&child, &next) == 0 && dwarf_dieoffset(&next) <= target) child = next;
    scope = child;
  }
  return scopes;
}

std::string DwarfNames::Qualified(Dwarf_Die* function, const char* name) {
  Dwarf_Die declaration = Declaration(*function);
  const auto [place, added] = qualified_.try_emplace(declaration.addr);
  if (!added) return place->second;
  const bool is_call = std::string_view(name) == "operator()";
  const char* const unnamed = is_call ? "{lambda}" : "{unnamed type}";
  std::string qualified;
  for (Dwarf_Die& scope : ScopesAround(&declaration)) {
    const std::string text = ScopeName(&scope, unnamed);
    if (!text.empty()) qualified += text + "::";
  }
  return place->second = qualified + name;
}

std::string DwarfNames::Of(Dwarf_Die* function, const std::string& symbol) {
  if (const char* const linkage = LinkageName(function)) return Readable(linkage);
  const char* const name = dwarf_diename(function);
  if (name == nullptr) return Readable(WithoutCloneSuffix(symbol));
  if (!IsCPlusPlus(function)) return IsPublicNameOf(symbol, name) ? symbol : name;
  if (symbol.starts_with("_Z")) {
    // Without template arguments: compilers space them differently.
    const std::string_view stem =
        std::string_view(name).substr(0, std::string_view(name).find('<'));
    std::string demangled = Readable(WithoutCloneSuffix(symbol));
    if (demangled.find(stem) != std::string::npos) return demangled;
  }
  return Qualified(function, name);
}

}  // namespace heapgauge::dwarf
