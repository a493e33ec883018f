// The lines of /proc/PID/status that say what rights a thread has and cannot have back once they
// are given up: ids, groups, permitted and bounding capabilities, new privileges by exec.
#ifndef HEAPGAUGE_HELPER_RIGHTS_LINES_H_
#define HEAPGAUGE_HELPER_RIGHTS_LINES_H_

namespace heapgauge {

struct RightsLine {
  const char* name;
  bool has_ids;  // in four columns: real, effective, saved, of files
};

inline constexpr RightsLine kRightsLines[] = {{"Uid", true},     {"Gid", true},
                                              {"Groups", false}, {"CapPrm", false},
                                              {"CapBnd", false}, {"NoNewPrivs", false}};

}  // namespace heapgauge

#endif  // HEAPGAUGE_HELPER_RIGHTS_LINES_H_
