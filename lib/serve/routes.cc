#include "serve/routes.h"

#include <fmt/core.h>
#include <httplib.h>

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "page/page.h"
#include "page/page_json.h"
#include "report/diff_writer.h"
#include "report/difference.h"
#include "report/holders_writer.h"
#include "report/text_writer.h"
#include "serve/history_json.h"
#include "serve/metrics.h"
#include "serve/stored_profile.h"

namespace heapgauge::serve {
namespace {

constexpr char kPlain[] = "text/plain; charset=utf-8";
constexpr char kHtml[] = "text/html; charset=utf-8";
constexpr char kJson[] = "application/json";
constexpr char kProfile[] = "application/octet-stream";
constexpr char kMetrics[] = "text/plain; version=0.0.4; charset=utf-8";

constexpr int kMostDeltas = 4;  // at once: each keeps a thread
constexpr int kMostDeltaSeconds = 3600;
constexpr auto kDeltaLook = std::chrono::milliseconds(200);
// The second report of a delta comes when it comes.
constexpr auto kDeltaPatience = std::chrono::seconds(150);

void Say(int status, const std::string& line, httplib::Response* response) {
  response->status = status;
  response->set_content(line + "\n", kPlain);
}

void SayNoReport(httplib::Response* response) {
  response->set_header("Retry-After", "5");
  Say(503, "no report has been written yet", response);
}

constexpr char kIndex[] =
    "<!doctype html><meta charset=utf-8><title>/debug/pprof/</title>\n"
    "<h1>/debug/pprof/</h1>\n"
    "<p><a href=heap>heap</a>: what is live (<a href=\"heap?seconds=60\">?seconds=N</a>: what "
    "changes in N seconds)\n"
    "<p><a href=allocs>allocs</a>: the same samples, shown by what was allocated\n";

}  // namespace

void Routes::Page(httplib::Response* response) {
  const auto snapshot = follower_.Newest();
  if (!snapshot) {
    response->set_header("Refresh", "3");
    return Say(200, "no report has been written yet: this page looks again every three seconds",
               response);
  }
  heapgauge::Page page;
  follower_.OfHistory([&](const History& history) {
    page = MakePage(snapshot->report, history, true);
    return std::string();
  });
  response->set_header("Content-Security-Policy", page.policy + "; frame-ancestors 'none'");
  response->set_content(page.html, kHtml);
}

// What the page asks for: 204 where there is no report after the one that it shows.
void Routes::PageData(const httplib::Request& request, httplib::Response* response) {
  const auto snapshot = follower_.Newest();
  if (!snapshot) return SayNoReport(response);
  if (request.get_param_value("after") == std::to_string(snapshot->report.sequence)) {
    response->status = 204;
    return;
  }
  response->set_content(follower_.OfHistory([&](const History& history) {
    return PageJson(snapshot->report, history, true);
  }) + "\n",
                        kJson);
}

void Routes::Metrics(httplib::Response* response) {
  const auto snapshot = follower_.Newest();
  response->set_content(snapshot ? MetricsOf(snapshot->report) : MetricsOfNothing(), kMetrics);
}

void Routes::Profile(const httplib::Request& request, PprofKind kind, httplib::Response* response) {
  if (request.has_param("seconds")) return Delta(request, response);
  const auto snapshot = follower_.Newest();
  if (!snapshot) return SayNoReport(response);
  const std::lock_guard lock(cache_mutex_);
  if (cached_for_ != snapshot) {
    cached_for_ = snapshot;
    for (std::string& profile : cached_) profile.clear();
  }
  std::string& profile = cached_[kind == PprofKind::kAllocs ? 1 : 0];
  if (profile.empty()) profile = ProfileOf(directory_, snapshot->report, kind);
  response->set_header("Content-Disposition", kind == PprofKind::kAllocs
                                                  ? "attachment; filename=\"allocs\""
                                                  : "attachment; filename=\"heap\"");
  response->set_content(profile, kProfile);
}

void Routes::Delta(const httplib::Request& request, httplib::Response* response) {
  const std::string text = request.get_param_value("seconds");
  int seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc() || end != text.data() + text.size() || seconds < 1 ||
      seconds > kMostDeltaSeconds) {
    return Say(400, fmt::format("seconds: a whole number from 1 to {}", kMostDeltaSeconds),
               response);
  }
  struct Place {
    std::atomic<int>* count;
    ~Place() { --*count; }
  };
  const bool crowded = ++deltas_ > kMostDeltas;
  const Place place{&deltas_};
  if (crowded) return Say(503, fmt::format("{} such answers are under way", kMostDeltas), response);
  const auto newest = follower_.Newest();
  if (!newest) return SayNoReport(response);
  const Report before = WholeReport(directory_, newest->report);
  const ConnectionWatch::Patience patience(connections_, request.remote_port);
  const auto wanted = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    // relaxed: a late look is the next one
    if (stopping_.load(std::memory_order_relaxed)) return Say(503, "the server ends", response);
    std::this_thread::sleep_for(kDeltaLook);
    const auto now = std::chrono::steady_clock::now();
    if (now < wanted) continue;
    const auto after = follower_.Newest();
    if (after != newest) {
      response->set_header("Content-Disposition", "attachment; filename=\"delta\"");
      const Report whole = WholeReport(directory_, after->report);
      response->set_content(DiffToPprof(DifferenceOf(before, whole)), kProfile);
      return;
    }
    if (now > wanted + kDeltaPatience) return Say(503, "no report was written meanwhile", response);
  }
}

void Routes::AddTo(httplib::Server* server) {
  using httplib::Request;
  using httplib::Response;
  server->Get("/", [this](const Request&, Response& response) { Page(&response); });
  server->Get("/page.json",
              [this](const Request& request, Response& response) { PageData(request, &response); });
  server->Get("/report", [this](const Request&, Response& response) {
    const auto snapshot = follower_.Newest();
    if (!snapshot) return SayNoReport(&response);
    response.set_content(ToText(snapshot->report), kPlain);
  });
  server->Get("/report.json", [this](const Request&, Response& response) {
    const auto snapshot = follower_.Newest();
    if (!snapshot) return SayNoReport(&response);
    response.set_content(snapshot->json + "\n", kJson);
  });
  server->Get("/history.json", [this](const Request&, Response& response) {
    response.set_content(
        follower_.OfHistory([](const History& history) { return ToJson(history); }) + "\n", kJson);
  });
  server->Get("/holders.json", [this](const Request&, Response& response) {
    const auto snapshot = follower_.Newest();
    if (!snapshot) return SayNoReport(&response);
    std::vector<Callsite> callsites = snapshot->report.callsites;
    std::erase_if(callsites, [](const Callsite& callsite) { return !callsite.held; });
    response.set_content(HoldersToJson(snapshot->report, callsites) + "\n", kJson);
  });
  server->Get("/metrics", [this](const Request&, Response& response) { Metrics(&response); });
  server->Get("/healthz",
              [](const Request&, Response& response) { response.set_content("ok\n", kPlain); });
  server->Get("/debug/pprof/",
              [](const Request&, Response& response) { response.set_content(kIndex, kHtml); });
  server->Get("/debug/pprof/heap", [this](const Request& request, Response& response) {
    Profile(request, PprofKind::kHeap, &response);
  });
  server->Get("/debug/pprof/allocs", [this](const Request& request, Response& response) {
    Profile(request, PprofKind::kAllocs, &response);
  });
  server->Post("/snapshot", [this](const Request& request, Response& response) {
    if (ComesFromElsewhere(request.get_header_value("Origin"), request.get_header_value("Host")))
      return Say(403, "a page of another site asks", &response);
    const CommandResult result = commands_.Snapshot();
    Say(result.status, result.text, &response);
  });
  server->Post("/config", [this](const Request& request, Response& response) {
    if (!may_configure_)
      return Say(403, "settings are changed by those with a token alone (--token-file)", &response);
    const CommandResult result = commands_.Configure(request.body);
    Say(result.status, result.text, &response);
  });
  server->Get("/debug/pprof/([a-z]+)", [](const Request& request, Response& response) {
    Say(404, fmt::format("{}: heapgauge has heap and allocs alone", request.matches[1].str()),
        &response);
  });
}

}  // namespace heapgauge::serve
