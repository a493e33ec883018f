// Brings the library into a process and hands it a request.
#ifndef HEAPGAUGE_ATTACH_INJECTION_H_
#define HEAPGAUGE_ATTACH_INJECTION_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "attach/patience.h"
#include "attach/process.h"
#include "core_api/attach_request.h"

namespace heapgauge::attach {

// A process that was found fit: what was learned about it.
struct AttachTarget {
  pid_t pid = 0;
  std::vector<LoadedModule> modules;
  LoadedModule c_library;
  LoadedModule loader;
  Patience* patience = nullptr;
  uint64_t entry = 0;  // of libheapgauge.so, when it is in there already
  std::string image;   // ImageOf() it, before anything else was read
};

struct AttachOutcome {
  bool done = false;
  std::string text;    // the report directory, or what went wrong
  bool report = true;  // false: tracked, but no report could be written
  // What was read may be of two programs, for it was in the midst of exec(): nothing is touched.
  bool unsettled = false;
};

// `library`: the path of libheapgauge.so as the process sees it.
AttachOutcome Inject(const AttachTarget& target, const std::string& library,
                     const AttachRequest& request);

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_INJECTION_H_
