#include "attach/process.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "attach/remote_memory.h"
#include "base/whole_io.h"
#include "elf/maps.h"
#include "elf/module_layout.h"
#include "elf/module_reader.h"

namespace heapgauge::attach {
namespace {

constexpr size_t kMostSymbols = 1 << 20;
constexpr size_t kMostNameBytes = kMostSymbols * 64;
constexpr size_t kMostMaps = size_t{128} << 20;  // bytes of text: some 700 000 mappings
constexpr size_t kMostMappings = size_t{1} << 20;
constexpr uint16_t kHiddenVersion = 0x8000;

template <typename Value>
std::vector<Value> ReadValues(pid_t pid, uint64_t from, size_t count) {
  std::vector<Value> values(count);
  if (!ReadMemory(pid, from, values.data(), count * sizeof(Value))) values.clear();
  return values;
}

struct Dynamic {
  uint64_t bias = 0;
  ModuleTables tables;
};

std::optional<Dynamic> ReadDynamic(pid_t pid, const LoadedModule& module) {
  RemoteMemory memory(pid);
  ModuleLayout layout;
  if (!ReadLayoutAt(memory, module.base, &layout)) return std::nullopt;
  const ModuleReader<RemoteMemory> reader(memory, layout);
  // Every linker puts the names right behind the symbols; the count is written nowhere else that
  // is easier to read.
  const ModuleTables& tables = reader.tables();
  if (!reader.readable() || tables.symbols == 0 || tables.strings <= tables.symbols) {
    return std::nullopt;
  }
  return Dynamic{layout.bias, tables};
}

bool IsFunction(const Elf64_Sym& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
}

// The tables of a module; `count` is 0 when there are none that can be believed.
struct Tables {
  uint64_t bias = 0;
  size_t count = 0;
  std::vector<Elf64_Sym> symbols;
  std::vector<char> names;  // 0 at the end
  std::vector<uint16_t> versions;
};

// False when the budget is spent.
bool ReadTables(pid_t pid, const LoadedModule& module, bool with_versions, ReadBudget* budget,
                Tables* tables) {
  const std::optional<Dynamic> dynamic = ReadDynamic(pid, module);
  if (!dynamic) return true;
  const ModuleTables& at = dynamic->tables;
  const size_t count = (at.strings - at.symbols) / sizeof(Elf64_Sym);
  if (count == 0 || count > kMostSymbols || at.strings_bytes == 0 ||
      at.strings_bytes > kMostNameBytes) {
    return true;
  }
  const uint64_t bytes = count * (sizeof(Elf64_Sym) + sizeof(uint16_t)) + at.strings_bytes;
  if (bytes > budget->bytes_left) return false;
  budget->bytes_left -= bytes;
  tables->symbols = ReadValues<Elf64_Sym>(pid, at.symbols, count);
  tables->names = ReadValues<char>(pid, at.strings, at.strings_bytes);
  if (tables->symbols.empty() || tables->names.empty()) return true;
  tables->names.back() = '\0';
  if (with_versions && at.versions != 0) {
    tables->versions = ReadValues<uint16_t>(pid, at.versions, count);
  }
  tables->bias = dynamic->bias;
  tables->count = count;
  return true;
}

// "" for a name that is too long to be one that is looked for: they may overlap, each as long as
// all of them.
std::string_view NameOf(const Tables& tables, const Elf64_Sym& symbol) {
  if (!IsFunction(symbol) || symbol.st_name >= tables.names.size()) return {};
  const char* const begin = tables.names.data() + symbol.st_name;
  const size_t room = tables.names.size() - symbol.st_name;
  const size_t size = strnlen(begin, std::min(room, kLongestName + 1));
  return size > kLongestName ? std::string_view() : std::string_view(begin, size);
}

}  // namespace

bool ReadMemory(pid_t pid, uint64_t from, void* to, size_t bytes) {
  const iovec here{to, bytes};
  const iovec there{reinterpret_cast<void*>(from), bytes};
  return process_vm_readv(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

bool WriteMemory(pid_t pid, uint64_t to, const void* from, size_t bytes) {
  const iovec here{const_cast<void*>(from), bytes};
  const iovec there{reinterpret_cast<void*>(to), bytes};
  return process_vm_writev(pid, &here, 1, &there, 1, 0) == static_cast<ssize_t>(bytes);
}

Exports ExportsFunction(pid_t pid, const LoadedModule& module, std::string_view name,
                        ReadBudget* budget) {
  Tables tables;
  if (!ReadTables(pid, module, false, budget, &tables)) return Exports::kUnknown;
  for (size_t i = 0; i < tables.count; ++i) {
    if (NameOf(tables, tables.symbols[i]) == name) return Exports::kYes;
  }
  return Exports::kNo;
}

ModuleSymbols::ModuleSymbols(pid_t pid, const LoadedModule& module) {
  Tables tables;
  ReadBudget budget;
  ReadTables(pid, module, true, &budget, &tables);
  for (size_t i = 0; i < tables.count; ++i) {
    const Elf64_Sym& symbol = tables.symbols[i];
    if (!IsFunction(symbol)) continue;
    const uint64_t address = tables.bias + symbol.st_value;
    begins_.insert(address);
    const std::string name(NameOf(tables, symbol));
    if (name.empty()) continue;
    const bool is_default = tables.versions.empty() || (tables.versions[i] & kHiddenVersion) == 0;
    if (is_default) {
      by_name_[name] = address;
    } else {
      by_name_.emplace(name, address);
    }
  }
}

uint64_t ModuleSymbols::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found != by_name_.end() ? found->second : 0;
}

uint64_t ModuleSymbols::BeginBefore(uint64_t address) const {
  const auto next = begins_.upper_bound(address);
  return next == begins_.begin() ? 0 : *std::prev(next);
}

std::vector<Mapping> ReadMappings(pid_t pid) {
  std::vector<Mapping> mappings;
  std::vector<char> room(MapsReader::kRoomForAll);
  MapsReader maps(pid, room);
  for (MapsLine line; maps.Next(&line);) {
    if (maps.bytes_read() > kMostMaps || mappings.size() == kMostMappings) return {};
    mappings.push_back({line.range.begin, line.range.end, line.readable, line.writable,
                        line.executable, line.offset, std::string(line.path)});
  }
  return mappings;
}

std::vector<LoadedModule> ModulesOf(const std::vector<Mapping>& mappings) {
  std::vector<LoadedModule> modules;
  for (const Mapping& mapping : mappings) {
    if (!mapping.path.starts_with('/')) continue;
    const bool continues = !modules.empty() && modules.back().path == mapping.path;
    if (mapping.offset == 0 && mapping.readable && !mapping.writable) {
      modules.push_back({mapping.path, mapping.begin, mapping.end, mapping.executable});
    } else if (continues) {
      modules.back().end = mapping.end;
      modules.back().has_code |= mapping.executable;
    }
  }
  return modules;
}

std::string StatusField(const std::string& directory, std::string_view field) {
  std::ifstream file(directory + "/status");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(field) || line.size() <= field.size() || line[field.size()] != ':')
      continue;
    const size_t value = line.find_first_not_of(" \t", field.size() + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return {};
}

bool HasEnded(pid_t pid) {
  const std::string state = StatusField(fmt::format("/proc/{}", pid), "State");
  return state.empty() || state.starts_with('Z') || state.starts_with('X');
}

std::vector<pid_t> ThreadsOf(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code failure;
  std::filesystem::directory_iterator entries(fmt::format("/proc/{}/task", pid), failure);
  for (; !failure && entries != std::filesystem::directory_iterator(); entries.increment(failure)) {
    threads.push_back(std::atoi(entries->path().filename().c_str()));
  }
  return threads;
}

std::string ImageOf(pid_t pid) {
  constexpr size_t kMostAuxiliary = size_t{16} << 10;
  // Where its stack, its loader and its first random bytes lie.
  std::string image;
  const int file = open(fmt::format("/proc/{}/auxv", pid).c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  if (!ReadAll(file, kMostAuxiliary, &image)) image.clear();
  close(file);
  return image;
}

}  // namespace heapgauge::attach
