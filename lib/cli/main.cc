#include <exception>

#include "cli/command.h"
#include "cli/message.h"

int main(int argc, char** argv) {
  try {
    return heapgauge::cli::Main(heapgauge::cli::Arguments(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    // Out of memory, most likely; the library behaves the same in its own way.
    return heapgauge::cli::Fail(error.what());
  }
}
