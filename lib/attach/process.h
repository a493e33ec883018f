// A running process seen from outside: its state, its memory, the modules in it and where their
// functions are.
//
// Everything is read from the process itself and from /proc/PID, never from files of the same name
// here: it may have other ones (a container, an upgrade since it started).  It may be hostile as
// well, and we may be root: what it says of itself is read within bounds, whatever sizes it names.
#ifndef HEAPGAUGE_ATTACH_PROCESS_H_
#define HEAPGAUGE_ATTACH_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge::attach {

struct Mapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  uint64_t offset = 0;
  std::string path;  // "" for memory without a file
};

struct LoadedModule {
  std::string path;   // as the process has it
  uint64_t base = 0;  // of the file's first byte
  uint64_t end = 0;
  bool has_code = false;
  bool Holds(uint64_t address) const { return address >= base && address < end; }
};

// What may still be read of the tables of all modules of a process together.  Programs of a
// thousand modules have a quarter of that.
struct ReadBudget {
  uint64_t bytes_left = uint64_t{1} << 30;
};

enum class Exports : uint8_t { kNo, kYes, kUnknown /* the budget is spent */ };
// Does the module export a function of that name?
Exports ExportsFunction(pid_t pid, const LoadedModule& module, std::string_view name,
                        ReadBudget* budget);

// Of one ELF module in the process's memory.
class ModuleSymbols final {
 public:
  // All functions that the module exports, by address; long names are not looked for and left out.
  // Empty if it can't be read.
  ModuleSymbols(pid_t pid, const LoadedModule& module);

  // 0 when it exports none of that name.  Of several versions the default one.
  uint64_t Find(std::string_view name) const;
  // Where the last exported function begins that begins at or before `address`; 0 if none does.
  uint64_t BeginBefore(uint64_t address) const;
  bool empty() const { return begins_.empty(); }

 private:
  std::map<std::string, uint64_t, std::less<>> by_name_;
  std::set<uint64_t> begins_;
};

bool ReadMemory(pid_t pid, uint64_t from, void* to, size_t bytes);
bool WriteMemory(pid_t pid, uint64_t to, const void* from, size_t bytes);

// Empty when they can't be read, and when they are more than can be believed.
std::vector<Mapping> ReadMappings(pid_t pid);
std::vector<LoadedModule> ModulesOf(const std::vector<Mapping>& mappings);

// A field of /proc/PID/status (or of a thread's), "" if there is none: "TracerPid" -> "0".
std::string StatusField(const std::string& directory, std::string_view field);

std::vector<pid_t> ThreadsOf(pid_t pid);

// Nobody can be attached to it any more: it is gone, or waits to be asked for its status.
bool HasEnded(pid_t pid);

// What tells the program that a process runs from the one that exec() makes of it; "" when it can't
// be had.
std::string ImageOf(pid_t pid);

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_PROCESS_H_
