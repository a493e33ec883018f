"""A host puts a system call filter around itself that kills for what it does not use itself: it lives to its end as it
does without us.  Where the filter leaves reports a way they go on; where it does not, one line says so, and what was
reported before stands."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

LINE = "there are no reports from here on"
WAYS = ("prctl", "syscall", "all", "thread", "library", "twice")
ALL_THREADS = ("all", "library")
# What cannot be in a bare run: a thread that has to end by calls which kill, a heap that has to grow.
NOT_BARE = {"no_clock": ("thread",), "pure": ("thread",)}
NOT_LISTS = {"refused": ("library",)}
EARLY = ("early",)
BARE = {}
SETTINGS = {"HEAPGAUGE_REPORT_INTERVAL": "200ms"}


def last_report(directory):
    found = [harness.read_reports(path) for path in harness.report_directories(directory)]
    harness.check(len(found) <= 1, f"{len(found)} directories")
    return found[0][-1] if found and found[0] else None


def attempt(rig, how, modes, settings):
    argv = [rig.victim("filters"), *how]
    # Early or not, it says the same.
    if how[:2] not in BARE:
        BARE[how[:2]] = rig.run([rig.victim("filters"), *how[:2], *(() if how[0] in ("strict", "pure") else EARLY)], "bare")
    bare = BARE[how[:2]]
    if bare.status == 77:
        return print(*how, "is not to be had here")
    harness.check(bare.status == 29, f"{how}: the host itself ends with {bare.status}")
    for mode in modes:
        run = rig.run(argv, mode, settings)
        where = f"{' '.join(how)}, {mode}"
        for what in ("status", "stdout", "stderr"):
            ours, its = getattr(run, what), getattr(bare, what)
            harness.check(ours == its, f"{where}: {what} is {ours}, bare {its}; it said {run.said}")
        check_end(where, how, run, last_report(run.directory))
    return None


def check_end(where, how, run, report):
    kind, way, early = how[0], how[1], len(how) > 2
    print(where, run.said, "no report" if report is None else f"{report['sequence']} reports, final {report['final']}")
    if kind == "strict":
        return harness.check(not run.said, f"{where}: it said {run.said}")
    goes_on = kind == "no_socket" or way == "thread"
    if not early and (way not in ALL_THREADS or kind == "no_threads"):
        goes_on = True  # the report thread is there, and not behind the filter or not concerned
    if goes_on:
        harness.check(not run.said, f"{where}: it said {run.said}")
        harness.check(report is not None and report["final"], f"{where}: the last report is not final")
        return None
    # A line takes calls as well: where all of them kill there is none.
    mute = early and kind in ("no_clock", "pure")
    harness.check(len(run.said) == (0 if mute else 1), f"{where}: it said {run.said}")
    harness.check(mute or LINE in run.said[0], f"{where}: it said {run.said}")
    harness.check((report is None) == early, f"{where}: {report}")
    return None


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--filter", required=True))
    with harness.Rig(options, 30, settings=harness.NAMES_ONLY) as rig:
        kind = options.filter
        if kind == "bounds":
            # By instructions of its own, which nobody sees: no call that asks for a stack's bounds is to be made at all.
            for how in (("raw", "early"), ("raw_thread",), ("raw_thread", "early")):
                run = rig.run([rig.victim("filters"), kind, *how], "4KiB", SETTINGS)
                harness.check(run.status == 29, f"{how}: {run.status} {run.stderr}")
            return
        if kind == "strict":
            attempt(rig, (kind, "prctl"), harness.INTERVALS, SETTINGS)
            return
        ways = [way for way in WAYS if way not in NOT_BARE.get(kind, ()) + NOT_LISTS.get(kind, ())]
        for way in ways:
            attempt(rig, (kind, way), ("4KiB",), SETTINGS)
            # The few small blocks from before the filter are not to be sampled.
            if kind != "pure":  # its heap could not grow
                attempt(rig, (kind, way, "early"), ("default",), SETTINGS)
        attempt(rig, (kind, "prctl"), ("exact",), SETTINGS)
        # As a user starts it: no report before the end.
        attempt(rig, (kind, "all"), ("default",), {})
        if kind in ("no_open", "no_threads", "no_socket"):
            raw = [rig.run([rig.victim("filters"), kind, "raw", *early], "default", SETTINGS) for early in ((), ("early",))]
            harness.check(all(run.status == 29 for run in raw), f"raw: {[run.status for run in raw]}")
        if kind in ("worker", "refused", "trapped"):
            # The report thread, which is not behind it, sees it around the first thread; reports go on to the last.
            run = rig.run([rig.victim("filters"), kind, "raw"], "default", SETTINGS)
            report = last_report(run.directory)
            harness.check(run.status == 29 and run.stdout == b"lived\n", f"raw: {run.status} {run.stdout} {run.stderr}")
            harness.check(report is not None and report["sequence"] > 3, f"raw: {report and report['sequence']} reports")


harness.main(body)
