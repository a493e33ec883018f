"""A clock that another preloaded library stops, sets or makes run faster or slower, for the program: reports come as
often as they should by the machine's own clock, and count by it how long the program has run."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
FAKETIME_FOR_THREADS = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
# Stopped, set, shifted, ten and a thousand times as fast, a hundredth as fast, one that goes on when it is looked at.
CLOCKS = ("2001-01-01 00:00:00", "@2001-01-01 00:00:00", "-5y", "+0 x10", "+1d x1000", "+0 x0.01", "+0 i0.0001")
INTERVAL_S = 0.1
WANTED = 3
PATIENCE_S = 30


def periodic(directory):
    found = 0
    for path in harness.report_directories(directory):
        with open(os.path.join(path, "reports.jsonl"), "rb") as file:
            found += file.read().count(b'"final":false')
    return found


def until_reported(directory):
    def wait(process):
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline and periodic(directory) < WANTED:
            time.sleep(0.05)
        process.stdin.close()
    return wait


def run(rig, preload, clock):
    place = rig.directory()
    victim = os.path.realpath(rig.victim("held_until_told"))
    env = {"LD_PRELOAD": preload, "FAKETIME": clock, "HEAPGAUGE_REPORT_INTERVAL": f"{int(1000 * INTERVAL_S)}ms"}
    began = time.monotonic()
    done = rig.run([victim, "200"], "exact", env, place, during=until_reported(place), stdin=subprocess.PIPE)
    lasted = time.monotonic() - began
    what = f"{clock}, {preload}"
    harness.check(done.status == 0 and not done.said, f"{what}: status {done.status}, said {done.said}")
    path, = harness.report_directories(place)
    reports = harness.read_reports(path)
    count = sum(not report["final"] for report in reports)
    harness.check(count >= WANTED, f"{what}: {count} periodic reports in {lasted:.1f} s")
    harness.check(count <= lasted / INTERVAL_S + 1, f"{what}: {count} periodic reports in {lasted:.1f} s")
    harness.check(reports[-1]["final"], f"{what}: no final report")
    uptimes = [report["uptime_s"] for report in reports]
    harness.check(uptimes == sorted(uptimes) and 0 < uptimes[-1] <= lasted, f"{what}: uptimes {uptimes}, not {lasted}")


def body():
    options = harness.arguments(__doc__)
    for library in (FAKETIME, FAKETIME_FOR_THREADS):
        if not os.path.exists(library):
            harness.skip(f"{library} is not installed")
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        ours = rig.preload("exact")
        for clock in CLOCKS:
            for preload in (f"{ours}:{FAKETIME}", f"{FAKETIME}:{ours}"):
                run(rig, preload, clock)
        run(rig, f"{FAKETIME_FOR_THREADS}:{ours}", CLOCKS[0])


harness.main(body)
