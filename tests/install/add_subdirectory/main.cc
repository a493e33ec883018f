// Exact mode: one block of a known size must show up in the totals.
#include <cstdio>
#include <heapgauge/heapgauge.hpp>
#include <memory>

int main() {
  using heapgauge::Status;
  heapgauge::Snapshot before;
  heapgauge::Snapshot after;
  if (heapgauge::Start() != Status::kOk || heapgauge::SetSampleInterval(1) != Status::kOk) return 1;
  if (heapgauge::TakeSnapshot(before, 0) != Status::kOk) return 1;
  const auto block = std::make_unique<char[]>(12'345);
  if (heapgauge::TakeSnapshot(after, 0) != Status::kOk) return 1;
  const double grown = after.live_bytes() - before.live_bytes();
  std::printf("grown by %.0f bytes (true: 12345)\n", grown);
  if (heapgauge::WriteReport() != Status::kOk) return 1;
  return grown == 12'345 && block[0] == 0 ? 0 : 1;
}
