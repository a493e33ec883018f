#include "dwarf/answer.h"

#include <errno.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <vector>

#include "base/whole_io.h"
#include "dwarf/debuginfod.h"
#include "dwarf/limits.h"
#include "dwarf/module.h"
#include "symbolize/helper_protocol.h"

namespace heapgauge::dwarf {
namespace {

using symbolize::HelperRequest;
using symbolize::ResponseEncoder;

// Exit statuses, for whoever traces a helper.
constexpr int kOk = 0;
constexpr int kBadRequest = 2;
constexpr int kNoMemory = 3;
constexpr int kNobodyListens = 4;

// A report's request is under 100 KiB.
constexpr size_t kMaxRequestBytes = size_t{64} * 1024 * 1024;

// A module that can't be worked on is closed without frames; the asker then takes names itself.
void Answer(const HelperRequest& request, uint32_t index, uint64_t budget, ResponseEncoder& out) {
  try {
    std::string problem;
    std::vector<std::vector<Frame>> frames;
    if (!request.modules[index].offsets.empty()) {
      frames = FramesOfModule(request.modules[index], request.debug_root, budget, &problem);
    }
    if (!problem.empty()) out.Note(index, problem);
    for (size_t i = 0; i < frames.size(); ++i)
      out.Frames(index, static_cast<uint32_t>(i), frames[i]);
    if (!request.modules[index].places.empty()) {
      const auto places = PlacesOfModule(request.modules[index], request.debug_root, budget);
      for (size_t i = 0; i < places.size(); ++i) {
        if (!places[i].variable.empty()) out.Place(index, static_cast<uint32_t>(i), places[i]);
      }
    }
  } catch (const std::exception&) {
  }
  out.ModuleEnd(index);
}

}  // namespace

int AnswerRequest(int in_fd, int out_fd) {
  LimitProcess();
  const uint64_t budget = MemoryBudget();
  if (budget < kMinMemoryBytes) return kNoMemory;
  LimitMemory(budget, 0);

  std::string bytes;
  if (!ReadAll(in_fd, kMaxRequestBytes, &bytes)) return kBadRequest;
  const auto request = symbolize::DecodeRequest(bytes);
  if (!request) return kBadRequest;
  SetDebuginfod(request->debuginfod);

  ResponseEncoder out;
  for (uint32_t i = 0; i < request->modules.size(); ++i) {
    // Before the work starts: if it ends us, the asker knows by which module.
    out.ModuleBegin(i);
    if (!WriteAll(out_fd, out.Take())) return kNobodyListens;
    Answer(*request, i, budget, out);
    if (!WriteAll(out_fd, out.Take())) return kNobodyListens;
  }
  out.End();
  return WriteAll(out_fd, out.Take()) ? kOk : kNobodyListens;
}

}  // namespace heapgauge::dwarf
