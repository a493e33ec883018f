#include "cli/message.h"

#include <unistd.h>

#include <string>

#include "report/printable.h"

namespace heapgauge::cli {

void Say(std::string_view text) {
  const std::string line = "heapgauge: " + Printable(text) + "\n";
  // A closed or full stderr leaves nobody to tell.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

int Fail(std::string_view text) {
  Say(text);
  return kExitUsage;
}

void Say(const absl::Status& status) { Say(std::string(status.message())); }

int Fail(const absl::Status& status) { return Fail(std::string(status.message())); }

}  // namespace heapgauge::cli
