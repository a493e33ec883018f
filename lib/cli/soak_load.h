// What LOAD's output says of itself.
#ifndef HEAPGAUGE_CLI_SOAK_LOAD_H_
#define HEAPGAUGE_CLI_SOAK_LOAD_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace heapgauge::cli {

// How many requests a line says were made: of ab, wrk, k6, pgbench, redis-benchmark, or any
// "123 requests", "120 of 123 requests".  nullopt: it says nothing of the kind, or only how far it
// has come.
std::optional<uint64_t> RequestsIn(std::string_view line);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_LOAD_H_
