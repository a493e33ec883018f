#include "reporter/label_figures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "report/call_words.h"
#include "report/units.h"
#include "store/site_table.h"
#include "track/weights.h"

namespace heapgauge {
namespace {

double Median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string Plain(std::string_view name) { return std::string(UnescapeName(name).view()); }

}  // namespace

void LabelFigures::Sum::Add(const Sum& other) {
  bytes += other.bytes;
  objects += other.objects;
  variance += other.variance;
  if (oldest_ns == 0 || other.oldest_ns < oldest_ns) oldest_ns = other.oldest_ns;
}

void LabelFigures::Take(const LiveTable& live, uint64_t now_ns, double time_s) {
  before_ns_ = now_ns_;
  before_s_ = before_ns_ == 0 ? -1 : time_s_;
  now_ns_ = now_ns;
  time_s_ = time_s;
  by_set_.clear();
  by_site_.clear();
  by_label_.clear();
  pairs_ = 0;
  if (!labels_.InUse()) return;
  live.ForEach([this](uintptr_t, const LiveSample& sample) {
    if (sample.labels == 0) return;
    Sum one;
    one.bytes = static_cast<double>(BytesShare(sample.bytes, sample.weight)) * kBytesUnit;
    one.objects = 1 + static_cast<double>(UnseenObjects(sample.weight)) * kObjectsUnit;
    one.variance = VarianceShare(sample.bytes, sample.weight);
    one.oldest_ns = sample.birth_ns;
    by_set_[sample.labels].Add(one);
    std::vector<Share>& shares = by_site_[sample.site];
    const auto found = std::find_if(shares.begin(), shares.end(),
                                    [&](const Share& share) { return share.set == sample.labels; });
    if (found != shares.end()) {
      found->sum.Add(one);
    } else if (pairs_ < kMostPairs && shares.size() < 4 * kMostOfSite) {
      shares.push_back({sample.labels, one});
      ++pairs_;
    }
  });
  LearnNames();
  SumByLabel();
}

void LabelFigures::LearnNames() {
  bool any = false;
  for (const auto& [set, sum] : by_set_) {
    labels_.ForEachOf(set,
                      [&](uint16_t label) { any = any || labels_.PublishedNumber(label) >= 0; });
    if (any) break;
  }
  if (!any || !context_.Refresh()) return;
  for (size_t i = 0; i < context_.names().size(); ++i) {
    labels_.NamePublished(static_cast<unsigned char>(i), context_.names()[i]);
  }
}

std::vector<uint16_t> LabelFigures::Members(uint16_t set) const {
  std::vector<uint16_t> own;
  std::vector<uint16_t> published;
  labels_.ForEachOf(set, [&](uint16_t label) {
    (labels_.PublishedNumber(label) < 0 ? own : published).push_back(label);
  });
  for (const uint16_t label : published) {
    const std::string_view name = labels_.NameOfPublished(labels_.PublishedNumber(label));
    const uint16_t named = labels_.Label(name, labels_.ValueOf(label));
    const bool known = std::any_of(own.begin(), own.end(), [&](uint16_t other) {
      return labels_.KeyOf(other) == labels_.KeyOf(named);
    });
    if (named != 0 && !known) own.push_back(named);
  }
  return own;
}

void LabelFigures::SumByLabel() {
  for (const auto& [set, sum] : by_set_) {
    for (const uint16_t label : Members(set)) by_label_[label].Add(sum);
  }
}

TextMap LabelFigures::LabelsOf(uint16_t set) const {
  TextMap map;
  for (const uint16_t label : Members(set)) {
    map.emplace(labels_.KeyOf(label), labels_.ValueOf(label));
  }
  return map;
}

void LabelFigures::FillSites(const std::vector<uint32_t>& indices, Report& report) const {
  for (size_t i = 0; i < indices.size() && i < report.sites.size(); ++i) {
    const auto found = by_site_.find(indices[i]);
    if (found == by_site_.end()) continue;
    Site& site = report.sites[i];
    std::vector<Share> shares = found->second;
    std::sort(shares.begin(), shares.end(),
              [](const Share& a, const Share& b) { return a.sum.bytes > b.sum.bytes; });
    std::map<std::pair<std::string, std::string>, double> by_label;
    for (const Share& share : shares) {
      TextMap labels = LabelsOf(share.set);
      for (const auto& label : labels) by_label[label] += share.sum.bytes;
      if (labels.empty() || site.by_labels.size() == kMostOfSite) continue;
      site.by_labels.push_back({std::move(labels), share.sum.bytes, share.sum.objects});
    }
    for (const auto& [label, bytes] : by_label) {
      if (bytes >= site.live_bytes / 2) site.labels[label.first] = label.second;
    }
  }
}

void LabelFigures::Follow() {
  for (const auto& [label, sum] : by_label_) {
    if (history_.count(label) != 0 || history_.size() >= kMostFollowed) continue;
    // It held nothing when the last report was made.
    std::vector<Point>& points = history_[label];
    if (before_s_ >= 0) points.push_back({before_s_, 0});
  }
  for (auto it = history_.begin(); it != history_.end();) {
    std::vector<Point>& points = it->second;
    const auto found = by_label_.find(it->first);
    points.push_back({time_s_, found == by_label_.end() ? 0 : found->second.bytes});
    if (points.size() > kPoints) points.erase(points.begin());
    const bool gone = std::all_of(points.begin(), points.end(),
                                  [](const Point& point) { return point.bytes == 0; });
    it = gone ? history_.erase(it) : std::next(it);
  }
}

// The median of the rates between each two reports.
double LabelFigures::Growth(uint16_t label) const {
  const auto found = history_.find(label);
  if (found == history_.end()) return 0;
  const std::vector<Point>& points = found->second;
  std::vector<double> rates;
  for (size_t i = 0; i < points.size(); ++i) {
    for (size_t k = i + 1; k < points.size(); ++k) {
      const double seconds = points[k].time_s - points[i].time_s;
      if (seconds > 0) rates.push_back((points[k].bytes - points[i].bytes) / seconds);
    }
  }
  return rates.empty() ? 0 : Median(rates);
}

double LabelFigures::Age(const Sum& sum) const {
  // In exact mode births are read from a clock that is some milliseconds behind.
  return now_ns_ > sum.oldest_ns ? static_cast<double>(now_ns_ - sum.oldest_ns) * 1e-9 : 0;
}

void LabelFigures::FillCircles(Report& report) {
  CircleBook& book = labels_.circles();
  for (size_t i = 0; i < CircleBook::kMost; ++i) {
    const CircleBook::Circle circle = book.Read(i);
    if (circle.label == 0) break;
    if (circle.first_ns == 0) continue;
    const auto found = by_label_.find(circle.label);
    const double bytes = found == by_label_.end() ? 0 : found->second.bytes;
    circle_peaks_[i] = std::max(circle_peaks_[i], bytes);
    const bool seen = circle.last_ns >= before_ns_;
    if (!seen && bytes <= kLeftOfCircle * circle_peaks_[i]) {
      book.Forget(i);
      circle_peaks_[i] = 0;
      continue;
    }
    Circle& to = report.circles.emplace_back();
    std::string_view names = labels_.ValueOf(circle.label);
    while (!names.empty()) {
      const size_t space = names.find(' ');
      if (space != 0) to.members.push_back(Plain(names.substr(0, space)));
      names.remove_prefix(space == std::string_view::npos ? names.size() : space + 1);
    }
    std::sort(to.members.begin(), to.members.end());
    to.depth = circle.depth;
    to.in_flight_bytes = bytes;
    const uint64_t ago_ns = now_ns_ > circle.first_ns ? now_ns_ - circle.first_ns : 0;
    to.since = FormatUtc(UnixMs() - static_cast<int64_t>(ago_ns / 1'000'000));
  }
}

void LabelFigures::Fill(Report& report) {
  report.service = Plain(labels_.Service().view());
  FillCircles(report);
  Follow();
  std::vector<std::pair<uint16_t, const Sum*>> order;
  for (const auto& [label, sum] : by_label_) order.emplace_back(label, &sum);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->bytes != b.second->bytes ? a.second->bytes > b.second->bytes
                                              : a.first < b.first;
  });
  std::unordered_map<std::string_view, size_t> of_key;
  for (const auto& [label, sum] : order) {
    const std::string_view key = labels_.KeyOf(label);
    if (++of_key[key] > kMostOfKey) continue;
    LabelSum& to = report.labels.emplace_back();
    to.key = key;
    to.value = labels_.ValueOf(label);
    to.live_bytes = sum->bytes;
    to.live_bytes_stderr = std::sqrt(sum->variance);
    to.live_objects = sum->objects;
    to.oldest_s = Age(*sum);
    to.growth_bytes_per_s = Growth(label);
    if (key != Labels::kPeerKey) continue;
    report.calls.push_back({to.value, to.live_bytes, to.live_bytes_stderr, to.live_objects,
                            to.oldest_s, to.growth_bytes_per_s});
  }
}

}  // namespace heapgauge
