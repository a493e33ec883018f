"""A program that has damaged its own heap, and lives with that, lives under heapgauge as well: no report asks the
allocator for what it can't say without following the damage.  An arena that stays locked stops no report.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

WAYS = ("top", "bin", "loop", "fast", "cache", "size", "lock")
SETTINGS = {"HEAPGAUGE_REPORT_INTERVAL": "200ms", "HEAPGAUGE_SYMBOLIZE": "names"}


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=SETTINGS) as rig:
        victim = os.path.realpath(rig.victim("damages_heap"))
        for way in WAYS:
            run = rig.run([victim, way, "2"], "4KiB")
            harness.check(run.status == 0 and run.stdout == b"done\n", f"{way}: {run.status} {run.stdout!r} {run.stderr!r}")
            directory, = harness.report_directories(run.directory)
            reports = harness.read_reports(directory)
            harness.check(len(reports) >= 3, f"{way}: {len(reports)} reports")


harness.main(body)
