"""A host that takes its own descriptors away while it runs: the lost reports are said once, counted, and the next ones come.

victims/no_descriptors.c sets its soft limit on descriptors to --limit.  --who asks|periodic|end: as there; --early: before
the first report.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def extra(parser):
    parser.add_argument("--who", required=True, choices=("asks", "periodic", "end"))
    parser.add_argument("--limit", required=True)
    parser.add_argument("--early", action="store_true")


def body():
    options = harness.arguments(__doc__, extra)
    with harness.Rig(options, timeout=60) as rig:
        argv = [os.path.realpath(rig.victim("no_descriptors")), options.who, options.limit]
        argv += ["early"] if options.early else []
        bare = rig.run(argv, "bare")
        harness.check(bare.status == 33, f"the victim itself ends with {bare.status}: {bare.stderr!r}")
        interval = "100ms" if options.who == "periodic" else "1h"
        for mode in ("4KiB", "exact"):
            for symbolize in ("names", "lines"):
                run = rig.run(argv, mode, {"HEAPGAUGE_REPORT_INTERVAL": interval, "HEAPGAUGE_SYMBOLIZE": symbolize})
                harness.same_behaviour(bare, run, ["this report is lost, the next one is tried"])
                harness.check("Too many open files" in run.said[0], f"{run.said}")
                found = harness.report_directories(run.directory)
                if options.who == "end":
                    harness.check(len(found) == (0 if options.early else 1), f"{found}")
                    continue
                harness.check(len(found) == 1, f"report directories: {found}")
                reports = harness.read_reports(found[0])
                failed = reports[-1]["sampling"]["reports_failed"]
                harness.check(reports[-1]["final"] and (failed == 3 if options.who == "asks" else failed >= 1),
                              f"{failed} reports failed")
                functions = {frame["function"] for site in reports[-1]["sites"] for frame in site["frames"]}
                harness.check("keep" in functions, f"functions: {functions}")


harness.main(body)
