#include "trace/module_facts.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstring>

#include "base/content_hash.h"
#include "base/readable.h"

namespace heapgauge {
namespace {

// This runs on stacks of signal handlers: what is read is read in small pieces.
//
// A module has a dozen program headers; what linkers put beside a build-id takes 100 bytes.
constexpr size_t kMostHeaders = 64;
constexpr size_t kMostNoteBytes = 512;
// Of a table of the module's functions, by which one without a build-id is known.
constexpr size_t kTableBytes = 1024;

// False: not all of it can be read.
bool MixMemory(uintptr_t begin, size_t size, const ModuleFacts& facts, ContentHash* hash) noexcept {
  unsigned char bytes[256];
  if (begin < facts.begin || begin >= facts.end) return false;
  size = std::min<size_t>(size, facts.end - begin);
  for (size_t done = 0; done < size;) {
    const size_t piece = std::min(sizeof bytes, size - done);
    if (!CopyReadable(bytes, reinterpret_cast<const void*>(begin + done), piece)) return false;
    hash->Mix(bytes, piece);
    done += piece;
  }
  return true;
}

// As it lies in memory.
FileHead HeadOf(const ModuleFacts& facts, size_t mapped) noexcept {
  ContentHash hash;
  const size_t bytes = std::min<size_t>(mapped, FileHead::kMostBytes);
  if (bytes == 0 || !MixMemory(facts.begin, bytes, facts, &hash)) return {};
  return {static_cast<uint32_t>(bytes), hash.Get()};
}

void TakeBuildId(const ElfW(Phdr) & note, ModuleFacts* facts) noexcept {
  const uintptr_t at = facts->bias + note.p_vaddr;
  if (facts->build_id_size != 0 || at < facts->begin || at >= facts->end) return;
  uint8_t bytes[kMostNoteBytes];
  const size_t size = std::min<size_t>({note.p_memsz, sizeof bytes, facts->end - at});
  if (!CopyReadable(bytes, reinterpret_cast<const void*>(at), size)) return;
  const auto id = FindBuildId({bytes, size}, note.p_align);
  std::copy(id.begin(), id.end(), facts->build_id.begin());
  facts->build_id_size = id.size();
}

}  // namespace

void ReadModuleFacts(const dl_find_object& object, ModuleFacts* facts) noexcept {
  *facts = {};
  facts->begin = reinterpret_cast<uintptr_t>(object.dlfo_map_start);
  facts->end = reinterpret_cast<uintptr_t>(object.dlfo_map_end);
  facts->bias = object.dlfo_link_map->l_addr;
  if (object.dlfo_link_map->l_name != nullptr) facts->name = object.dlfo_link_map->l_name;
  size_t mapped = 0;  // bytes of the file's begin
  ElfW(Ehdr) header;
  // Every linker begins the first segment with the file's header.
  if (facts->end - facts->begin >= sizeof header &&
      CopyReadable(&header, object.dlfo_map_start, sizeof header) &&
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      header.e_phentsize == sizeof(ElfW(Phdr))) {
    const size_t count = std::min<size_t>(header.e_phnum, kMostHeaders);
    for (size_t i = 0; i < count; ++i) {
      const uintptr_t at = facts->begin + header.e_phoff + i * sizeof(ElfW(Phdr));
      ElfW(Phdr) segment;
      if (at < facts->begin || at > facts->end - sizeof segment ||
          !CopyReadable(&segment, reinterpret_cast<const void*>(at), sizeof segment)) {
        break;
      }
      if (segment.p_type == PT_LOAD && segment.p_offset == 0) mapped = segment.p_filesz;
      if (segment.p_type == PT_NOTE) TakeBuildId(segment, facts);
    }
  }
  if (facts->build_id_size == 0) {
    ContentHash hash;
    facts->head = HeadOf(*facts, mapped);
    hash.Mix(&facts->head.hash, sizeof facts->head.hash);
    MixMemory(reinterpret_cast<uintptr_t>(object.dlfo_link_map->l_ld), kTableBytes, *facts, &hash);
    MixMemory(reinterpret_cast<uintptr_t>(object.dlfo_eh_frame), kTableBytes, *facts, &hash);
    facts->content = hash.Get();
  }
}

}  // namespace heapgauge
