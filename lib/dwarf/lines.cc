#include "dwarf/lines.h"

#include <dwarf.h>

#include <filesystem>

namespace heapgauge::dwarf {
namespace {

std::optional<std::string> AbsoluteFile(Dwarf_Die* unit, const char* name) {
  // "???" is what libdw puts in front of the table for index 0.
  if (name == nullptr || *name == '\0' || std::string_view(name) == "???") return std::nullopt;
  std::filesystem::path path = name;
  Dwarf_Attribute attribute;
  if (path.is_relative() && dwarf_attr(unit, DW_AT_comp_dir, &attribute) != nullptr) {
    if (const char* const directory = dwarf_formstring(&attribute)) path = directory / path;
  }
  return path.lexically_normal().string();
}

std::optional<Dwarf_Word> NumberOf(Dwarf_Die* die, unsigned int kind) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_attr(die, kind, &attribute) == nullptr || dwarf_formudata(&attribute, &value) != 0) {
    return std::nullopt;
  }
  return value;
}

// Index of the last row at or before the address.
std::optional<size_t> RowAt(Dwarf_Lines* lines, size_t count, uint64_t address) {
  size_t low = 0;
  size_t high = count;  // the answer + 1 is in [low, high]
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    Dwarf_Addr at = 0;
    if (dwarf_lineaddr(dwarf_onesrcline(lines, middle), &at) != 0) return std::nullopt;
    if (at <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? std::nullopt : std::optional(low - 1);
}

}  // namespace

SourcePosition LineAt(Dwarf_Die* unit, uint64_t address, uint64_t scope_begin) {
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(unit, &lines, &count) != 0) return {};
  std::optional<size_t> row = RowAt(lines, count, address);
  for (; row; row = *row == 0 ? std::nullopt : std::optional(*row - 1)) {
    Dwarf_Line* const line = dwarf_onesrcline(lines, *row);
    Dwarf_Addr at = 0;
    bool ends = true;
    int number = 0;
    if (dwarf_lineaddr(line, &at) != 0 || dwarf_lineendsequence(line, &ends) != 0 || ends ||
        dwarf_lineno(line, &number) != 0 || (at < scope_begin && number == 0)) {
      return {};
    }
    if (number <= 0) continue;
    return {AbsoluteFile(unit, dwarf_linesrc(line, nullptr, nullptr)),
            static_cast<uint32_t>(number)};
  }
  return {};
}

SourcePosition CallSite(Dwarf_Die* inlined) {
  SourcePosition position;
  if (const auto line = NumberOf(inlined, DW_AT_call_line); line && *line > 0) {
    position.line = static_cast<uint32_t>(*line);
  }
  Dwarf_Die unit;
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  const auto file = NumberOf(inlined, DW_AT_call_file);
  if (file && dwarf_diecu(inlined, &unit, nullptr, nullptr) != nullptr &&
      dwarf_getsrcfiles(&unit, &files, &count) == 0 && *file < count) {
    position.file = AbsoluteFile(&unit, dwarf_filesrc(files, *file, nullptr, nullptr));
  }
  return position;
}

}  // namespace heapgauge::dwarf
