// What goes over the control socket: packets of text (SOCK_SEQPACKET), one question and one answer
// at a time.  Private to one version of heapgauge: the command and the library are of one package,
// and whoever does not understand the other says so.
//
//   question   a verb, then its words, separated by tabs:  "hello"  "report"  "look"
//              "set\tSAMPLE_INTERVAL\t64KiB"
//   answer     "ok" or "error", then lines of "name\tvalue":  "ok\npid\t4242\ndirectory\t/srv/hg"
//              "error\ntext\tREPORT_INTERVAL=1 is not understood (accepted: ...)"
//   look       the answer brings a descriptor with the report as JSON, which was not stored
#ifndef HEAPGAUGE_CONTROL_CONTROL_MESSAGE_H_
#define HEAPGAUGE_CONTROL_CONTROL_MESSAGE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heapgauge {

inline constexpr size_t kMostControlBytes = 16 * 1024;  // a packet
inline constexpr size_t kMostControlWords = 8;
inline constexpr size_t kMostControlPairs = 64;

// Its words; empty when it is no question: too long, too many words, a NUL or a line break in it.
std::vector<std::string> ParseQuestion(std::string_view packet);

// Tabs and line breaks in `values` become spaces; the packet is cut at kMostControlBytes.
std::string MakeAnswer(bool good, const std::vector<std::pair<std::string, std::string>>& values);
std::string MakeRefusal(std::string_view text);

struct ControlAnswer {
  bool good = false;
  std::map<std::string, std::string> values;
  // "" when there is none.
  std::string Value(const std::string& name) const;
};
// nullopt: not an answer of this protocol.
std::optional<ControlAnswer> ParseAnswer(std::string_view packet);

}  // namespace heapgauge

#endif  // HEAPGAUGE_CONTROL_CONTROL_MESSAGE_H_
