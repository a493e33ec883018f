"""Memory that the program has freed and its allocator keeps is reported as that, by the allocator's own figures.

The victim holds 12.5 MiB of the 200 MiB it took, scattered over all of them.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

MIB = 1 << 20


def body():
    def extra(parser):
        parser.add_argument("--victim", default="holes")

    options = harness.arguments(__doc__, extra)
    harness.skip_without_library(options.behind)
    with harness.Rig(options) as rig:
        victim = os.path.realpath(rig.victim(options.victim))
        if not os.path.exists(victim):
            harness.skip("the allocator to link with is not installed")
        # Not with more samples: each takes a page, and what is told here of each block would no longer hold.
        for mode in ("default",):
            run = rig.run([victim], mode, harness.NAMES_ONLY)
            harness.check(run.status == 0 and not run.said, f"{mode}: {run.status} {run.said} {run.stderr!r}")
            harness.check(harness.final_account_is_true(run, victim) == 1, f"{mode}: no truth was told")
            report = next(iter(harness.last_reports(run.directory).values()))
            process = report["process"]
            live, retained = process["heap_live_bytes"] / MIB, process["allocator_retained_bytes"] / MIB
            rest = process["rss_bytes"] / MIB - live - retained
            told = f"{mode}: live {live:.1f}, retained {retained:.1f}, the rest {rest:.1f} MiB"
            print(told)
            # 187.5 MiB were freed; a page here and there was given back, and each block has a header or a size class.
            harness.check(170 < retained < 235, told)
            # Code, the tracker, headers and size classes of what is live; less: the live heap is estimated.
            harness.check(-20 < rest < 40, told)
            with open(os.path.join(harness.report_directories(run.directory)[0], "report.txt"),
                      encoding="utf-8") as file:
                harness.check("kept by the allocator" in file.read(), "report.txt does not name the allocator's part")


harness.main(body)
