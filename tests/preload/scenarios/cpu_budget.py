"""HEAPGAUGE_CPU_BUDGET: sampling that costs more widens the interval, says so, and the estimates stay right."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

MILLISECONDS = "1500"
CLOSE = 4096
SAID = "widened to keep within HEAPGAUGE_CPU_BUDGET"


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        victim = os.path.realpath(rig.victim("allocates_hard"))
        bare = rig.run([victim, MILLISECONDS], "bare")
        for mode, budget, widens in (("4KiB", "0.2%", True), ("4KiB", "100%", False), ("exact", "0.01%", False)):
            run = rig.run([victim, MILLISECONDS], mode, {"HEAPGAUGE_CPU_BUDGET": budget})
            harness.same_behaviour(bare, run)
            report, = harness.last_reports(run.directory).values()
            sampling = report["sampling"]
            what = f"{mode}, {budget}: {sampling}"
            (held, _), = harness.read_truth(run.directory).values()
            live, _ = harness.own_account(report, victim)
            harness.check(harness.near(live, held, sampling["interval_bytes"]), f"{what}: {live} for {held} bytes")
            asked = 1 if mode == "exact" else CLOSE
            harness.check(sampling["asked_interval_bytes"] == asked, what)
            harness.check((sampling["interval_bytes"] > 2 * asked) == widens, what)
            harness.check((sampling["interval_changes"] > 0) == widens, what)
            directory, = harness.report_directories(run.directory)
            with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
                text = " ".join(file.read().split())
            harness.check((SAID in text) == widens, f"{what}: {text}")


harness.main(body)
