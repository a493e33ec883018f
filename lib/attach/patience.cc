#include "attach/patience.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <utility>

namespace heapgauge::attach {
namespace {

constexpr int kRefused = 2;  // as the command ends when it can not do what was asked

std::string* g_cut_short = nullptr;  // never taken away: a signal may come at any time

[[noreturn]] void End(const std::string& line) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  _exit(kRefused);
}

void OnMissingPage(int) { End(*g_cut_short); }

}  // namespace

Patience::Patience(std::string cannot) {
  cannot = "heapgauge: " + std::move(cannot) + ": ";
  if (g_cut_short == nullptr) {
    g_cut_short = new std::string(cannot + "a file of its was cut short while it was read\n");
  }
  signal(SIGBUS, OnMissingPage);
  cannot_ = std::move(cannot);
  // Signals are for the thread that has something to put back.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  watcher_ = std::thread([this] { Watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Patience::~Patience() {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    done_ = true;
  }
  changed_.notify_one();
  watcher_.join();
  signal(SIGBUS, SIG_DFL);
}

void Patience::Give(unsigned seconds) {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    seconds_ = seconds;
    end_ = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }
  changed_.notify_one();
}

void Patience::Watch() {
  std::unique_lock<std::mutex> hold(lock_);
  while (!done_) {
    if (std::chrono::steady_clock::now() >= end_) {
      End(fmt::format("{}what is asked of it was not done in {} s; it goes on as before\n", cannot_,
                      seconds_));
    }
    changed_.wait_until(hold, end_);
  }
}

}  // namespace heapgauge::attach
