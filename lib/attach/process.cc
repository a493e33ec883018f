#include "attach/process.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/whole_io.h"
#include "elf/maps.h"

namespace heapgauge::attach {
namespace {

constexpr size_t kMostSymbols = 1 << 20;
constexpr size_t kMostNameBytes = kMostSymbols * 64;
constexpr size_t kMostSegments = 1024;
constexpr size_t kMostDynamicBytes = size_t{64} << 10;
constexpr size_t kLongestName = 64;              // of what is looked for
constexpr size_t kMostMaps = size_t{128} << 20;  // bytes of text: some 700 000 mappings
constexpr size_t kMostMappings = size_t{1} << 20;
constexpr uint16_t kHiddenVersion = 0x8000;

template <typename Value>
bool ReadValue(pid_t pid, uint64_t from, Value* to) {
  return ReadMemory(pid, from, to, sizeof(*to));
}

template <typename Value>
std::vector<Value> ReadValues(pid_t pid, uint64_t from, size_t count) {
  std::vector<Value> values(count);
  if (!ReadMemory(pid, from, values.data(), count * sizeof(Value))) values.clear();
  return values;
}

// Where a module's dynamic section says that things are.
struct Dynamic {
  uint64_t bias = 0;
  uint64_t symbols = 0;
  uint64_t strings = 0;
  uint64_t strings_size = 0;
  uint64_t versions = 0;
};

std::optional<Dynamic> ReadDynamic(pid_t pid, const LoadedModule& module) {
  Elf64_Ehdr header{};
  if (!ReadValue(pid, module.base, &header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum > kMostSegments) {
    return std::nullopt;
  }
  const auto segments = ReadValues<Elf64_Phdr>(pid, module.base + header.e_phoff, header.e_phnum);
  uint64_t lowest = UINT64_MAX;
  const Elf64_Phdr* dynamic = nullptr;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) lowest = std::min(lowest, segment.p_vaddr & ~uint64_t{4095});
    if (segment.p_type == PT_DYNAMIC) dynamic = &segment;
  }
  if (dynamic == nullptr || lowest == UINT64_MAX || dynamic->p_memsz > kMostDynamicBytes) {
    return std::nullopt;
  }
  Dynamic found;
  found.bias = module.base - lowest;
  const auto entries = ReadValues<Elf64_Dyn>(pid, found.bias + dynamic->p_vaddr,
                                             dynamic->p_memsz / sizeof(Elf64_Dyn));
  // The loader has turned most of these into addresses.
  const auto address = [&](uint64_t value) {
    return value >= found.bias ? value : found.bias + value;
  };
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_SYMTAB) found.symbols = address(entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRTAB) found.strings = address(entry.d_un.d_ptr);
    if (entry.d_tag == DT_STRSZ) found.strings_size = entry.d_un.d_val;
    if (entry.d_tag == DT_VERSYM) found.versions = address(entry.d_un.d_ptr);
  }
  // Every linker puts the names right behind the symbols; the count is written nowhere else that
  // is easier to read.
  if (found.symbols == 0 || found.strings <= found.symbols) return std::nullopt;
  return found;
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
  const size_t count = (dynamic->strings - dynamic->symbols) / sizeof(Elf64_Sym);
  if (count == 0 || count > kMostSymbols || dynamic->strings_size == 0 ||
      dynamic->strings_size > kMostNameBytes) {
    return true;
  }
  const uint64_t bytes = count * (sizeof(Elf64_Sym) + sizeof(uint16_t)) + dynamic->strings_size;
  if (bytes > budget->bytes_left) return false;
  budget->bytes_left -= bytes;
  tables->symbols = ReadValues<Elf64_Sym>(pid, dynamic->symbols, count);
  tables->names = ReadValues<char>(pid, dynamic->strings, dynamic->strings_size);
  if (tables->symbols.empty() || tables->names.empty()) return true;
  tables->names.back() = '\0';
  if (with_versions && dynamic->versions != 0) {
    tables->versions = ReadValues<uint16_t>(pid, dynamic->versions, count);
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
