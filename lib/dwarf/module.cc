#include "dwarf/module.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "dwarf/limits.h"
#include "dwarf/lines.h"
#include "dwarf/names.h"
#include "dwarf/readable.h"
#include "dwarf/scopes.h"
#include "symbolize/module_files.h"
#include "symbolize/symbol_names.h"

namespace heapgauge::dwarf {
namespace {

class OpenModule final {
 public:
  OpenModule(const symbolize::HelperRequest::Module& module, const std::string& debug_root,
             uint64_t budget)
      : module_(module),
        debug_root_(debug_root),
        // Beside the binary, in .debug/ there, and under the root, as gdb looks.
        debug_path_(":.debug:" + debug_root),
        debug_path_text_(debug_path_.data()),
        budget_bytes_(budget) {
    callbacks_.find_elf = dwfl_build_id_find_elf;
    callbacks_.find_debuginfo = FindDebugInfo;
    callbacks_.section_address = dwfl_offline_section_address;
    callbacks_.debuginfo_path = &debug_path_text_;
    const std::string file = FileToOpen();
    if (file.empty()) return;
    Allow(file.c_str());
    dwfl_.reset(dwfl_begin(&callbacks_));
    if (!dwfl_) return;
    dwfl_report_begin(dwfl_.get());
    mod_ = dwfl_report_offline(dwfl_.get(), "module", file.c_str(), -1);
    dwfl_report_end(dwfl_.get(), nullptr, nullptr);
    if (mod_ == nullptr) return;
    void** user_data = nullptr;
    dwfl_module_info(mod_, &user_data, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    *user_data = this;
    if (dwfl_module_getelf(mod_, &file_bias_) == nullptr) mod_ = nullptr;
  }
  OpenModule(const OpenModule&) = delete;
  OpenModule& operator=(const OpenModule&) = delete;

  std::vector<DwarfQuery> Ask() {
    Dwarf_Addr dwarf_bias = 0;
    Dwarf* const dwarf = mod_ == nullptr ? nullptr : dwfl_module_getdwarf(mod_, &dwarf_bias);
    std::vector<DwarfQuery> queries(module_.offsets.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      queries[i].address = module_.offsets[i] + file_bias_ - dwarf_bias;
    }
    if (dwarf != nullptr) FindScopes(dwarf, queries);
    return queries;
  }

  // For symbols only libdwfl finds: the compressed table in .gnu_debugdata (Fedora).  It looks at
  // the whole table for each address: 40 ms in a library with as many symbols as LLVM.
  std::string SymbolAt(uint64_t offset) const {
    if (mod_ == nullptr || !has_mini_debug_info_) return {};
    GElf_Off from_start = 0;
    GElf_Sym symbol;
    const char* const name = dwfl_module_addrinfo(mod_, offset + file_bias_, &from_start, &symbol,
                                                  nullptr, nullptr, nullptr);
    return name == nullptr ? std::string() : name;
  }

 private:
  static int FindDebugInfo(Dwfl_Module* mod, void** user_data, const char* name, Dwarf_Addr base,
                           const char* file_name, const char* link, GElf_Word crc, char** found) {
    auto* const self = static_cast<OpenModule*>(*user_data);
    if (self == nullptr) return -1;
    if (std::exchange(self->debug_file_asked_, true)) {
      // The part that several debug files share (dwz's).
      const int fd =
          dwfl_standard_find_debuginfo(mod, user_data, name, base, file_name, link, crc, found);
      if (fd >= 0 && *found != nullptr) self->Allow(*found);
      return fd;
    }
    // libdwfl's own search would load libdebuginfod, and libcurl with it, where there is nothing.
    const std::string file = self->FindOwnDebugFile();
    if (file.empty()) return -1;
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    *found = strdup(file.c_str());  // libdwfl frees it
    self->Allow(file.c_str());
    return fd;
  }

  // The file may have been opened by another name (/proc/N/exe); debug files lie near its own.
  std::string FindOwnDebugFile() const {
    const auto file = symbolize::FindDebugFile(module_.path, module_.build_id,
                                               binary_ ? &*binary_ : nullptr, debug_root_);
    return file ? file->path : std::string();
  }

  // The binary; where it is gone or another by now, its debug file, which has its segments too.
  std::string FileToOpen() {
    binary_ = elf::ElfImage::OpenFile(module_.file.c_str());
    if (binary_ && !module_.build_id.empty() && binary_->build_id() != module_.build_id)
      binary_.reset();
    if (!binary_) return FindOwnDebugFile();
    has_mini_debug_info_ = binary_->FindSection(".gnu_debugdata") != nullptr;
    return module_.file;
  }

  // Room for the file's mapping on top of the budget.
  void Allow(const char* file) {
    struct stat status;
    if (stat(file, &status) == 0) file_bytes_ += static_cast<uint64_t>(status.st_size);
    LimitMemory(budget_bytes_, file_bytes_);
  }

  struct EndDwfl {
    void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
  };

  const symbolize::HelperRequest::Module& module_;
  const std::string& debug_root_;
  std::string debug_path_;
  char* debug_path_text_;
  const uint64_t budget_bytes_;
  uint64_t file_bytes_ = 0;
  std::optional<elf::ElfImage> binary_;  // if it is the module's
  bool has_mini_debug_info_ = false;
  bool debug_file_asked_ = false;
  Dwfl_Callbacks callbacks_ = {};
  std::unique_ptr<Dwfl, EndDwfl> dwfl_;
  Dwfl_Module* mod_ = nullptr;
  Dwarf_Addr file_bias_ = 0;  // libdwfl's address - the file's
};

void Place(Frame& frame, SourcePosition position) {
  frame.file = std::move(position.file);
  frame.line = position.line;
}

std::vector<Frame> FramesOf(DwarfQuery& query, const std::string& symbol, DwarfNames& names) {
  std::vector<Frame> frames;
  SourcePosition position;
  if (query.unit) {
    Dwarf_Addr begin = query.address;
    if (!query.scopes.empty()) {
      dwarf_entrypc(&query.scopes.back(), &begin);
      begin = std::min<Dwarf_Addr>(begin, query.address);
    }
    position = LineAt(&*query.unit, query.address, begin);
  }
  for (size_t i = query.scopes.size(); i-- > 0;) {
    Dwarf_Die& scope = query.scopes[i];
    Frame& frame = frames.emplace_back();
    frame.inlined = i != 0;
    frame.function = names.Of(&scope, frame.inlined ? std::string() : symbol);
    Place(frame, std::move(position));
    position = frame.inlined ? CallSite(&scope) : SourcePosition();
  }
  if (frames.empty()) {
    Frame& frame = frames.emplace_back();
    frame.function = Readable(symbol);
    Place(frame, std::move(position));
  }
  return frames;
}

}  // namespace

std::vector<std::vector<Frame>> FramesOfModule(const symbolize::HelperRequest::Module& module,
                                               const std::string& debug_root,
                                               uint64_t memory_budget_bytes) {
  OpenModule open(module, debug_root, memory_budget_bytes);
  std::vector<DwarfQuery> queries = open.Ask();
  const std::string& named_file = module.file.empty() ? module.path : module.file;
  std::vector<std::string> symbols =
      symbolize::SymbolNames(named_file, module.build_id, module.offsets, debug_root);
  DwarfNames names;
  std::vector<std::vector<Frame>> frames;
  for (size_t i = 0; i < queries.size(); ++i) {
    if (symbols[i].empty() && queries[i].scopes.empty())
      symbols[i] = open.SymbolAt(module.offsets[i]);
    frames.push_back(FramesOf(queries[i], symbols[i], names));
  }
  return frames;
}

}  // namespace heapgauge::dwarf
