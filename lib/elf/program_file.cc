#include "elf/program_file.h"

#include <elf.h>
#include <unistd.h>

#include <climits>
#include <cstring>

#include "base/descriptor.h"
#include "elf/module_layout.h"

namespace heapgauge::elf {
namespace {

bool ReadAt(const Descriptor& file, uint64_t offset, void* to, size_t size) {
  const auto at = static_cast<off_t>(offset);
  return at >= 0 && pread(file.get(), to, size, at) == static_cast<ssize_t>(size);
}

std::string LoaderOf(const Descriptor& file, const Elf64_Ehdr& header) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > ProgramHeaders::kMost) return {};
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!ReadAt(file, header.e_phoff + i * sizeof(segment), &segment, sizeof(segment))) return {};
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_filesz == 0 || segment.p_filesz > PATH_MAX) return {};
    std::string loader(segment.p_filesz, '\0');
    if (!ReadAt(file, segment.p_offset, loader.data(), loader.size())) return {};
    loader.resize(strnlen(loader.data(), loader.size()));
    return loader;
  }
  return {};
}

}  // namespace

ProgramFile ReadProgramFile(const std::string& path) {
  ProgramFile program;
  const Descriptor file = Descriptor::OpenToRead(path.c_str());
  Elf64_Ehdr header;
  if (!file.valid() || !ReadAt(file, 0, &header, sizeof(header)) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return program;
  }
  if (header.e_ident[EI_CLASS] == ELFCLASS32) program.word_bits = 32;
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return program;
  program.word_bits = 64;
  program.loader = LoaderOf(file, header);
  return program;
}

}  // namespace heapgauge::elf
