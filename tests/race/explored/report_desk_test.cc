// The desk of reports (reporter/report_desk.h), every interleaving of who asks and who answers.
#include "reporter/report_desk.h"

#include <catch2/catch.hpp>
#include <new>
#include <optional>
#include <vector>

#include "race/explored/explore_all.h"

namespace heapgauge {
namespace {

using test::ExploreAll;
using test::Explorer;
using Bodies = std::vector<Explorer::Body>;
using Question = ReportDesk::Question;
using Reply = ReportDesk::Reply;

// The semaphore of an explored world: whoever waits looks again when somebody has written.
using Count = Atomic<unsigned>;
Count& CountOf(sem_t* semaphore) { return *reinterpret_cast<Count*>(semaphore); }

void WaitFor(sem_t* semaphore) {
  for (;;) {
    unsigned count = CountOf(semaphore).load();
    if (count == 0) {
      Explorer::AtYield();
    } else if (CountOf(semaphore).compare_exchange_strong(
                   count, count - 1, std::memory_order_seq_cst, std::memory_order_seq_cst)) {
      return;
    }
  }
}

class World {
 public:
  void Reset() {
    desk_.emplace();
    reports_.clear();
    bad_ = 0;
  }
  ReportDesk& desk() { return *desk_; }
  size_t reports() const { return reports_.size(); }

  void Ask(const Question& question) {
    const uint64_t ticket = desk_->Ask(question);
    Reply reply;
    while ((reply = desk_->ReplyTo(ticket)) == Reply::kNone) Explorer::AtYield();
    Check(question, ticket, reply);
  }

  // The report thread, until it has answered `questions`, or the desk is over.
  void Serve(uint64_t questions = ~uint64_t{0}) {
    uint64_t answered = 0;
    while (answered < questions && !desk_->IsOver()) {
      if (!desk_->IsAsked()) {
        desk_->WaitUntil(0);
        continue;
      }
      const ReportDesk::Work work = desk_->Take();
      bad_ += work.ticket <= answered;
      answered = work.ticket;
      reports_.push_back({work, false});
      reports_.back().is_made = true;
      // The odd ones fail.
      desk_->Answer(work, reports_.size() % 2 == 0);
    }
  }

  bool good() const { return bad_ == 0; }
  uint32_t patience(size_t report) const { return reports_[report].work.patience_ms; }

 private:
  struct Made {
    ReportDesk::Work work;
    bool is_made;
  };

  void Check(const Question& question, uint64_t ticket, Reply reply) {
    const Made* first = nullptr;  // that was begun after the question
    bool any_good = false;
    bool any_failed = false;
    for (size_t i = 0; i < reports_.size(); ++i) {
      if (reports_[i].work.ticket < ticket || !reports_[i].is_made) continue;
      if (first == nullptr) first = &reports_[i];
      ((i + 1) % 2 == 0 ? any_good : any_failed) = true;
    }
    if (reply == Reply::kOver) {
      bad_ += !desk_->IsOver();
      return;
    }
    if (first == nullptr) {
      ++bad_;  // D2
      return;
    }
    bad_ += !(reply == Reply::kGood ? any_good : any_failed);
    // D3
    bad_ += first->work.patience_ms > question.patience_ms;
    bad_ += question.is_final && !first->work.is_final;
    bad_ += question.interrupted && !first->work.interrupted;
  }

  std::optional<ReportDesk> desk_;
  std::vector<Made> reports_;
  int bad_ = 0;
};

TEST_CASE("two ask for reports, every interleaving", "[race][reporter][D1][D2][D3]") {
  World world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { world.Ask({.patience_ms = 30}); },
                      [&] { world.Ask({.patience_ms = 3}); }, [&] { world.Serve(2); }};
      },
      [&] { return world.good() && (world.reports() == 1 || world.reports() == 2); });
  ExploreAll(explorer);
}

TEST_CASE("one asks again after the answer, every interleaving", "[race][reporter][D1][D2][D3]") {
  World world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] {
                        world.Ask({.patience_ms = 3});
                        world.Ask({.patience_ms = 30});
                      },
                      [&] { world.Serve(2); }};
      },
      // The second has a patience of its own.
      [&] { return world.good() && world.reports() == 2 && world.patience(1) == 30; });
  ExploreAll(explorer);
}

TEST_CASE("the end of the process and a call of the API ask, every interleaving",
          "[race][reporter][D2][D4]") {
  World world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { world.Ask({.patience_ms = 30}); },
                      [&] { world.Ask({.patience_ms = 10, .is_final = true}); },
                      [&] { world.Serve(); }};
      },
      [&] { return world.good() && world.desk().IsOver() && world.desk().Take().is_final; });
  ExploreAll(explorer);
}

TEST_CASE("a signal handler and exit() both ask for the last report, every interleaving",
          "[race][reporter][D3][D4]") {
  World world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { world.Ask({.patience_ms = 3, .is_final = true, .interrupted = true}); },
                      [&] { world.Ask({.patience_ms = 10, .is_final = true}); },
                      [&] { world.Serve(); }};
      },
      // One report that is final, and none after it.
      [&] { return world.good() && world.reports() == 1 && world.desk().Take().interrupted; });
  ExploreAll(explorer);
}

TEST_CASE("whoever asks at a desk that is being closed is not kept, every interleaving",
          "[race][reporter][D2]") {
  World world;
  Explorer explorer(
      [&] {
        world.Reset();
        return Bodies{[&] { world.Ask({.patience_ms = 30}); },
                      [&] {
                        world.desk().Close();
                        world.desk().Wake();
                      },
                      [&] { world.Serve(); }};
      },
      [&] { return world.good() && world.desk().IsOver(); });
  ExploreAll(explorer);
}

TEST_CASE("a question that finds no thread is answered by the next one, every interleaving",
          "[race][reporter][D1]") {
  World world;
  Atomic<bool> left{false};
  Explorer explorer(
      [&] {
        world.Reset();
        left.store(false);
        return Bodies{[&] {
                        if (world.desk().IsAsked()) world.desk().WaitUntil(0);
                        left.store(true);  // for a call that is to find no thread of ours
                      },
                      [&] { world.Ask({.patience_ms = 30}); },
                      [&] {
                        while (!left.load()) Explorer::AtYield();
                        world.Serve(1);
                      }};
      },
      [&] { return world.good() && world.reports() == 1; });
  ExploreAll(explorer);
}

TEST_CASE("a patience longer than the desk can hold is that of one who waits",
          "[race][reporter][D3]") {
  ReportDesk desk;
  CHECK(desk.Take().patience_ms == ReportDesk::kEndlessMs);
  desk.Ask({.patience_ms = ~uint32_t{0}});
  CHECK(desk.Take().patience_ms == ReportDesk::kEndlessMs - 1);
  CHECK(desk.Take().patience_ms == ReportDesk::kEndlessMs);
}

}  // namespace
}  // namespace heapgauge

extern "C" {

int heapgauge_test_sem_init(sem_t* semaphore, int, unsigned value) noexcept {
  static_assert(sizeof(heapgauge::Count) <= sizeof(sem_t));
  new (semaphore) heapgauge::Count(value);
  return 0;
}

int heapgauge_test_sem_post(sem_t* semaphore) noexcept {
  heapgauge::CountOf(semaphore).fetch_add(1U);
  return 0;
}

int heapgauge_test_sem_wait(sem_t* semaphore) {
  heapgauge::WaitFor(semaphore);
  return 0;
}

// Nobody comes late: a deadline would hide what is lost.
int heapgauge_test_sem_clockwait(sem_t* semaphore, clockid_t, const timespec*) {
  heapgauge::WaitFor(semaphore);
  return 0;
}

}  // extern "C"
