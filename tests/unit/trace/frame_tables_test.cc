// Our reading of the unwind tables against libdw's, all over the modules of this process.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "trace/frame_rule.h"

namespace heapgauge {
namespace {

#if defined(__x86_64__)
constexpr int kFramePointer = 6;
constexpr int kStackPointer = 7;
constexpr int kReturnAddress = 16;
bool IsPlace(int64_t return_offset) { return return_offset == -8; }
#else
constexpr int kFramePointer = 29;
constexpr int kStackPointer = 31;
constexpr int kReturnAddress = 30;
bool IsPlace(int64_t return_offset) { return return_offset < 0 && return_offset > -4096 * 8; }
#endif

struct Module {
  std::string path;
  uintptr_t bias = 0;
  uintptr_t begin = 0;  // of its executable segment, as linked
  uintptr_t end = 0;
};

std::vector<Module> Modules() {
  std::vector<Module> modules;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* to) {
        Module module;
        module.path = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";
        module.bias = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
          module.begin = segment.p_vaddr;
          module.end = segment.p_vaddr + segment.p_memsz;
        }
        static_cast<std::vector<Module>*>(to)->push_back(module);
        return 0;
      },
      &modules);
  return modules;
}

// A location that is a register plus an offset.
struct Place {
  uint64_t reg;
  int64_t offset;
};

std::optional<Place> CfaOf(Dwarf_Frame* frame) {
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (dwarf_frame_cfa(frame, &ops, &count) != 0 || count != 1) return std::nullopt;
  if (ops[0].atom == DW_OP_bregx) {
    return Place{ops[0].number, static_cast<int64_t>(ops[0].number2)};
  }
  if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
    return Place{static_cast<uint64_t>(ops[0].atom - DW_OP_breg0),
                 static_cast<int64_t>(ops[0].number)};
  }
  return std::nullopt;
}

enum class How { kSame, kUndefined, kSaved, kOther };
struct Register {
  How how = How::kOther;
  int64_t offset = 0;  // from the CFA
};

Register RegisterOf(Dwarf_Frame* frame, int number) {
  Dwarf_Op storage[3];
  Dwarf_Op* ops = nullptr;
  size_t count = 0;
  if (dwarf_frame_register(frame, number, storage, &ops, &count) != 0) return {};
  if (count == 0) return {ops == nullptr ? How::kSame : How::kUndefined, 0};
  if (ops[0].atom != DW_OP_call_frame_cfa) return {};
  if (count == 1) return {How::kSaved, 0};
  if (count == 2 && ops[1].atom == DW_OP_plus_uconst) {
    return {How::kSaved, static_cast<int64_t>(ops[1].number)};
  }
  return {};
}

FrameRule Expected(Dwarf_CFI* cfi, uintptr_t pc) {
  Dwarf_Frame* frame = nullptr;
  if (dwarf_cfi_addrframe(cfi, pc, &frame) != 0) return {};
  bool signal_frame = false;
  FrameRule rule;
  dwarf_frame_info(frame, nullptr, nullptr, &signal_frame);
  const std::optional<Place> cfa = CfaOf(frame);
  const Register caller = RegisterOf(frame, kReturnAddress);
  const Register frame_pointer = RegisterOf(frame, kFramePointer);
  if (!signal_frame && caller.how == How::kUndefined) {
    rule = FrameRule::End();
  } else if (!signal_frame && cfa && (cfa->reg == kFramePointer || cfa->reg == kStackPointer) &&
             caller.how == How::kSaved && IsPlace(caller.offset) &&
             frame_pointer.how != How::kOther) {
    rule = FrameRule::Step(cfa->reg == kFramePointer, static_cast<int32_t>(cfa->offset),
                           static_cast<int16_t>(frame_pointer.offset),
                           static_cast<uint16_t>(-caller.offset / 8));
  }
  std::free(frame);
  return rule;
}

TEST_CASE("rules are those that libdw reads, at random addresses of every module", "[trace]") {
  std::mt19937_64 random(1);
  size_t steps = 0;
  size_t compared = 0;
  for (const Module& module : Modules()) {
    const int file = open(module.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;  // the vdso
    elf_version(EV_CURRENT);
    Elf* const elf = elf_begin(file, ELF_C_READ_MMAP, nullptr);
    Dwarf_CFI* const cfi = elf != nullptr ? dwarf_getcfi_elf(elf) : nullptr;
    if (cfi != nullptr && module.end > module.begin) {
      for (int i = 0; i < 20'000; ++i) {
        const uintptr_t pc = module.begin + random() % (module.end - module.begin);
        const FrameRule expected = Expected(cfi, pc);
        const FrameRule found = FindFrameRule(module.bias + pc + 1);
        ++compared;
        if (found.kind() == FrameRule::kStep) ++steps;
        if (found.word() == expected.word()) continue;
        FAIL(module.path << " at " << std::hex << pc << ": rule " << found.word() << ", libdw's is "
                         << expected.word());
      }
      dwarf_cfi_end(cfi);
    }
    if (elf != nullptr) elf_end(elf);
    close(file);
  }
  CHECK(compared >= 80'000);  // libc, libstdc++, libm, libunwind and this program at least
#if defined(__x86_64__)
  CHECK(steps > compared * 8 / 10);  // the rest is padding, start code, odd frames
#else
  CHECK(steps > compared * 4 / 10);  // and what has not saved its return address
#endif
}

}  // namespace
}  // namespace heapgauge
