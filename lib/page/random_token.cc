#include "page/random_token.h"

#include <fmt/core.h>

#include <random>

namespace heapgauge {

std::string RandomToken() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace heapgauge
