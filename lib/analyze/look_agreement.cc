#include "analyze/look_agreement.h"

#include <algorithm>

namespace heapgauge {
namespace {

// What the objects of one call site show.
struct RowSigns {
  size_t objects = 0;
  size_t found = 0;  // by any look
  size_t moved = 0;
  size_t missed[LookAgreement::kMostLooks] = {};  // of the found ones
  bool differs = false;                           // the last look from the one before
};

bool IsEnough(const RowSigns& row, int looks, int stable, bool differed) {
  if (looks < LookAgreement::kLeastLooks) return false;
  const double moving = static_cast<double>(row.moved) / static_cast<double>(row.objects);
  if (!differed && moving <= LookAgreement::kMovingShare) return true;
  if (stable < LookAgreement::kStableLooks) return false;
  const double found = static_cast<double>(row.found);
  double by_chance = found;
  // Twice the share: what lies farther apart is missed more often than the mean.
  for (int look = 0; look < looks; ++look) {
    const double missed = static_cast<double>(row.missed[look]);
    by_chance *= std::min(1.0, (2 * missed + 1) / (found + 2));
  }
  return by_chance <= LookAgreement::kMostByChance;
}

}  // namespace

void LookAgreement::Begin(size_t objects) {
  objects_.assign(objects, {});
  rows_.clear();
  looks_ = 0;
}

void LookAgreement::Missed(size_t object, uint64_t row) noexcept {
  objects_[object].row = row;
  objects_[object].missed |= static_cast<uint8_t>(1U << looks_);
}

void LookAgreement::Found(size_t object, uint64_t row, uint64_t place, bool fleeting) noexcept {
  Object& at = objects_[object];
  at.row = row;
  at.moved = at.moved || (at.placed && at.place != place);
  at.place = place;
  at.placed = true;
  at.fleeting = fleeting;
}

bool LookAgreement::EndLook() {
  ++looks_;
  const unsigned all = (1U << looks_) - 1;
  const unsigned last = 1U << (looks_ - 1);
  std::unordered_map<uint64_t, RowSigns> rows;
  for (const Object& object : objects_) {
    if (object.gone) continue;
    RowSigns& row = rows[object.row];
    ++row.objects;
    const bool missed = (object.missed & last) != 0;
    const bool missed_before = looks_ > 1 && (object.missed & (last >> 1)) != 0;
    // An old word on a stack that comes or goes is no sign.
    if (looks_ > 1 && missed != missed_before && !object.fleeting) row.differs = true;
    if (object.missed == all) continue;
    ++row.found;
    if (object.moved) ++row.moved;
    for (int look = 0; look < looks_; ++look) row.missed[look] += object.missed >> look & 1U;
  }
  bool again = false;
  for (const auto& [key, row] : rows) {
    History& history = rows_[key];
    history.stable = row.differs ? 1 : history.stable + 1;
    history.differed = history.differed || row.differs;
    history.enough = IsEnough(row, looks_, history.stable, history.differed);
    again = again || (!history.enough && row.found < row.objects);
  }
  for (Object& object : objects_) {
    object.lost = !object.gone && object.missed == all && rows_[object.row].enough;
  }
  return again && looks_ < kMostLooks;
}

}  // namespace heapgauge
