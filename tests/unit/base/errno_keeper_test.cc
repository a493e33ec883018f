#include "base/errno_keeper.h"

#include <catch2/catch.hpp>

namespace heapgauge {
namespace {

TEST_CASE("errno leaves the scope as it entered", "[base]") {
  errno = ENOENT;
  {
    const ErrnoKeeper keeper;
    errno = EINVAL;
  }
  CHECK(errno == ENOENT);
}

}  // namespace
}  // namespace heapgauge
