// verdict_lookalikes SCENARIO SECONDS: what services keep in the containers that they keep it in,
// harmless or not, in compressed time.  Requests come and go beside it.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#define OWN_LINE __attribute__((noinline))

namespace {

using Clock = std::chrono::steady_clock;

double g_seconds = 18;
std::mt19937_64 g_random(20261129);

double Uniform() { return static_cast<double>(g_random() >> 11) * 0x1p-53; }

double Now() {
  static const Clock::time_point start = Clock::now();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Request {
  std::string path, body;
  std::vector<char> reply;
};

OWN_LINE size_t Serve(size_t bytes) {
  auto request = std::make_unique<Request>();
  request->path.assign(80, 'p');
  request->body.assign(bytes, 'b');
  request->reply.assign(2 * bytes, 'r');
  return request->reply.size();
}

// Calls `visit(k, now)` about so often; where the machine was busy the rest of the time is left out.
template <typename Visit>
void Drive(double per_s, Visit visit) {
  double last = Now();
  double due = 0;
  for (size_t k = 0; last < g_seconds;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const double now = Now();
    due += per_s * std::min(0.1, now - last);
    last = now;
    for (; due >= 1; --due) {
      Serve(300);
      visit(k++, now);
    }
  }
}

struct Session {
  std::string user;
  std::vector<char> state;
};
using Sessions = std::unordered_map<size_t, std::unique_ptr<Session>>;

OWN_LINE void Open(Sessions& sessions, size_t id) {
  auto session = std::make_unique<Session>();
  session->user.assign(60, 'u');
  session->state.assign(1500, 's');
  sessions[id] = std::move(session);
}

// They expire after a fifth of the time.
void TimeToLive() {
  Sessions sessions;
  std::deque<std::pair<double, size_t>> ends;
  Drive(600, [&](size_t k, double now) {
    if (k % 2 == 0) {
      Open(sessions, k);
      ends.emplace_back(now + 0.2 * g_seconds, k);
    }
    for (; !ends.empty() && ends.front().first < now; ends.pop_front())
      sessions.erase(ends.front().second);
  });
}

// One in ten is forgotten.
void ForgottenSession() {
  Sessions sessions;
  std::deque<std::pair<double, size_t>> ends;
  Drive(1000, [&](size_t k, double now) {
    Open(sessions, k);
    if (k % 10 != 0) ends.emplace_back(now + 0.05, k);
    for (; !ends.empty() && ends.front().first < now; ends.pop_front())
      sessions.erase(ends.front().second);
  });
}

// Rows of a job, all freed at its end; then a pause.
void Batches() {
  std::vector<std::vector<double>> rows;
  double next = 0.05 * g_seconds;
  Drive(1000, [&](size_t, double now) {
    if (now > next) rows.emplace_back(100, 1.0);
    if (now < next + 0.05 * g_seconds) return;
    rows = {};
    next = now + (0.08 + 0.08 * Uniform()) * g_seconds;
  });
}

// What each module needs is made when it is first used, and more seldom as time goes on.
OWN_LINE std::map<std::string, std::string> Load() {
  std::map<std::string, std::string> module;
  for (int i = 0; i < 300; ++i)
    module[std::to_string(i) + std::string(30, 'm')] = std::string(1000, 't');
  return module;
}
void WarmsUp() {
  std::vector<std::map<std::string, std::string>> modules;
  double next = 0.05 * g_seconds;
  Drive(800, [&](size_t, double now) {
    if (now < next || modules.size() == 10) return;
    modules.push_back(Load());
    next = now + 0.02 * static_cast<double>(modules.size()) * g_seconds;
  });
}

// Arenas that are reset and keep as many chunks as any request ever needed.
void Arenas() {
  std::vector<std::vector<std::unique_ptr<char[]>>> arenas(30);
  Drive(800, [&](size_t k, double) {
    auto& chunks = arenas[k % arenas.size()];
    const auto needs = static_cast<size_t>(1 - 2 * std::log(1 - Uniform()));
    while (chunks.size() < needs) chunks.push_back(std::make_unique<char[]>(16384));
  });
}

// The last lines, to be shown when something goes wrong.
OWN_LINE void Note(std::deque<std::string>& lines) {
  lines.emplace_back(300 + lines.size() % 200, 'l');
}
void LogBuffer() {
  std::deque<std::string> lines;
  Drive(1500, [&](size_t, double) {
    Note(lines);
    if (lines.size() > 5000) lines.pop_front();
  });
}

using Buffer = std::array<char, 8192>;

// Clients come back all at once, and stay for a while.
void Storms() {
  std::deque<std::pair<double, std::unique_ptr<Buffer>>> open;
  int storms = 0;
  Drive(800, [&](size_t, double now) {
    if (storms < 3 && now > (0.2 + 0.25 * storms) * g_seconds) {
      ++storms;
      for (int i = 0; i < 600; ++i)
        open.emplace_back(now + (0.1 + 1e-4 * i) * g_seconds, std::make_unique<Buffer>());
    }
    while (!open.empty() && open.front().first < now) open.pop_front();
  });
}

// Two that own each other: one pair in three is never freed.
struct Node {
  std::shared_ptr<Node> peer;
  std::vector<char> data;
};
OWN_LINE std::shared_ptr<Node> MakeNode() {
  auto node = std::make_shared<Node>();
  node->data.assign(700, 'n');
  return node;
}
void OwnEachOther() {
  Drive(600, [&](size_t k, double) {
    const std::shared_ptr<Node> a = MakeNode();
    const std::shared_ptr<Node> b = MakeNode();
    a->peer = b;
    if (k % 3 == 0) b->peer = a;
  });
}

// An error path that fails for a moment every so often.
OWN_LINE char* Explain() { return strdup(std::string(2000, 'e').c_str()); }
void ErrorPath() {
  Drive(800, [&](size_t, double now) {
    char* const message = Explain();
    if (std::fmod(now, 0.05 * g_seconds) > 0.01 * g_seconds) std::free(message);
  });
}

// A full cache: each newcomer pushes out the oldest.  Then hardly anything comes any more.
OWN_LINE void Remember(std::deque<std::string>& entries) {
  entries.emplace_back(1000 + entries.size() % 500, 'e');
}
void CacheAtNight() {
  std::deque<std::string> entries;
  double left = 0;
  Drive(900, [&](size_t, double now) {
    for (left += now < 0.4 * g_seconds ? 1 : 0.02; left >= 1; --left) {
      Remember(entries);
      if (entries.size() > 400) entries.pop_front();
    }
  });
}

// A counter for each user and path that was ever seen: new ones get rarer, and there are so many.
OWN_LINE std::unique_ptr<Buffer> NewSeries() { return std::make_unique<Buffer>(); }
void Series() {
  std::unordered_map<size_t, std::unique_ptr<Buffer>> series;
  Drive(900, [&](size_t, double) {
    std::unique_ptr<Buffer>& one = series[static_cast<size_t>(600 * Uniform() * Uniform())];
    if (one == nullptr) one = NewSeries();
  });
}

// What is read anew every so often takes the place of what was read before, but for its patterns.
struct Rules {
  std::vector<std::string> names;
  std::vector<char*> patterns;
};
OWN_LINE char* Compile() { return strdup(std::string(1200, 'p').c_str()); }
OWN_LINE std::unique_ptr<Rules> ReadRules() {
  auto rules = std::make_unique<Rules>();
  for (int i = 0; i < 200; ++i) rules->names.emplace_back(300, 'n');
  for (int i = 0; i < 40; ++i) rules->patterns.push_back(Compile());
  return rules;
}
void Reloads() {
  std::unique_ptr<Rules> rules;
  double next = 0;
  Drive(800, [&](size_t, double now) {
    if (now < next) return;
    rules = ReadRules();
    next = now + 0.05 * g_seconds;
  });
}

// One answer in a thousand takes a way on which nobody frees it.
OWN_LINE char* Answer() { return strdup(std::string(6000, 'a').c_str()); }
void OneInThousand() {
  Drive(4000, [&](size_t k, double) {
    char* const answer = Answer();
    if (k % 1000 != 0) std::free(answer);
  });
}

// Day and night, three of them: between 0.2 and 1.8.
double Tide(double now) { return 1 - 0.8 * std::cos(now / g_seconds * 6 * M_PI); }

// Who was asked for longest ago goes first.
class LruCache {
 public:
  OWN_LINE void Ask(size_t key) {
    if (const auto found = places_.find(key); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return;
    }
    entries_.emplace_front(key, std::make_unique<Buffer>());
    places_[key] = entries_.begin();
    if (entries_.size() <= 500) return;
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }

 private:
  std::list<std::pair<size_t, std::unique_ptr<Buffer>>> entries_;
  std::unordered_map<size_t, decltype(entries_)::iterator> places_;
};

// As many connections as were ever busy at once.
class Pool {
 public:
  OWN_LINE void Use(size_t busy) {
    while (connections_.size() < busy) connections_.push_back(std::make_unique<Buffer>());
  }

 private:
  std::vector<std::unique_ptr<Buffer>> connections_;
};

// Each client subscribes anew some time after a deploy, in place of what it had.
class Listeners {
 public:
  OWN_LINE void Deploy(double now) {
    for (size_t i = 0; i < clients_.size(); ++i)
      due_.emplace(now - 0.02 * g_seconds * std::log(1 - Uniform()), i);
  }
  OWN_LINE void Connect(double now) {
    for (; !due_.empty() && due_.begin()->first < now; due_.erase(due_.begin()))
      clients_[due_.begin()->second] = std::make_unique<Buffer>();
  }

 private:
  std::vector<std::unique_ptr<Buffer>> clients_ = std::vector<std::unique_ptr<Buffer>>(150);
  std::multimap<double, size_t> due_;
};

// What can't be sent waits for its next try.
class Outbox {
 public:
  OWN_LINE void Send(bool works) {
    jobs_.push_back(std::make_unique<std::array<char, 700>>());
    for (int i = 0; works && i < 3 && !jobs_.empty(); ++i) jobs_.pop_front();
  }

 private:
  std::deque<std::unique_ptr<std::array<char, 700>>> jobs_;
};

// The only leak: a stream in some ten, by a timer, far below those that come and go with the tide.
OWN_LINE char* OpenStream() { return strdup(std::string(1500, 's').c_str()); }

void KeptByServices() {
  LruCache cache;
  Pool pool;
  Listeners listeners;
  Outbox outbox;
  std::deque<std::pair<double, char*>> streams;
  double deploy = 0, streams_due = 0, lost = 0;
  Drive(900, [&](size_t k, double now) {
    if (k % 3 == 0) cache.Ask(static_cast<size_t>(3000 * std::pow(Uniform(), 3)));
    if (k % 20 == 0) pool.Use(static_cast<size_t>(Tide(now) * (60 + 20 * Uniform())));
    if (now > deploy) listeners.Deploy(now), deploy += 0.16 * g_seconds;
    listeners.Connect(now);
    outbox.Send(now < 0.45 * g_seconds || now > 0.6 * g_seconds);
    for (streams_due += 0.4 * Tide(now); streams_due >= 1; --streams_due)
      streams.emplace_back(now + 0.01 * g_seconds, OpenStream());
    for (; !streams.empty() && streams.front().first < now; streams.pop_front())
      std::free(streams.front().second);
    for (lost += 0.04; lost >= 1; --lost) OpenStream();
  });
}

constexpr std::pair<std::string_view, void (*)()> kScenarios[] = {
    {"time_to_live", TimeToLive},
    {"forgotten_session", ForgottenSession},
    {"batches", Batches},
    {"warms_up", WarmsUp},
    {"arenas", Arenas},
    {"log_buffer", LogBuffer},
    {"storms", Storms},
    {"own_each_other", OwnEachOther},
    {"error_path", ErrorPath},
    {"cache_at_night", CacheAtNight},
    {"series", Series},
    {"reloads", Reloads},
    {"one_in_thousand", OneInThousand},
    {"kept_by_services", KeptByServices},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    g_seconds = std::atof(argv[2]);
    for (const auto& [name, run] : kScenarios) {
      if (name != argv[1]) continue;
      run();
      _exit(0);  // what is kept is kept until then
    }
  }
  std::fprintf(stderr, "verdict_lookalikes: no such scenario\n");
  return 2;
}
