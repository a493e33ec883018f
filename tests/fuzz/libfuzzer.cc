// A target as libFuzzer calls it.  With HEAPGAUGE_SEEDS=DIRECTORY in the environment the seeds are
// written there first.
#include <cstdlib>
#include <fstream>
#include <string>

#include "target.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* const directory = std::getenv("HEAPGAUGE_SEEDS");
  if (directory == nullptr) return 0;
  size_t number = 0;
  for (const heapgauge::fuzz::Bytes& seed : heapgauge::fuzz::Seeds()) {
    std::ofstream file(std::string(directory) + "/seed" + std::to_string(number++));
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  heapgauge::fuzz::RunTarget(data, size);
  return 0;
}
