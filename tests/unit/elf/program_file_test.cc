#include "elf/program_file.h"

#include <elf.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>

#include "unit/report/temp_directory.h"

namespace heapgauge::elf {
namespace {

constexpr char kLoader[] = "/lib64/ld-linux-x86-64.so.2";

struct Head {
  Elf64_Ehdr header{};
  Elf64_Phdr segments[2]{};
  char loader[sizeof(kLoader)];

  Head() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phoff = offsetof(Head, segments);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    segments[0].p_type = PT_PHDR;
    segments[1].p_type = PT_INTERP;
    segments[1].p_offset = offsetof(Head, loader);
    segments[1].p_filesz = sizeof(loader);
    std::memcpy(loader, kLoader, sizeof(loader));
  }
  std::string Bytes(size_t size = sizeof(Head)) const {
    return {reinterpret_cast<const char*>(this), size};
  }
};

ProgramFile Read(const std::string& content) {
  const TempDirectory temp;
  return ReadProgramFile(temp.Write("program", content));
}

TEST_CASE("a program's words and its loader are read from its file", "[elf]") {
  Head head;
  CHECK(Read(head.Bytes()).word_bits == 64);
  CHECK(Read(head.Bytes()).loader == kLoader);
  head.header.e_ident[EI_CLASS] = ELFCLASS32;
  CHECK(Read(head.Bytes()).word_bits == 32);
  CHECK(ReadProgramFile("/proc/self/exe").word_bits == 8 * sizeof(void*));
}

TEST_CASE("what is no program, or can't be read, has no words", "[elf]") {
  const TempDirectory temp;
  CHECK(Read("").word_bits == 0);
  CHECK(Read("#!/bin/sh\n").word_bits == 0);
  CHECK(Read(Head().Bytes(sizeof(Elf64_Ehdr) - 1)).word_bits == 0);
  CHECK(ReadProgramFile(temp / "none").word_bits == 0);
  CHECK(ReadProgramFile(temp.path()).word_bits == 0);
  REQUIRE(mkfifo((temp / "pipe").c_str(), 0600) == 0);
  CHECK(ReadProgramFile(temp / "pipe").word_bits == 0);  // and nobody is waited for
}

TEST_CASE("headers that lie name no loader", "[elf]") {
  const Head good;
  for (size_t size = sizeof(Elf64_Ehdr); size < offsetof(Head, loader) + sizeof(kLoader); ++size) {
    CAPTURE(size);
    CHECK(Read(good.Bytes(size)).loader.empty());
  }
  const auto with = [](void (*change)(Head*)) {
    Head head;
    change(&head);
    return Read(head.Bytes()).loader;
  };
  CHECK(with([](Head* head) { head->header.e_phoff = UINT64_MAX - 8; }).empty());
  CHECK(with([](Head* head) { head->header.e_phnum = UINT16_MAX; }).empty());
  CHECK(with([](Head* head) { head->header.e_phentsize = 0; }).empty());
  CHECK(with([](Head* head) { head->segments[1].p_filesz = uint64_t{16} << 30; }).empty());
  CHECK(with([](Head* head) { head->segments[1].p_filesz = 0; }).empty());
  CHECK(with([](Head* head) { head->segments[1].p_offset = UINT64_MAX; }).empty());
  // Without its NUL it ends where the segment does.
  CHECK(with([](Head* head) { head->segments[1].p_filesz = sizeof(kLoader) - 1; }) == kLoader);
}

}  // namespace
}  // namespace heapgauge::elf
