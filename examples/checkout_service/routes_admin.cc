#include <httplib.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "routes.h"
#include "shop.h"

namespace checkout {
namespace {

using nlohmann::json;

json CacheJson(const CacheCounts& counts) {
  return {{"entries", counts.entries},
          {"hits", counts.hits},
          {"misses", counts.misses},
          {"evictions", counts.evictions}};
}

json StatsJson(const Shop& shop) {
  const LeakTotals leaked = shop.coupons.Leaked();
  const AuditTotals audit = shop.coupons.Audit();
  const std::chrono::duration<double> uptime = Clock::now() - shop.started;
  return {{"uptime_s", uptime.count()},
          {"requests", shop.requests.load(std::memory_order_relaxed)},
          {"errors", shop.errors.load(std::memory_order_relaxed)},
          {"sessions", shop.sessions.size()},
          {"sessions_created", shop.sessions.created()},
          {"sessions_expired", shop.sessions.expired()},
          {"receipts_kept", shop.receipts.size()},
          {"receipts_issued", shop.receipts.issued()},
          {"page_cache", CacheJson(shop.pages.Counts())},
          {"quote_cache", CacheJson(shop.quotes.Counts())},
          {"coupons",
           {{"accepted", audit.accepted},
            {"unknown_code", audit.unknown_code},
            {"expired", audit.expired},
            {"terms_not_met", audit.terms_not_met},
            {"waiting_for_audit", audit.waiting}}},
          {"coupon_leak", shop.coupons.defect() != Defect::kNone},
          {"defect", DefectText(shop.coupons.defect())},
          {"coupon_bytes", shop.coupons.coupon_bytes()},
          {"leaked_bytes", leaked.bytes},
          {"leaked_objects", leaked.objects},
          {"leak_seconds", leaked.seconds},
          {"leak_bytes_per_s", leaked.bytes_per_s},
          {"leak_recent_bytes_per_s", leaked.recent_bytes_per_s}};
}

}  // namespace

void AddAdminRoutes(httplib::Server& server, Shop& shop) {
  server.Get("/health", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", "text/plain");
  });
  server.Get("/admin/stats", [&shop](const httplib::Request&, httplib::Response& response) {
    response.set_content(StatsJson(shop).dump(2) + "\n", "application/json");
  });
  server.Post("/admin/defect", [&shop](const httplib::Request& request,
                                       httplib::Response& response) {
    const std::string value = request.get_param_value("coupon_leak");
    const std::optional<Defect> defect = value == "on"    ? shop.defect
                                         : value == "off" ? Defect::kNone
                                                          : ParseDefect(value);
    if (!defect) {
      const json problem = {{"error", "expected ?coupon_leak=on, off, kept, lost or bounded"}};
      response.status = 400;
      response.set_content(problem.dump(), "application/json");
      return;
    }
    shop.coupons.SetDefect(*defect);
    const json now = {{"coupon_leak", *defect != Defect::kNone}, {"defect", DefectText(*defect)}};
    response.set_content(now.dump(), "application/json");
  });
}

}  // namespace checkout
