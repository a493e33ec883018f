// Is a stopped thread in a place where pthread_create() can be called in its name?
//
// That call takes memory from the program's allocator and locks of the C library and the loader.
// None of them may be held by the borrowed thread itself, so none of its frames may lie in them.
#ifndef HEAPGAUGE_ATTACH_STACK_H_
#define HEAPGAUGE_ATTACH_STACK_H_

#include <sys/types.h>

#include <memory>
#include <set>
#include <vector>

#include "attach/process.h"

namespace heapgauge::attach {

class StackJudge final {
 public:
  // `c_library` and `loader`: those among `modules`.  Reads the unwind tables of all modules:
  // before any thread is stopped.
  StackJudge(pid_t pid, const std::vector<LoadedModule>& modules, const LoadedModule& c_library,
             const LoadedModule& loader, const ModuleSymbols& c_symbols);
  ~StackJudge();
  StackJudge(const StackJudge&) = delete;
  StackJudge& operator=(const StackJudge&) = delete;

  // Of a thread that is in a ptrace stop of ours; `waits`: in a system call.
  bool IsSafe(pid_t thread, bool waits);

 private:
  struct Unwinder;
  bool IsUnsafePlace(uint64_t address) const;

  const LoadedModule& c_library_;
  const LoadedModule& loader_;
  const ModuleSymbols& c_symbols_;
  std::set<uint64_t> unsafe_;  // functions of the C library, by address: they have aliases
  std::vector<LoadedModule> allocators_;  // modules that export malloc, the C library left out
  std::unique_ptr<Unwinder> unwinder_;
};

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_STACK_H_
