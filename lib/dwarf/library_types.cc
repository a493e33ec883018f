#include "dwarf/library_types.h"

#include <dwarf.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <vector>

#include "dwarf/names.h"

namespace heapgauge::dwarf {
namespace {

using Kind = LibraryType::Kind;

constexpr std::string_view kOthers[] = {
    "absl",   "ankerl", "boost", "eastl", "folly", "google",     "gtl",        "llvm",
    "oneapi", "phmap",  "tbb",   "tsl",   "immer", "moodycamel", "robin_hood", "emhash"};
constexpr std::string_view kQt[] = {
    "QByteArray", "QCache",    "QHash",           "QLinkedList",    "QList",   "QMap",
    "QMultiHash", "QMultiMap", "QQueue",          "QScopedPointer", "QSet",    "QSharedPointer",
    "QStack",     "QString",   "QVarLengthArray", "QVariant",       "QVector", "QWeakPointer"};
// What they have inside is what the program has put there.
constexpr std::string_view kAround[] = {"array",    "atomic",         "complex", "expected",
                                        "optional", "pair",           "tuple",   "variant",
                                        "StatusOr", "compressed_pair"};
// Their argument says what comes next.
constexpr std::string_view kPointers[] = {"unique_ptr", "shared_ptr", "weak_ptr", "scoped_ptr",
                                          "intrusive_ptr"};

// Parts of libraries as people call them; "?": the set that has pairs is a map.
struct Part {
  std::string_view begin;  // of the name
  std::string_view shown;
};
constexpr Part kParts[] = {
    {"_Vector_", "vector"},
    {"__vector_", "vector"},
    {"_Bvector_", "vector"},
    {"_Bit_", "vector"},
    {"__bit_", "vector"},
    {"_Deque_", "deque"},
    {"__deque_", "deque"},
    {"_List_", "list"},
    {"__list_", "list"},
    {"_Fwd_list_", "forward_list"},
    {"__forward_", "forward_list"},
    {"_Rb_tree", "set?"},
    {"__map_", "map"},
    {"__tree", "set?"},
    {"_Hash", "unordered_set?"},
    {"_Node_iterator", "unordered_set?"},
    {"_Node_const_iterator", "unordered_set?"},
    {"_Local_iterator", "unordered_set?"},
    {"_Insert_base", "unordered_set?"},
    {"_Map_base", "unordered_map"},
    {"__hash_map_", "unordered_map"},
    {"__hash_", "unordered_set?"},
    {"_Function_", "function"},
    {"_Any_data", "function"},
    {"__value_func", "function"},
    {"__policy_func", "function"},
    {"__basic_string", "string"},
    {"__sso_string", "string"},
    {"__shared_", "shared_ptr"},
    {"_Sp_", "shared_ptr"},
    {"__weak_", "weak_ptr"},
    {"__uniq_ptr_", "unique_ptr"},
};

std::string_view NameOf(Dwarf_Die* die) {
  const char* const name = dwarf_diename(die);
  return name != nullptr ? name : "";
}

std::string_view Stem(std::string_view name) { return name.substr(0, name.find('<')); }

template <size_t kCount>
bool IsIn(const std::string_view (&list)[kCount], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// A namespace that nobody writes: std::__cxx11, std::__1, absl::lts_20240722.
bool IsVersion(std::string_view name) {
  return name.starts_with("__") || name.starts_with("_V") || name.starts_with("lts_") ||
         name == "v1";
}
bool IsInternal(std::string_view name) {
  return name.find("internal") != std::string_view::npos ||
         name.find("detail") != std::string_view::npos || name == "impl";
}

// What the template was given in this place; false: nothing.
bool Parameter(Dwarf_Die* type, size_t place, Dwarf_Die* parameter) {
  if (dwarf_child(type, parameter) != 0) return false;
  do {
    if (dwarf_tag(parameter) == DW_TAG_template_type_parameter && place-- == 0) return true;
  } while (dwarf_siblingof(parameter, parameter) == 0);
  return false;
}

std::optional<Dwarf_Die> Argument(Dwarf_Die* type, size_t place) {
  Dwarf_Die parameter;
  Dwarf_Die argument;
  if (!Parameter(type, place, &parameter) || !PeeledType(&parameter, &argument))
    return std::nullopt;
  return argument;
}

bool HasConstFirst(Dwarf_Die* pair) {
  Dwarf_Die parameter;
  Dwarf_Attribute attribute;
  Dwarf_Die given;
  return Parameter(pair, 0, &parameter) &&
         dwarf_attr_integrate(&parameter, DW_AT_type, &attribute) != nullptr &&
         dwarf_formref_die(&attribute, &given) != nullptr && dwarf_tag(&given) == DW_TAG_const_type;
}

// Whether the container's elements are pairs of a key and a value.
bool HasPairs(Dwarf_Die* type) {
  const std::optional<Dwarf_Die> key = Argument(type, 0);
  const std::optional<Dwarf_Die> value = Argument(type, 1);
  if (key && value && key->addr == value->addr) return false;  // the set's own
  for (size_t i = 0; i < 2; ++i) {
    std::optional<Dwarf_Die> argument = Argument(type, i);
    if (!argument) return false;
    const std::string_view stem = Stem(NameOf(&*argument));
    // A set may have pairs, too, but none whose first is const.
    if (stem == "pair") return HasConstFirst(&*argument);
    if (stem == "__value_type" || stem == "__hash_value_type") return true;
    // libc++ gives the node, and its node the value.
    if (IsReservedName(stem) && HasPairs(&*argument)) return true;
    if (dwarf_tag(&*argument) == DW_TAG_pointer_type) {
      Dwarf_Die pointee;
      if (PeeledType(&*argument, &pointee) && IsReservedName(Stem(NameOf(&pointee))) &&
          HasPairs(&pointee))
        return true;
    }
  }
  return false;
}

// "absl::flat_hash_map" of container_internal::raw_hash_set<FlatHashMapPolicy<...>>; "": not known.
std::string FromPolicy(Dwarf_Die* type) {
  std::optional<Dwarf_Die> argument = Argument(type, 0);
  std::string_view stem = argument ? Stem(NameOf(&*argument)) : "";
  constexpr std::string_view kEnd = "Policy";
  if (!stem.ends_with(kEnd)) return {};
  stem.remove_suffix(kEnd.size());
  std::string name;
  for (const char c : stem) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && !name.empty()) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string PointerName(Dwarf_Die* type, std::string_view stem) {
  std::optional<Dwarf_Die> argument = Argument(type, 0);
  if (!argument) return std::string(stem);
  Dwarf_Die named = *argument;
  const std::string_view to = NameOf(&named);
  return std::string(stem) + (to.empty() || to.size() > 100 ? "" : "<" + std::string(to) + ">");
}

LibraryType OfPart(Dwarf_Die* type, std::string_view stem) {
  const bool is_iterator = stem.find("iter") != std::string_view::npos;
  const std::string end = is_iterator ? "::iterator" : "";
  if (is_iterator) {  // __normal_iterator<X*, std::vector<X>>
    for (size_t i = 0; i < 2; ++i) {
      std::optional<Dwarf_Die> argument = Argument(type, i);
      if (!argument) continue;
      const LibraryType of = LibraryTypeOf(&*argument);
      if (of.kind == Kind::kWhole && of.name.find("pair") == std::string::npos && i > 0)
        return {Kind::kWhole, of.name + end};
    }
  }
  for (const Part& part : kParts) {
    if (!stem.starts_with(part.begin)) continue;
    std::string shown(part.shown);
    if (shown.ends_with('?')) {
      shown.pop_back();
      if (HasPairs(type)) shown.replace(shown.size() - 3, 3, "map");
    }
    return {Kind::kWhole, "std::" + shown + end};
  }
  if (is_iterator) return {Kind::kWhole, "an iterator"};
  return {Kind::kAround, ""};
}

LibraryType OfStandard(Dwarf_Die* type, const std::string& space, std::string_view stem) {
  if (IsReservedName(stem)) return OfPart(type, stem);
  if (IsIn(kAround, stem)) return {Kind::kAround, space + std::string(stem)};
  if (IsIn(kPointers, stem)) return {Kind::kWhole, space + PointerName(type, stem)};
  if (stem.starts_with("basic_")) {
    std::optional<Dwarf_Die> argument = Argument(type, 0);
    const std::string_view of = argument ? NameOf(&*argument) : "char";
    if (of == "char" || of == "wchar_t")
      return {Kind::kWhole, space + (of == "char" ? "" : "w") + std::string(stem.substr(6))};
  }
  return {Kind::kWhole, space + std::string(stem)};
}

}  // namespace

bool StoredType(Dwarf_Die* type, Dwarf_Die* stored) {
  Dwarf_Die parameter;
  return NameOf(type).starts_with("__aligned_") && Parameter(type, 0, &parameter) &&
         PeeledType(&parameter, stored);
}

bool IsReservedName(std::string_view name) {
  return name.size() > 1 && name[0] == '_' &&
         (name[1] == '_' || std::isupper(static_cast<unsigned char>(name[1])) != 0);
}

bool PeeledType(Dwarf_Die* of, Dwarf_Die* type) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(of, DW_AT_type, &attribute) == nullptr ||
      dwarf_formref_die(&attribute, type) == nullptr) {
    return false;
  }
  return dwarf_peel_type(type, type) == 0;
}

LibraryType LibraryTypeOf(Dwarf_Die* type) {
  Dwarf_Die declaration = Declaration(*type);
  const std::string_view full = NameOf(&declaration);
  const std::string_view stem = Stem(full);
  if (stem.empty()) return {};
  std::string space;
  std::string_view first;
  bool internal = false;
  std::optional<Dwarf_Die> around;  // the class that it is declared in
  for (Dwarf_Die& scope : ScopesAround(&declaration)) {
    const int tag = dwarf_tag(&scope);
    const std::string_view name = NameOf(&scope);
    if (tag == DW_TAG_namespace && !around) {
      if (first.empty()) first = name.empty() ? "?" : name;
      internal = internal || IsInternal(name);
      if (!IsVersion(name) || space.empty()) space += std::string(name) + "::";
    } else if (tag == DW_TAG_class_type || tag == DW_TAG_structure_type) {
      if (!around) around = scope;
    }
  }
  const bool is_standard = first == "std" || first.starts_with("__gnu_") || first == "__cxxabiv1";
  const bool is_other = IsIn(kOthers, first);
  if (first.empty() && !around && IsIn(kQt, stem)) return {Kind::kWhole, std::string(stem)};
  if (!is_standard && !is_other) return {};
  if (around) {
    // std::vector<X>::iterator; of parts of parts nothing is known.
    Dwarf_Die outer = *around;
    LibraryType of = LibraryTypeOf(&outer);
    if (of.kind == Kind::kNone) return {};
    const bool is_iterator = stem.find("iterator") != std::string_view::npos;
    if (of.name.empty() && internal) {
      const std::string policy = FromPolicy(&outer);
      if (!policy.empty()) of = {Kind::kWhole, std::string(first) + "::" + policy};
    }
    if (of.kind == Kind::kAround) return {Kind::kAround, ""};
    return {Kind::kWhole, is_iterator ? of.name + "::iterator" : of.name};
  }
  if (is_standard) {
    if (space.starts_with("__")) space = "std::";
    return OfStandard(type, space, stem);
  }
  if (internal || IsReservedName(stem)) return {Kind::kAround, ""};
  if (IsIn(kAround, stem)) return {Kind::kAround, space + std::string(stem)};
  if (full.size() == stem.size() && !Argument(type, 0)) return {};  // maybe the program itself
  if (IsIn(kPointers, stem)) return {Kind::kWhole, space + PointerName(type, stem)};
  return {Kind::kWhole, space + std::string(stem)};
}

}  // namespace heapgauge::dwarf
