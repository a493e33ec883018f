// Unwind tables.  Input: four bytes, the distance from the header to the address that is looked
// for; then .eh_frame_hdr and .eh_frame.
#include <link.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "target.h"
#include "trace/cfi_reader.h"
#include "trace/frame_expression.h"

namespace heapgauge::fuzz {
namespace {

constexpr size_t kPrefix = sizeof(int32_t);

void EvaluateAll(TableMemory& memory, const cfi::FullRow& row) {
  // A stack whose words lead to each other.
  static std::array<uintptr_t, 512> stack;
  FrameRegisters registers;
  for (size_t i = 0; i < stack.size(); ++i)
    stack[i] = reinterpret_cast<uintptr_t>(&stack[i * 7 % stack.size()]);
  for (uint64_t reg = 0; reg < cfi::kRegisters; ++reg)
    registers.Set(reg, reinterpret_cast<uintptr_t>(&stack[reg * 8]));
  registers.Forget(2);
  StackWords words;
  uint64_t cfa = 0;
  if (row.cfa.how == cfi::Cfa::kExpression)
    Evaluate(memory, row.cfa.expression, registers, nullptr, words, &cfa);
  for (const cfi::Saved& saved : row.saved) {
    uint64_t value = 0;
    if (saved.how == cfi::Saved::kAtExpression || saved.how == cfi::Saved::kIsExpression)
      Evaluate(memory, saved.expression, registers, &cfa, words, &value);
    if (saved.how == cfi::Saved::kAtOffset)
      words.Read(cfa + static_cast<uint64_t>(saved.offset), &value);
  }
}

template <typename Value>
Value At(const uint8_t* at) {
  Value value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

void Append(Bytes& to, int64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) to.push_back(static_cast<uint8_t>(value >> i * 8));
}

// One function of a module as a table of its own: the input that finds it again.
Bytes Alone(const uint8_t* record) {
  const uint8_t* const cie = record + 4 - At<uint32_t>(record + 4);
  const size_t cie_bytes = 4 + At<uint32_t>(cie);
  const size_t record_bytes = 4 + At<uint32_t>(record);
  constexpr int32_t kFunction = -4096;  // from the header, as far as the table knows
  constexpr int32_t kHeader = 20;
  const auto record_at = static_cast<int32_t>(kHeader + cie_bytes);
  Bytes bytes;
  Append(bytes, kFunction + static_cast<int32_t>(At<uint32_t>(record + 12) / 2), kPrefix);
  for (const uint8_t byte : {1, 0x1B, 0x03, 0x3B}) bytes.push_back(byte);
  Append(bytes, kHeader - 4, 4);
  Append(bytes, 1, 4);
  Append(bytes, kFunction, 4);
  Append(bytes, record_at, 4);
  bytes.insert(bytes.end(), cie, cie + cie_bytes);
  bytes.insert(bytes.end(), record, record + 4);
  Append(bytes, record_at + 4 - kHeader, 4);
  Append(bytes, kFunction - (record_at + 8), 4);
  bytes.insert(bytes.end(), record + 12, record + record_bytes);
  return bytes;
}

// Every so many-th function of a module, which the C library and the C++ library are.
int TakeSome(dl_phdr_info* info, size_t, void* to) {
  auto& seeds = *static_cast<std::vector<Bytes>*>(to);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_GNU_EH_FRAME) continue;
    const auto* const header =
        reinterpret_cast<const uint8_t*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    const uint32_t count = At<uint32_t>(header + 8);
    for (uint32_t row = 0; row < count; row += 1 + count / 40)
      seeds.push_back(Alone(header + At<int32_t>(header + 12 + 8 * row + 4)));
  }
  return 0;
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  if (size < kPrefix) return;
  const Guarded tables(data + kPrefix, size - kPrefix);
  const uintptr_t pc = reinterpret_cast<uintptr_t>(tables.begin()) +
                       static_cast<uintptr_t>(int64_t{At<int32_t>(data)});
  TableMemory memory(tables.begin(), tables.end());
  const FrameRule rule = ReadFrameRule(memory, tables.begin(), pc);
  // What a walk may do with it without looking again.
  if (rule.kind() == FrameRule::kStep &&
      (rule.frame_offset() > 0 || rule.frame_offset() % 8 != 0 || rule.cfa_offset() < 0)) {
    std::abort();
  }
  cfi::Entry entry;
  cfi::FullRow row;
  if (cfi::FindEntry(memory, tables.begin(), pc, &entry) && cfi::RunTo(pc, entry, &row))
    EvaluateAll(memory, row);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  dl_iterate_phdr(TakeSome, &seeds);
  // They must be found, or nothing is tried.
  size_t found = 0;
  for (const Bytes& seed : seeds) {
    const uintptr_t pc = reinterpret_cast<uintptr_t>(seed.data()) + kPrefix +
                         static_cast<uintptr_t>(int64_t{At<int32_t>(seed.data())});
    TableMemory memory(seed.data(), seed.data() + seed.size());
    cfi::Entry entry;
    if (cfi::FindEntry(memory, seed.data() + kPrefix, pc, &entry)) ++found;
  }
  if (found < seeds.size() * 9 / 10 || found < 100) std::abort();
  return seeds;
}

}  // namespace heapgauge::fuzz
