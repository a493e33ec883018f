#include "trace/module_facts.h"

#include <link.h>

#include <algorithm>
#include <cstring>

#include "base/content_hash.h"
#include "base/readable.h"
#include "elf/module_layout.h"
#include "elf/module_memory.h"

namespace heapgauge {
namespace {

// This runs on stacks of signal handlers: what is read is read in small pieces.
//
// What linkers put beside a build-id takes 100 bytes.
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

void TakeBuildId(const ElfW(Phdr) & note, const AddressRange& range, ModuleFacts* facts) noexcept {
  const uintptr_t at = range.begin;
  if (facts->build_id_size != 0 || at < facts->begin || at >= facts->end) return;
  uint8_t bytes[kMostNoteBytes];
  const size_t size = std::min<size_t>({note.p_memsz, sizeof bytes, facts->end - at});
  if (!CopyReadable(bytes, reinterpret_cast<const void*>(at), size)) return;
  const auto id = FindBuildId({bytes, size}, note.p_align);
  std::copy(id.begin(), id.end(), facts->build_id.begin());
  facts->build_id_size = id.size();
}

}  // namespace

void ReadModuleFacts(const ModuleAround& module, ModuleFacts* facts) noexcept {
  *facts = {};
  facts->begin = module.range().begin;
  facts->end = module.range().end;
  facts->bias = module.map()->l_addr;
  if (module.name() != nullptr) facts->name = module.name();
  size_t mapped = 0;  // bytes of the file's begin
  // Every linker begins the first segment with the file's header.
  CheckedMemory memory;
  ProgramHeaders headers;
  if (FindHeaders(memory, facts->begin, &headers)) {
    VisitSegments(memory, headers, facts->bias,
                  [&](const ElfW(Phdr) & segment, const AddressRange& range) {
                    if (segment.p_type == PT_LOAD && segment.p_offset == 0) {
                      mapped = segment.p_filesz;
                    }
                    if (segment.p_type == PT_NOTE) TakeBuildId(segment, range, facts);
                  });
  }
  if (facts->build_id_size == 0) {
    ContentHash hash;
    facts->head = HeadOf(*facts, mapped);
    hash.Mix(&facts->head.hash, sizeof facts->head.hash);
    MixMemory(reinterpret_cast<uintptr_t>(module.map()->l_ld), kTableBytes, *facts, &hash);
    MixMemory(reinterpret_cast<uintptr_t>(module.frame_tables()), kTableBytes, *facts, &hash);
    facts->content = hash.Get();
  }
}

}  // namespace heapgauge
