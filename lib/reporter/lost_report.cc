#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "reporter/lost_blocks.h"
#include "reporter/report_assembler.h"

namespace heapgauge {

bool ReportAssembler::AssembleLost(const ProcessEnd& end, Report* report, std::string* graph) {
  LostBlocks lost;
  if (!FindLostBlocks(tracker_, options_.memory_limit_bytes / 2, end, &lost)) return false;
  std::vector<uint32_t> sites;
  for (const LostBlocks::Block& block : lost.blocks) sites.push_back(block.site);
  std::sort(sites.begin(), sites.end());
  sites.erase(std::unique(sites.begin(), sites.end()), sites.end());
  report->time = FormatUtc(UnixMs());
  report->final = true;
  report->pid = getpid();
  report->exe = exe_;
  report->host = host_;
  report->sampling.interval_bytes = tracker_.interval_bytes();
  report->sampling.dropped = tracker_.dropped();
  report->totals.live_objects = static_cast<double>(lost.checked_objects);
  report->totals.live_bytes = static_cast<double>(lost.checked_bytes);
  for (const uint32_t site : sites) {
    report->sites.emplace_back().id = IdText(identity_.IdOf(*tracker_.sites().At(site)));
  }
  for (const LostBlocks::Block& block : lost.blocks) {
    const auto place = std::lower_bound(sites.begin(), sites.end(), block.site);
    Site& site = report->sites[static_cast<size_t>(place - sites.begin())];
    site.live_bytes += static_cast<double>(block.bytes);
    site.live_objects += 1;
  }
  stacks_.Fill(sites, *report);
  SayProblem();
  *graph = lost.Graph(sites);
  return true;
}

}  // namespace heapgauge
