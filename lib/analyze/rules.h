// The constants of the verdict, in one place, each below the section of docs/verdict.md that says
// why it is there and what neighbouring values cost.  Tuned with bench/verdict: change one, and run
// `verdict_bench` over seeds that nobody has looked at.
//
// "Errors" are standard errors.  "Looks" are times that a site was judged.
#ifndef HEAPGAUGE_ANALYZE_RULES_H_
#define HEAPGAUGE_ANALYZE_RULES_H_

#include <cstddef>
#include <cstdint>

namespace heapgauge::rules {

// ---- "Who is judged"
inline constexpr double kMostOfIt = 0.5;       // share of the growth that makes a part the cause
inline constexpr double kCertainGrowth = 0.2;  // of a wrapper's growth is no chance, at least
inline constexpr uint8_t kPatience = 6;        // looks that a part is waited for
inline constexpr size_t kFewCauses = 16;  // more than these are one at what they have in common
// A part and the sum that it belongs to.
inline constexpr double kMostOfSum = 2;  // the sum has so many times the part's survivors, or the
                                         // part is most of it
inline constexpr double kOtherShare = 1.5;  // the part keeps so many times more of its births
inline constexpr double kOtherErrors = 3;

// ---- Section 1: what is known of a site
inline constexpr double kLongGap = 5;          // usual intervals: a longer gap may be a stop
inline constexpr double kIdleShare = 0.3;      // of the usual samples: with fewer it is one
inline constexpr double kForgiveness = 2;      // gaps: after so long the ages are trusted again
inline constexpr double kLeastInterval = 0.5;  // of the interval: a report on demand sooner than
                                               // that waits for the next to become history

// The time scale of a site (time_scale.h): between this and the report interval, by the share of
// births that stay and by how long the others live.
inline constexpr double kLeastScale = 15;       // seconds
inline constexpr double kUsualShare = 0.3;      // of births stays: the report interval is the scale
inline constexpr double kLongLifeScale = 0.25;  // of the age that 99.9 % of the dead didn't reach
inline constexpr double kLookSlack = 0.25;      // of the scale: a look may come so much too early
inline constexpr double kLeastSegment = 14;     // seconds; or kLeastInterval of shorter intervals

// ---- Section 2: growth
inline constexpr size_t kLeastRegime = 6;  // segments: fewer tell no rate
// Two rates make two regimes when they lie so many errors apart (about 40 bounds are tried at every
// report of a day), and differ by so much of the larger one: an exact history shows curvature that
// is no change.
inline constexpr double kBreakErrors = 4.2;
inline constexpr double kBreakShare = 0.3;
// Pairs of points grow with the square; beyond so many points every second (third, ...) will do.
inline constexpr size_t kMostPoints = 25;
inline constexpr double kStillRises = 0.3;  // of the slope, in the last quarter of the regime
inline constexpr uint8_t kRiseLooks = 2;    // in a row
inline constexpr uint32_t kWarmReports = 6;
// Load: births rose by more than this and so many errors, live bytes by no more than births to a
// power, the mean life is a small share of the regime, and hardly anything lives to half of it.
inline constexpr double kLoadBirths = 0.1;  // of the logarithm
inline constexpr double kLoadErrors = 3;
inline constexpr double kLoadPower = 1.3;
inline constexpr double kLoadMeanLife = 0.25;
inline constexpr double kLoadSurvival = 0.15;

// What a sentence says of births (births.h): so many samples tell a rate; a change is this and so
// many errors; none came for so long that as many were due (e^-7: less than one in a thousand).
inline constexpr double kTellingBirths = 8;
inline constexpr double kChangedBirths = 0.2;  // of the logarithm
inline constexpr double kChangedErrors = 3;
inline constexpr double kQuietBirths = 7;

// ---- Section 3: survivors
inline constexpr double kPriorSurvivors = 10;  // mean of the exponential prior: a handful
inline constexpr double kAgesTried = 40;       // A was chosen among about so many
inline constexpr double kLeastReach = 1.5;     // A: ages up to this multiple of A must be seen
inline constexpr double kLeastSpread = 3;  // the same for the spread of births: a few age buckets
inline constexpr double kMostTransient = 0.25;  // of the living beyond an age: so many may be about
                                                // to die for their births to be looked at
inline constexpr double kBirthsWillDo = 0.9;    // from this share of survivors on, births show the
                                                // spread, and finer than age buckets
inline constexpr double kHardlyAnyDies = 0.5;  // from this share on there is no telling a leak from
                                               // what lives long but by time
inline constexpr double kForerunners = 0.1;  // share of the survivors that may be older than those
                                             // that count: a handful from start-up must not make a
                                             // leak of the last hour look like one of the day
inline constexpr int kMostCuts = 3;  // times that what came before a crowd or a gap is left out
// Births in the time before a cut, this share of the time since, tell a curve that flattens from a
// load that ended: by so many times the rate since.
inline constexpr double kBeforeCut = 0.25;  // and twice that
inline constexpr double kLeastFade = 1.2;
inline constexpr double kLoadRatio = 6;
// A pause of what stays (pauses.h): so many errors fewer than expected, and so little of it; from so
// many samples since; and no stretch since that is half as long is as still.  Before it came a load: so many
// samples, kLoadRatio times as fast as since.
inline constexpr double kPauseErrors = 3.3;
inline constexpr double kLeastLoad = 5;
inline constexpr double kPauseHolds = 0.1;
inline constexpr double kLeastSincePause = 10;
inline constexpr double kPausesAlike = 0.5;
inline constexpr double kLately = 3;  // report intervals: have deaths caught up with births?

// ---- Section 4: the signs of a leak
// By the share of births that survive.  The more usual it is at a site that objects stay, the more
// must be seen of it: long-lived objects are common, and a few that outlive a thousand are not.
struct LeakDemand {
  double share;        // up to which this line holds
  double samples;      // at least
  double hazard;       // the hazard's 90 % bound times the span: at most the smaller of this and
  double hazard_many;  // this + kHazardSamples / samples: when many are seen, a small hazard shows
  double intervals;    // the span in units of the site's time scale, at least
};
inline constexpr LeakDemand kLeakDemands[] = {
    {0.02, 8, 0.50, 0.20, 8},
    {0.50, 11, 0.50, 0.20, 9},
    {1.01, 16, 0.30, 0.08, 11.5},
};
inline constexpr double kLeastSeconds = 5;  // however short the reports: programs take seconds to
                                            // start
inline constexpr double kHazardSamples = 5;
inline constexpr double kCutSamples = 1.5;  // so many times the samples where something was cut off
// Where hardly anything dies only time tells: the fewer samples below the first number, the more
// intervals, up to the second; half of it where something was cut off.
inline constexpr double kManySamples = 60;
inline constexpr double kMoreIntervals = 8;
// Births are uneven: so many more in one bin of time than its width explains (or in lumps), a gap
// so long, or one so long with so much of all time emptier than chance makes it.
inline constexpr double kCrowd = 0.45;
inline constexpr double kLongGapInBirths = 0.4;
inline constexpr double kGapInBirths = 0.12;
inline constexpr double kEmpty = 0.25;
// Two survivors came in one bin so much more often than chance and widths explain: a few bursts, none
// of which is a crowd.  Where they come evenly in twelve bins it is one in twelve, in four bursts one
// in four.  Bins by age are wide and few; births themselves tell it better.
inline constexpr double kClumped = 0.15;
inline constexpr double kClumpedBirths = 0.06;
inline constexpr double kClumpedGrowth = 0.06;
inline constexpr double kClumpErrors = 2;
// Clearly even: less of each.
inline constexpr double kEvenCrowd = 0.3;
inline constexpr double kEvenGap = 0.2;
inline constexpr double kEvenEmpty = 0.12;
inline constexpr double kLumpErrors = 3;         // that a burst stands out by
inline constexpr size_t kFewLooks = 3;           // within which what comes may go again
inline constexpr double kNewestShare = 1.0 / 3;  // of the time: births must go on in it,
inline constexpr double kGoesOn = 0.4;           // with so much of what is expected, less chance
// Births fell: in the newest third of the time was less than this of them.  Then so many survivors must
// have come in it, or the living have become more by this share of the survivors.
inline constexpr double kFellShare = 0.15;
inline constexpr double kSinceItFell = 8;
inline constexpr double kAddedShare = 0.5;
// Slowing, where hardly anything dies: this and so many errors; where the beginning of the curve
// was cut off, what is left looks straighter.
inline constexpr double kSlowing = 0.2;
inline constexpr double kSlowingErrors = 1;
inline constexpr double kCutSlowing = 0.1;
inline constexpr double kCutSlowingErrors = 0.7;
// The same of the share that stays where most die.  That the newer half falls, too, was asked for
// and dropped: a leak after a set-up is called two reports earlier, but six of 40 caches among
// requests are in place of one.
inline constexpr double kShareFalls = 0.2;
inline constexpr double kShareErrors = 1.5;
// However short the time scale: what is set up takes minutes, so that survivors are asked to come
// for so many report intervals, and for longer where not just a few stay.  There, within kEarly of
// them, nothing is forgiven to chance, and more survivors are asked for: what fills takes minutes,
// too.
inline constexpr double kLeastReports = 3;
inline constexpr double kLeastReportsUsual = 4;
inline constexpr double kEarly = 10;
inline constexpr double kEarlySamples = 16;
// Looks in a row with all signs.  Once may be chance, as the borders between age buckets move; what
// is clearly even counts so many times.  Where hardly anything dies it is a share of the span.
inline constexpr uint8_t kLeakLooks = 4;
inline constexpr uint8_t kClearLook = 2;
inline constexpr double kSameSpan = 0.1;
inline constexpr double kMostLooks = 100;
// Clearing it again.
inline constexpr uint8_t kQuietLooks = 3;  // in a row: an alert must not flap
inline constexpr double kOverdue = 8;      // survivors that should have come: the leak has stopped
inline constexpr double kOddOnes = 0.1;    // of them may have come: the odd one does when mended
inline constexpr double kDyingErrors = 2;  // deaths of the last reports beyond half of the births
inline constexpr double kFades = 0.35;     // births must have faded further and more surely than it
inline constexpr double kFadesErrors = 2;  // takes not to call it

// ---- "A buffer that doubles"
inline constexpr uint64_t kFewBlocks = 3;      // samples: old and new one, and another
inline constexpr double kDoublingStep = 1.45;  // times as large: libraries take 1.5 or 2
inline constexpr double kDoublingFell = 0.6;   // of it: old and new at once, without the old
inline constexpr uint32_t kDoublings = 3;
inline constexpr double kDoublingPause = 3.5;  // times the last one: the next takes twice as long

// ---- "What is swept" (sweeps.h)
inline constexpr double kSweepErrors = 3;   // that more died in one look than were born,
inline constexpr double kLeastSwept = 4;    // and so many samples
inline constexpr double kSweptShare = 0.1;  // of them were as old as the span
inline constexpr double kSameSweep = 0.2;  // of the span: what dies so soon after is the same sweep
inline constexpr double kSweepMayCome = 2;    // spans
inline constexpr uint32_t kSweepsToTell = 3;  // that left more each time,
inline constexpr double kLeftBehind = 8;      // and so many samples together
inline constexpr double kSweptMore = 0.7;     // of what was left before is: it was no leak

// ---- Section 5: where nothing dies, and all that was looked for is held: a buffer that is emptied
// every so often looks like this until it is emptied for the first time.  So long it stays `growing`,
// however short the reports.
inline constexpr double kHeldSeconds = 45;
inline constexpr uint64_t kLeastHeld = 8;       // sampled objects that were looked for
inline constexpr double kMostLostOfHeld = 0.1;  // of them, missed by the search

// ---- Section 6: confidence
// Objects that nothing points to any more (lost.h).
inline constexpr double kMissed = 0.05;          // chance that a held one is missed, at most
inline constexpr uint64_t kLeastLost = 8;        // sampled objects
inline constexpr double kLostConfidence = 0.95;  // before it is called
inline constexpr double kMostConfidence = 0.99;  // the bench knows what its authors thought of
inline constexpr double kLeastConfidence = 0.3;  // what more likely fills waits for more
inline constexpr double kUsualSlowing = 0.5;     // standard deviation among sites that pile up
inline constexpr double kUsualIntervals = 12;
// log odds = odds + time * ln(span / 12 intervals) - slowing * what was seen of it.
struct ConfidenceFit {
  double odds;
  double time;
  double slowing;
};
inline constexpr ConfidenceFit kFitMostDie = {1.8, 0.56, 2.39};
inline constexpr ConfidenceFit kFitHardlyAnyDies = {-0.44, 1.46, 3.63};
// Among what dies: something that fills there shows its fading too late to be told by less.
inline constexpr double kLeastAmong = 0.81;
inline constexpr double kHardlyBelieved = 0.7;  // below it the sentence says what else it may be

// ---- Section 7: many sites at once
inline constexpr double kFalseDiscoveries = 0.01;
inline constexpr double kProcessRiseP = 0.005;  // one process is one test
inline constexpr double kPushOut = 2;  // so many times larger must a waiting site be than the one
                                       // it pushes out

// ---- Section 8: where the resident set went
inline constexpr double kWorthMentioning = 0.01;  // of the heap in an hour: then a growing site
                                                  // concerns the process
inline constexpr double kLastsLonger =
    2;  // times the usage's growth must the heap's have lasted to
        // be the one that time is left by
inline constexpr double kLargestStack = 8 << 20;  // bytes a thread: more is not its stack

// ---- "When the figures contradict themselves"
inline constexpr double kAuditErrors = 5;
inline constexpr double kAuditSlack =
    0.05;  // what the others' figures may be off by: they are read
inline constexpr double kAuditSlackBytes = 1 << 20;  // some moments later
inline constexpr int kAuditInARow = 2;               // reports
inline constexpr double kUnseenShare = 0.05;  // of all samples that ended, and at least so many
inline constexpr uint64_t kUnseenSamples = 8;
inline constexpr double kSiteUnseenShare = 0.01;   // of one site's: fewer could be what happened
inline constexpr uint64_t kSiteUnseenSamples = 2;  // once, while a module was being loaded

}  // namespace heapgauge::rules

#endif  // HEAPGAUGE_ANALYZE_RULES_H_
