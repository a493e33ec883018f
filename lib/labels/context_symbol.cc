#include "labels/context_symbol.h"

#include <link.h>

#include <cstring>

#include "base/readable.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"
#include "elf/module_reader.h"

namespace heapgauge {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kStaticDistance = R_X86_64_TPOFF64;
constexpr uint32_t kDescriptor = R_X86_64_TLSDESC;
#elif defined(__aarch64__)
constexpr uint32_t kStaticDistance = R_AARCH64_TLS_TPREL;
constexpr uint32_t kDescriptor = R_AARCH64_TLSDESC;
#endif

// No thread's static storage is as large.  It lies below the pointer on x86-64, above it on
// AArch64; an address of the heap, which other descriptors hold, is neither.
constexpr int64_t kMostDistance = int64_t{1} << 24;
bool IsDistance(int64_t value) noexcept {
#if defined(__x86_64__)
  return value < 0 && value > -kMostDistance;
#else
  return value > 0 && value < kMostDistance / 16;
#endif
}

// What glibc keeps for a thread, <sysdeps/generic/dl-dtv.h>: its entries are 16 bytes, the one
// before the first says how many there are.
struct BlockEntry {
  uintptr_t block;
  uintptr_t other;
};
constexpr uintptr_t kNoBlock = ~uintptr_t{0};

uintptr_t ThreadPointer() noexcept {
  return reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
}

const BlockEntry* BlocksOfThread() noexcept {
#if defined(__x86_64__)
  constexpr size_t kWord = 1;  // behind the pointer to itself
#else
  constexpr size_t kWord = 0;
#endif
  return reinterpret_cast<const BlockEntry* const*>(ThreadPointer())[kWord];
}

using Reader = ModuleReader<CheckedMemory>;

// Modules without the newer table of hashes: one symbol after the other.
bool FindBySysv(Reader& reader, CheckedMemory& memory, const ModuleLayout& layout, const char* name,
                ElfW(Sym) * found) noexcept {
  constexpr uint32_t kMostSymbols = uint32_t{1} << 20;
  uintptr_t table = 0;
  reader.VisitDynamic([&](const ElfW(Dyn) & entry) {
    if (entry.d_tag == DT_HASH) table = layout.Resolve(entry.d_un.d_ptr);
  });
  uint32_t count_room;
  if (table == 0 || !reader.HasNames() || !layout.HoldsAll(table, 2 * sizeof count_room)) {
    return false;
  }
  const uint32_t* const count = memory.Get(table + sizeof count_room, &count_room);
  if (count == nullptr) return false;
  const uint32_t symbols = *count < kMostSymbols ? *count : kMostSymbols;
  for (uint32_t i = 1; i < symbols; ++i) {
    ElfW(Sym) room;
    const ElfW(Sym)* const symbol = reader.SymbolAt(i, &room);
    if (symbol == nullptr) return false;
    if (ELF64_ST_TYPE(symbol->st_info) != STT_TLS || symbol->st_shndx == SHN_UNDEF) continue;
    const char* const text = reader.TextAt(symbol->st_name);
    if (text == nullptr || std::strncmp(text, name, kLongestName) != 0) continue;
    *found = *symbol;
    return true;
  }
  return false;
}

// Whether the module's table of hashes lets it define `name` at all.  At the start of every process,
// so no more is read than that takes: the reader's look at the whole module costs ten times as much.
bool MayDefine(CheckedMemory& memory, const dl_phdr_info& info, uint32_t hash) noexcept {
  struct Head {
    uint32_t bucket_count;
    uint32_t first;
    uint32_t bloom_words;
    uint32_t bloom_shift;
  };
  constexpr size_t kMostEntries = 4096;
  constexpr uint32_t kBits = sizeof(ElfW(Addr)) * 8;
  const ElfW(Phdr)* const headers = info.dlpi_phdr;
  // At once: to ask for each would cost more than all the rest.
  if (!memory.Has(reinterpret_cast<uintptr_t>(headers), info.dlpi_phnum * sizeof *headers)) {
    return false;
  }
  for (size_t i = 0; i < info.dlpi_phnum; ++i) {
    if (headers[i].p_type != PT_DYNAMIC) continue;
    uintptr_t at = info.dlpi_addr + headers[i].p_vaddr;
    for (size_t entries = 0; entries < kMostEntries; ++entries, at += sizeof(ElfW(Dyn))) {
      ElfW(Dyn) room;
      const ElfW(Dyn)* const entry = memory.Get(at, &room);
      if (entry == nullptr) return false;
      if (entry->d_tag == DT_NULL) return true;  // it has the older table alone, or none
      if (entry->d_tag != DT_GNU_HASH) continue;
      // Where the loader can't write it is still as in the file.
      const uint64_t value = entry->d_un.d_ptr;
      const uintptr_t table = value >= info.dlpi_addr ? value : info.dlpi_addr + value;
      Head head_room;
      const Head* const head = memory.Get(table, &head_room);
      if (head == nullptr || head->bloom_words == 0) return false;
      ElfW(Addr) word_room;
      const auto* const word = memory.Get(
          table + sizeof(Head) + (hash / kBits) % head->bloom_words * sizeof word_room, &word_room);
      return word != nullptr && ((*word >> (hash % kBits)) &
                                 (*word >> ((hash >> (head->bloom_shift % 32)) % kBits)) & 1) != 0;
    }
    return false;
  }
  return false;
}

// The distance that the loader has written for the module's own use of the variable; 0: it has not.
int64_t FindDistance(Reader& reader, CheckedMemory& memory, const ModuleLayout& layout,
                     const char* name, const ElfW(Sym) & variable) noexcept {
  for (const ModuleTables::References& table : reader.tables().references) {
    for (size_t i = 0; i < table.count; ++i) {
      ElfW(Rela) room;
      const uintptr_t at = table.begin + i * sizeof room;
      if (!layout.HoldsAll(at, sizeof room)) break;
      const auto* const reference = memory.Get(at, &room);
      if (reference == nullptr) break;
      const auto type = static_cast<uint32_t>(ELF64_R_TYPE(reference->r_info));
      if (type != kStaticDistance && type != kDescriptor) continue;
      const size_t index = ELF64_R_SYM(reference->r_info);
      if (index == 0) {
        if (static_cast<uint64_t>(reference->r_addend) != variable.st_value) continue;
      } else {
        ElfW(Sym) symbol_room;
        const ElfW(Sym)* const symbol = reader.SymbolAt(index, &symbol_room);
        const char* const text = symbol == nullptr ? nullptr : reader.TextAt(symbol->st_name);
        if (reference->r_addend != 0 || text == nullptr ||
            std::strncmp(text, name, kLongestName) != 0) {
          continue;
        }
      }
      // A descriptor's second word is its argument.
      const uintptr_t word =
          layout.bias + reference->r_offset + (type == kDescriptor ? sizeof(uintptr_t) : size_t{0});
      int64_t value_room;
      if (!layout.HoldsAll(word, sizeof value_room)) continue;
      const int64_t* const value = memory.Get(word, &value_room);
      if (value != nullptr && IsDistance(*value)) return *value;
    }
  }
  return 0;
}

struct Search {
  const char* name;
  uint32_t hash;
  ContextPlaces found;
};

int Look(dl_phdr_info* info, size_t size, void* data) noexcept {
  auto& search = *static_cast<Search*>(data);
  if (size < offsetof(dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data) return 1;
  if (info->dlpi_tls_modid == 0) return 0;  // no thread-local storage
  CheckedMemory memory;
  if (!MayDefine(memory, *info, search.hash)) return 0;
  ModuleLayout layout;
  if (!ReadLayout(memory, HeadersOf(*info), info->dlpi_addr, &layout)) return 0;
  uint64_t block_bytes = 0;
  VisitSegments(memory, HeadersOf(*info), info->dlpi_addr,
                [&block_bytes](const ElfW(Phdr) & segment, const AddressRange&) {
                  if (segment.p_type == PT_TLS) block_bytes = segment.p_memsz;
                });
  Reader reader(memory, layout);
  ElfW(Sym) variable{};
  const auto is_thread_local = [](const ElfW(Sym) & symbol) {
    return ELF64_ST_TYPE(symbol.st_info) == STT_TLS;
  };
  const bool found =
      reader.tables().hashes != 0
          ? reader.FindDefinition(search.name, kAnyVersion, is_thread_local, &variable)
          : FindBySysv(reader, memory, layout, search.name, &variable);
  if (!found || block_bytes < sizeof(void*) || variable.st_value > block_bytes - sizeof(void*) ||
      variable.st_value % alignof(void*) != 0) {
    return 0;
  }
  ContextPlace place;
  place.module = info->dlpi_tls_modid;
  place.offset = variable.st_value;
  place.block_bytes = block_bytes;
  place.distance = FindDistance(reader, memory, layout, search.name, variable);
  if (place.distance != 0) {
    const uintptr_t address = ThreadPointer() + static_cast<uintptr_t>(place.distance);
    if (!IsReadable(address)) return 0;
    place.is_static = true;
    place.module = 0;
    // The module's word may lead to another module's variable of this name.
    const auto block = reinterpret_cast<uintptr_t>(info->dlpi_tls_data);
    if (block == 0 || block + place.offset != address) place.block_bytes = 0;
  }
  for (size_t i = 0; i < search.found.count; ++i) {
    if (place.is_static && search.found.places[i].is_static &&
        search.found.places[i].distance == place.distance) {
      return 0;
    }
  }
  search.found.places[search.found.count++] = place;
  return search.found.count == ContextPlaces::kMost ? 1 : 0;
}

}  // namespace

ContextPlaces FindThreadLocal(const char* name) noexcept {
  Search search{name, Reader::HashOf(name), {}};
  dl_iterate_phdr(Look, &search);
  return search.found;
}

uintptr_t AddressOf(const ContextPlace& place, AddressRange* block) noexcept {
  uintptr_t address = 0;
  if (place.is_static) {
    address = ThreadPointer() + static_cast<uintptr_t>(place.distance);
  } else {
    const BlockEntry* const blocks = BlocksOfThread();
    if (blocks == nullptr || place.module > blocks[-1].block) return 0;
    const uintptr_t begin = blocks[place.module].block;
    if (begin == kNoBlock || begin == 0) return 0;
    address = begin + place.offset;
  }
  *block = {address, address + sizeof(void*)};
  if (place.block_bytes != 0) {
    block->begin = address - place.offset;
    block->end = block->begin + place.block_bytes;
  }
  return address;
}

}  // namespace heapgauge
