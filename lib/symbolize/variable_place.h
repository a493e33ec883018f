// Which variable lies at an address: a global one, or one on a stack, down to the member.
#ifndef HEAPGAUGE_SYMBOLIZE_VARIABLE_PLACE_H_
#define HEAPGAUGE_SYMBOLIZE_VARIABLE_PLACE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace heapgauge {

struct PlaceQuestion {
  // In the module: of the data; of a place on a stack, a return address that may be that of the call
  // which its frame has made.
  uint64_t address = 0;
  bool on_stack = false;
  uint64_t above = 0;  // bytes from the end of that return address up to the place
  // Bytes from the place up to the end of each word above it that looks like a return address,
  // ascending: one of them ends the frame.
  std::vector<uint64_t> ends;
};

struct VariablePlace {
  std::string variable;  // "service.shop_.coupons.waiting_for_a_person_"; "": not known
  std::string type;      // "std::deque in CouponBook"; "": the variable says it all
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_SYMBOLIZE_VARIABLE_PLACE_H_
