// A pprof profile of anybody's, and a batch of old reports: what is packed in files beside
// reports.jsonl.  The first byte says which.
#include <string>

#include "report/history_batch.h"
#include "report/pprof_profile.h"
#include "report/pprof_reader.h"
#include "report/pprof_writer.h"
#include "report/text_writer.h"
#include "sample_report.h"
#include "target.h"

namespace heapgauge::fuzz {
namespace {

constexpr char kProfile = 'p';

Bytes Seed(char kind, const std::string& text) {
  const std::string whole = kind + text;
  return {whole.begin(), whole.end()};
}

}  // namespace

void RunTarget(const uint8_t* data, size_t size) {
  if (size == 0) return;
  const Guarded bytes(data + 1, size - 1);
  const std::string text(bytes.begin(), bytes.end());
  std::string error;
  if (data[0] == kProfile) {
    if (const auto report = FromPprof(text, &error)) ToText(*report);
    return;
  }
  size_t count = 0;
  UnpackHistory(
      text, [&](Report&&) { return ++count < 100; }, &error);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  HistoryPacker packer;
  for (const bool odd : {false, true}) {
    const Report report = SampleReport(7, odd);
    seeds.push_back(Seed(kProfile, ToPprofProto(report)));
    seeds.push_back(Seed(kProfile, ToPprof(report)));
    for (uint64_t i = 0; i < 5; ++i) packer.Add(SampleReport(7 + i, odd), 100);
  }
  seeds.push_back(Seed('h', packer.Take()));
  return seeds;
}

}  // namespace heapgauge::fuzz
