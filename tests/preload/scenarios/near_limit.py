"""Memory that is nearly used up: a report at once, long before the next one is due, whatever the limit is made of; one
for each time that usage passes the mark, and not for every time it goes up and down around it."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness
from cgroup_limit import LIMIT, group, put

# Far from 90 % below, and above it with room for what a report itself takes.
BELOW, ABOVE = 60, 94
PATIENCE_S = 60  # of a busy machine


class Talk:
    def __init__(self, process):
        self.process = process

    def fill(self, percent):
        self.process.stdin.write(f"{percent}\n".encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        harness.check(answer == b"done\n", f"at {percent} %: {answer!r}")


def reports_in(directory):
    found = harness.report_directories(directory)
    return harness.read_reports(found[0]) if found else []


def wait_for_report(directory):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            reports = reports_in(directory)
        except (harness.Failure, ValueError, OSError):
            reports = []  # it is being written
        if reports:
            return reports
        time.sleep(0.05)
    harness.fail(f"no report within {PATIENCE_S} s of passing the mark")


def passes(rig, kind, mib, source, **how):
    seen = []

    def during(process):
        talk = Talk(process)
        talk.fill(BELOW)
        # Several looks: what is far from the limit is no reason.
        time.sleep(3)
        seen.append(reports_in(run_directory()))
        talk.fill(ABOVE)
        seen.append(wait_for_report(run_directory()))
        # Down and up again within the two hours.
        talk.fill(BELOW)
        time.sleep(3)
        talk.fill(ABOVE)
        time.sleep(3)
        seen.append(reports_in(run_directory()))
        talk.fill(BELOW)
        process.stdin.close()

    def run_directory():
        return rig.last[2]

    settings = dict(harness.NAMES_ONLY, HEAPGAUGE_REPORT_INTERVAL="1h")
    run = rig.run([rig.victim("nears_limit"), kind, str(mib)], "4KiB", settings, during=during, stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE, **how)
    harness.check(run.status == 0 and not run.said, f"{kind}: status {run.status}, it said {run.said}")
    below, above, again = seen
    harness.check(not below, f"{kind}: {len(below)} reports far from the limit")
    harness.check(len(above) == 1 and not above[0]["final"], f"{kind}: {len(above)} reports at the mark")
    process = above[0]["process"]
    harness.check(process["limit_source"] == source and process["limit_bytes"] == mib << 20,
                  f"{kind}: {process['limit_bytes']} by {process['limit_source']}")
    harness.check(process["usage_bytes"] >= 0.9 * (mib << 20), f"{kind}: {process['usage_bytes']} used")
    harness.check(any("main" in str(site["frames"]) for site in above[0]["sites"]), f"{kind}: no site is named")
    harness.check(len(again) == 1, f"{kind}: {len(again)} reports after a second pass")


def body():
    def extra(parser):
        parser.add_argument("--limit", required=True, choices=("as", "data", "group"))

    options = harness.arguments(__doc__, extra)
    with harness.Rig(options, timeout=180) as rig:
        if options.limit != "group":
            # Room for the library's own mappings.
            return passes(rig, options.limit, 512, "rlimit")
        if os.geteuid() != 0:
            harness.skip("needs root")
        with group() as path:
            passes(rig, "group", LIMIT >> 20, "cgroup",
                   preexec_fn=lambda: put(f"{path}/cgroup.procs", str(os.getpid())))


if __name__ == "__main__":
    harness.main(body)
