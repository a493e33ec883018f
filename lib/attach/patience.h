// A bound on the time of work that others' data can make endless, and that can't be stopped
// otherwise: a library that reads a hostile file, a page that the other process never fills in.
#ifndef HEAPGAUGE_ATTACH_PATIENCE_H_
#define HEAPGAUGE_ATTACH_PATIENCE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace heapgauge::attach {

// When it runs out the command says `cannot`, then why, and ends with the status of a refusal.  So
// it ends, too, when a file is cut short while a library reads its mapped pages.  The kernel then
// gives back what was borrowed.
//
// The clock is watched by a thread.  A signal would not do: a thread that waits for another
// process's page hears of nothing but the end of its process.
class Patience final {
 public:
  // `cannot`: "cannot attach to 17".  One at a time.
  explicit Patience(std::string cannot);
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  // From now on, in place of what was given before.
  void Give(unsigned seconds);

 private:
  void Watch();

  std::string cannot_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::time_point::max();
  unsigned seconds_ = 0;
  bool done_ = false;
  std::thread watcher_;
};

}  // namespace heapgauge::attach

#endif  // HEAPGAUGE_ATTACH_PATIENCE_H_
