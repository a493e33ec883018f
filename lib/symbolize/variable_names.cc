#include "symbolize/variable_names.h"

#include <chrono>
#include <map>
#include <utility>

#include "helper/program_path.h"
#include "symbolize/debuginfod_settings.h"
#include "symbolize/helper_client.h"
#include "symbolize/lines_wanted.h"
#include "symbolize/module_files.h"

namespace heapgauge {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

using symbolize::HelperClient;
using symbolize::HelperRequest;

VariableNames::VariableNames(bool wanted) {
  if (!wanted) return;
  helper_ = std::make_unique<HelperClient>(FindProgram(kSymbolizeProgram));
  debuginfod_ = symbolize::DebuginfodSettings();
}

VariableNames::~VariableNames() = default;

std::vector<VariablePlace> VariableNames::Find(std::span<const ModuleAddress> modules,
                                               std::span<const PlaceQuestion> places) {
  std::vector<VariablePlace> named(places.size());
  if (helper_ == nullptr || !helper_->Ready()) return named;
  HelperRequest request;
  request.debug_root = Symbolizer::Options().debug_root;
  request.debuginfod = debuginfod_;
  std::map<std::string, size_t> known;     // modules of the request, by path
  std::vector<std::vector<size_t>> asked;  // of each: indices of its places
  for (size_t i = 0; i < places.size(); ++i) {
    const auto [at, added] = known.try_emplace(modules[i].module, request.modules.size());
    if (added) {
      HelperRequest::Module& module = request.modules.emplace_back();
      module.path = modules[i].module;
      module.build_id = modules[i].build_id;
      asked.emplace_back();
      if (symbolize::LinesWanted(module.path, module.build_id, request.debug_root,
                                 !debuginfod_.empty())) {
        const auto binary = symbolize::FindBinary(module.path, module.build_id);
        if (binary) module.file = binary->path;
      }
    }
    HelperRequest::Module& module = request.modules[at->second];
    if (module.file.empty()) continue;
    module.places.push_back(places[i]);
    asked[at->second].push_back(i);
  }
  std::erase_if(request.modules, [](const auto& module) { return module.places.empty(); });
  std::erase_if(asked, [](const auto& indices) { return indices.empty(); });
  if (request.modules.empty()) return named;
  auto answers = helper_->Ask(request, std::chrono::steady_clock::now() + kPatience);
  for (size_t k = 0; k < answers.size(); ++k) {
    for (size_t n = 0; n < asked[k].size(); ++n) {
      named[asked[k][n]] = std::move(answers[k].places[n]);
    }
  }
  return named;
}

}  // namespace heapgauge
