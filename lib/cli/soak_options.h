// The options of `heapgauge soak`, checked before anything starts.
#ifndef HEAPGAUGE_CLI_SOAK_OPTIONS_H_
#define HEAPGAUGE_CLI_SOAK_OPTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"

namespace heapgauge::cli {

enum class SoakWait : uint8_t { kListens, kPort, kLine, kCommand };

struct SoakRequest {
  std::vector<std::string> service;
  std::string load;         // for sh -c
  double duration_s = 0;    // of the load, the warm-up included
  double warm_up_s = 0;     // cut off its beginning
  uint64_t iterations = 0;  // 0: by duration; else a prime number, in exact mode
  uint64_t asked_iterations = 0;
  uint64_t cut_iterations = 0;  // before those that are counted
  uint64_t confirm_runs = 0;    // at most so many more, before what is held is called a leak
  uint64_t parallel = 1;        // LOADs at once
  SoakWait wait = SoakWait::kListens;
  std::string wait_for;  // port, line or command
  double wait_limit_s = 60;
  double load_limit_s = 0;  // of one LOAD, in exact mode
  double stop_limit_s = 10;
  double report_interval_s = 1;
  uint64_t requests = 0;  // of one LOAD, as the user says; 0: LOAD's output may say it
  double progress_s = 0;  // between two lines of it where there is no terminal; 0: none
  std::string format = "text";
  std::string output;    // of the result
  std::string baseline;  // directory of an earlier soak
  std::string reports;   // directory of this one; "": a new one in the working directory
  // HEAPGAUGE_* variables for SERVICE.
  std::map<std::string, std::string> variables;
};

// The least prime number that is not less.
uint64_t PrimeFrom(uint64_t number);

// A report so often that the judged part has enough of them, and no more often than it helps.
double SoakReportInterval(double judged_s);

// Reads the arguments behind `soak`.  nullopt with the exit status in *status: help was printed, or
// one line said what is wrong.
std::optional<SoakRequest> ParseSoak(const Arguments& arguments, int* status);

}  // namespace heapgauge::cli

#endif  // HEAPGAUGE_CLI_SOAK_OPTIONS_H_
