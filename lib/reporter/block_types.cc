#include "reporter/block_types.h"

#include <cctype>
#include <cstring>
#include <string_view>

#include "symbolize/demangle.h"

namespace heapgauge {
namespace {

constexpr size_t kMostName = 512;
constexpr uintptr_t kWord = sizeof(uintptr_t);

// The first argument of a template: up to a comma outside of brackets.
std::string_view FirstArgument(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (depth < 0 || (depth == 0 && c == ',')) return text.substr(0, i);
  }
  return text;
}

}  // namespace

std::string ReadableType(const std::string& name) {
  for (const std::string_view kind :
       {"std::_Sp_counted_ptr_inplace<", "std::_Sp_counted_ptr<", "std::_Sp_counted_deleter<"}) {
    if (!name.starts_with(kind)) continue;
    std::string_view argument = FirstArgument(std::string_view(name).substr(kind.size()));
    while (argument.ends_with('*') || argument.ends_with(' ')) argument.remove_suffix(1);
    return std::string(BlockTypes::kSharedPointer) + std::string(argument) + ">";
  }
  return name;
}

bool BlockTypes::IsModuleData(uintptr_t address) const {
  if (address % kWord != 0) return false;
  for (const ModuleMap::Module& module : identity_.modules().modules()) {
    if (module.loaded && address >= module.extent.begin && address < module.extent.end)
      return !identity_.modules().Find(address);
  }
  return false;
}

std::string BlockTypes::NameAt(uintptr_t vtable) {
  uintptr_t before[2] = {};  // how far to the whole object, and the type
  if (!IsModuleData(vtable) ||
      !search_.ReadMemory(vtable - sizeof(before), sizeof(before), before) || before[0] != 0 ||
      !IsModuleData(before[1])) {
    return {};
  }
  uintptr_t type[2] = {};  // its own vtable, and the name
  if (!search_.ReadMemory(before[1], sizeof(type), type) || !IsModuleData(type[0])) return {};
  char name[kMostName] = {};
  if (!search_.ReadMemory(type[1], sizeof(name) - 1, name)) return {};
  std::string mangled = name;
  if (mangled.starts_with('*')) mangled.erase(0, 1);  // compared by its address alone
  if (mangled.empty() || mangled.size() + 1 >= kMostName) return {};
  for (const char c : mangled) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '$') return {};
  }
  constexpr std::string_view kSays = "typeinfo name for ";
  const std::string readable = symbolize::Demangle("_ZTS" + mangled);
  return readable.starts_with(kSays) ? ReadableType(readable.substr(kSays.size())) : std::string();
}

const std::string& BlockTypes::Of(uintptr_t block) {
  static const std::string kNone;
  uintptr_t vtable = 0;
  if (!search_.ReadMemory(block, sizeof(vtable), &vtable) || !IsModuleData(vtable)) return kNone;
  const auto [known, added] = by_vtable_.try_emplace(vtable);
  if (added) known->second = NameAt(vtable);
  return known->second;
}

}  // namespace heapgauge
