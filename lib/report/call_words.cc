#include "report/call_words.h"

#include <fmt/core.h>

#include <algorithm>

#include "report/printable.h"
#include "report/text_style.h"
#include "report/units.h"

namespace heapgauge {
namespace {

constexpr size_t kMostCalls = 10;
// As many bytes as a growth must have brought in the age of the oldest of them.
constexpr double kShareOfGrowth = 0.25;
// And more than sampling may have made of nothing.
constexpr double kSigmas = 2;

// "2026-11-23T02:14:07.123Z" -> "2026-11-23 02:14:07 UTC"
std::string Moment(const std::string& time) {
  if (time.size() < 20 || time[10] != 'T') return Printable(time);
  return Printable(time.substr(0, 10)) + " " + Printable(time.substr(11, 8)) + " UTC";
}

}  // namespace

bool PilesUp(const Call& call) {
  const double grown = call.growth_bytes_per_s * call.oldest_s;
  return call.growth_bytes_per_s > 0 && grown >= kShareOfGrowth * call.in_flight_bytes &&
         call.in_flight_bytes > kSigmas * call.in_flight_bytes_stderr;
}

std::string CallWords(const Call& call) {
  const RateUnit unit = ChooseRateUnit(call.growth_bytes_per_s);
  return fmt::format("{} in flight for {} (oldest {}, {}){}", FormatBytes(call.in_flight_bytes),
                     Printable(call.peer), FormatDuration(call.oldest_s),
                     FormatRate(call.growth_bytes_per_s, unit),
                     PilesUp(call) ? ": calls to it do not come back" : "");
}

std::string NamesInWords(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += Printable(names[i]);
  }
  return text;
}

std::string CircleWords(const Circle& circle) {
  return fmt::format("{} call each other in a circle (depth {}, {} in flight, since {})",
                     NamesInWords(circle.members), circle.depth,
                     FormatBytes(circle.in_flight_bytes), Moment(circle.since));
}

std::string CirclesText(const Report& report, const TextOptions& options) {
  std::string out;
  for (const Circle& circle : report.circles) {
    out += Paint(Wrapped("CIRCLE: " + CircleWords(circle) + ".", "", options.width), Ink::kRed,
                 options.colour);
  }
  return out;
}

std::string CallsText(const Report& report, const TextOptions& options) {
  if (report.calls.empty()) return {};
  std::string out = Paint("Calls to other services", Ink::kBold, options.colour) + "\n";
  bool piles_up = false;
  for (size_t i = 0; i < std::min(report.calls.size(), kMostCalls); ++i) {
    const Call& call = report.calls[i];
    piles_up = piles_up || PilesUp(call);
    const std::string words = Wrapped(CallWords(call), "  ", options.width);
    out += Paint(words, PilesUp(call) ? Ink::kYellow : Ink::kPlain, options.colour);
  }
  if (report.calls.size() > kMostCalls) {
    out += fmt::format("  and {} more peers: heapgauge report DIR --by peer\n",
                       report.calls.size() - kMostCalls);
  }
  if (piles_up && report.circles.empty()) {
    out += Wrapped(
        "No circle is seen in these calls: they wait for a peer that is slow. What the other "
        "services report tells more: heapgauge edges DIR...",
        "  ", options.width);
  }
  return out;
}

}  // namespace heapgauge
