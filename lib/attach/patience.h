// A bound on the time of work that others' data can make endless, and that can't be stopped
// otherwise: a library that reads a hostile file.
#ifndef HEAPGAUGE_ATTACH_PATIENCE_H_
#define HEAPGAUGE_ATTACH_PATIENCE_H_

namespace heapgauge::attach {

// One at a time.  When it runs out the command says `line` and ends with the status of a refusal,
// so nothing may be under way that must be put back.
class Patience final {
 public:
  Patience(const char* line, unsigned seconds);
  ~Patience() { End(); }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  void End() const;
};

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_PATIENCE_H_
