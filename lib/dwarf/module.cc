#include "dwarf/module.h"

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/descriptor.h"
#include "dwarf/debuginfod.h"
#include "dwarf/limits.h"
#include "dwarf/lines.h"
#include "dwarf/names.h"
#include "dwarf/plain_file.h"
#include "dwarf/readable.h"
#include "dwarf/scopes.h"
#include "dwarf/variables.h"
#include "elf/hex.h"
#include "symbolize/demangle.h"
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
    debug_file_ = file;
    Allow(file.c_str());
    dwfl_.reset(dwfl_begin(&callbacks_));
    if (!dwfl_) return;
    dwfl_report_begin(dwfl_.get());
    mod_ = dwfl_report_offline(dwfl_.get(), "module", file.c_str(), OpenToRead(file));
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
    if (dwarf != nullptr) FindShared(dwarf);
    std::vector<DwarfQuery> queries(module_.offsets.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      queries[i].address = module_.offsets[i] + file_bias_ - dwarf_bias;
    }
    if (dwarf != nullptr) SayMissing(FindScopes(dwarf, queries));
    return queries;
  }

  std::vector<VariablePlace> NamePlaces() {
    Dwarf_Addr dwarf_bias = 0;
    Dwarf* const dwarf = mod_ == nullptr ? nullptr : dwfl_module_getdwarf(mod_, &dwarf_bias);
    if (dwarf == nullptr) return std::vector<VariablePlace>(module_.places.size());
    FindShared(dwarf);
    FrameTables tables;
    Dwarf_Addr bias = 0;
    tables.eh = dwfl_module_eh_cfi(mod_, &bias);
    tables.eh_bias = file_bias_ - bias;
    tables.debug = dwfl_module_dwarf_cfi(mod_, &bias);
    tables.debug_bias = file_bias_ - bias;
    return NameVariables(dwarf, file_bias_ - dwarf_bias, tables, module_.places);
  }

  // Why debug information that is there could not be read; "" if it could.
  const std::string& problem() const { return problem_; }

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
  static int FindDebugInfo(Dwfl_Module*, void** user_data, const char*, Dwarf_Addr, const char*,
                           const char*, GElf_Word, char** found) {
    auto* const self = static_cast<OpenModule*>(*user_data);
    if (self == nullptr) return -1;
    // libdwfl's own search would load libdebuginfod, and libcurl with it, where there is nothing.
    const std::string file = self->FindOwnDebugFile();
    if (file.empty()) return -1;
    const int fd = self->OpenToRead(file);
    if (fd < 0) return -1;
    *found = strdup(file.c_str());  // libdwfl frees it
    self->debug_file_ = file;
    self->Allow(file.c_str());
    return fd;
  }

  // The part that several debug files share (dwz's): beside the file that names it, below the root's
  // .dwz, and by its build-id.
  void FindShared(Dwarf* dwarf) {
    const char* name = nullptr;
    const void* id = nullptr;
    const ssize_t id_size = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
    if (id_size <= 0 || name == nullptr) return;
    const std::string build_id =
        elf::ToHex({static_cast<const uint8_t*>(id), static_cast<size_t>(id_size)});
    const std::filesystem::path link = name;
    const std::filesystem::path root = debug_root_;
    for (const std::filesystem::path& file :
         {std::filesystem::path(debug_file_).parent_path() / link, root / ".dwz" / link.filename(),
          root / ".build-id" / build_id.substr(0, 2) / (build_id.substr(2) + ".debug")}) {
      const auto image = elf::ElfImage::OpenFile(file.c_str());
      if (!image || image->build_id() != build_id) continue;
      Allow(file.c_str());
      shared_file_ = Descriptor(OpenToRead(file));
      shared_.reset(dwarf_begin(shared_file_.get(), DWARF_C_READ));
      if (shared_) dwarf_setalt(dwarf, shared_.get());
      return;
    }
  }

  // libdw looks for .dwo files alone; what dwp packs of them has an index that it can't read.
  void SayMissing(const std::string& split_file) {
    if (split_file.empty() || !problem_.empty()) return;
    const std::string package = debug_file_ + ".dwp";
    std::error_code error;
    const bool packed = std::filesystem::exists(package, error) ||
                        std::filesystem::exists(module_.path + ".dwp", error);
    problem_ = module_.path + ": " +
               (packed ? "inlined functions are in its .dwp, which can't be read here; the .dwo "
                         "files that it was made of can"
                       : "inlined functions are in split debug information, and " + split_file +
                             " is not there");
  }

  // The file may have been opened by another name (/proc/N/exe); debug files lie near its own.
  std::string FindOwnDebugFile() const {
    const auto file = symbolize::FindDebugFile(module_.path, module_.build_id,
                                               binary_ ? &*binary_ : nullptr, debug_root_);
    if (file) return file->path;
    std::string fetched = AskDebuginfod(module_.build_id);
    if (fetched.empty()) return {};
    const auto image = elf::ElfImage::OpenFile(fetched.c_str());
    return image && image->build_id() == module_.build_id ? fetched : std::string();
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

  // The file, or what libdw can read of it.  The caller closes it; -1: there is none.
  int OpenToRead(const std::string& file) {
    const int plain = OpenPlain(file);
    return plain >= 0 ? plain : open(file.c_str(), O_RDONLY | O_CLOEXEC);
  }

  // -1: libdw can read it as it is, or nobody can.
  int OpenPlain(const std::string& file) {
    const auto image = elf::ElfImage::OpenFile(file.c_str());
    if (!image || !HasZstdSections(*image)) return -1;
    // What is inflated lies in memory as well, so it comes out of the budget.
    const uint64_t most = (budget_bytes_ - std::min(budget_bytes_, plain_bytes_)) / 2;
    LimitMemory(budget_bytes_, file_bytes_ + 2 * most);
    PlainFile plain = MakePlain(*image, file, most);
    if (!plain.problem.empty()) problem_ = plain.problem;
    if (plain.file.valid()) {
      plain_bytes_ += plain.bytes;
      file_bytes_ += plain.bytes;
    }
    LimitMemory(budget_bytes_ - std::min(budget_bytes_, plain_bytes_), file_bytes_);
    return plain.file.valid() ? fcntl(plain.file.get(), F_DUPFD_CLOEXEC, 3) : -1;
  }

  // Room for the file's mapping on top of the budget.
  void Allow(const char* file) {
    struct stat status;
    if (stat(file, &status) == 0) file_bytes_ += static_cast<uint64_t>(status.st_size);
    LimitMemory(budget_bytes_ - std::min(budget_bytes_, plain_bytes_), file_bytes_);
  }

  struct EndDwarf {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
  };
  struct EndDwfl {
    void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
  };

  const symbolize::HelperRequest::Module& module_;
  const std::string& debug_root_;
  std::string debug_path_;
  char* debug_path_text_;
  const uint64_t budget_bytes_;
  uint64_t file_bytes_ = 0;
  uint64_t plain_bytes_ = 0;  // of them, of files in memory
  std::string problem_;
  std::optional<elf::ElfImage> binary_;  // if it is the module's
  bool has_mini_debug_info_ = false;
  std::string debug_file_;
  Descriptor shared_file_;
  std::unique_ptr<Dwarf, EndDwarf> shared_;  // outlives what refers to it
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
    frame.verbatim = {symbolize::IsVerbatim(symbol, frame.function)};
    Place(frame, std::move(position));
    position = frame.inlined ? CallSite(&scope) : SourcePosition();
  }
  if (frames.empty()) {
    Frame& frame = frames.emplace_back();
    frame.function = Readable(symbol);
    frame.verbatim = {symbolize::IsVerbatim(symbol, frame.function)};
    Place(frame, std::move(position));
  }
  return frames;
}

}  // namespace

std::vector<std::vector<Frame>> FramesOfModule(const symbolize::HelperRequest::Module& module,
                                               const std::string& debug_root,
                                               uint64_t memory_budget_bytes, std::string* problem) {
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
  *problem = open.problem();
  return frames;
}

std::vector<VariablePlace> PlacesOfModule(const symbolize::HelperRequest::Module& module,
                                          const std::string& debug_root,
                                          uint64_t memory_budget_bytes) {
  return OpenModule(module, debug_root, memory_budget_bytes).NamePlaces();
}

}  // namespace heapgauge::dwarf
