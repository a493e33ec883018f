// A buffer that grows by doubling: the live bytes of a few large blocks, on a logarithmic scale.
//
// Such a site has a handful of steps, too few for a rate, and between two of them it stands still,
// each time for twice as long.  What it does show is that every step is half as large again as all
// before it.
#ifndef HEAPGAUGE_ANALYZE_DOUBLINGS_H_
#define HEAPGAUGE_ANALYZE_DOUBLINGS_H_

#include <cstdint>

namespace heapgauge {

class Doublings final {
 public:
  // At each look, by a clock that stands still while the process does.
  void Add(double now_s, double live_bytes, uint64_t live_samples);

  // How many steps there were, from the third on, while the next one may still come; else 0.
  uint32_t Count(double now_s) const;
  double first_bytes() const { return first_bytes_; }

 private:
  void Restart(double now_s, double live_bytes);

  double first_bytes_ = 0;
  double level_bytes_ = 0;  // after the last step
  double step_s_ = 0;       // when that was
  double pause_s_ = 0;      // how long it had taken
  uint32_t steps_ = 0;
};

}  // namespace heapgauge

#endif  // HEAPGAUGE_ANALYZE_DOUBLINGS_H_
