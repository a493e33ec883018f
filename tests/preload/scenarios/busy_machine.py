"""Beside twice as many busy loops as there are processors, reports come: the report thread has the host's priority.

Judged by what the reports say of themselves, not by this process's clock, for it is as short of time as they are.  Beside
them a program sleeps as long: a round that failed says how late that one was.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

INTERVAL = 0.5
REPORTS = 24
SHARE = 0.95
BUSY = "while True: pass"
# Prints the longest of its sleeps, as its own clock saw them.
SLEEPER = f"""
import time
longest = 0
for _ in range({REPORTS}):
    before = time.monotonic()
    time.sleep({INTERVAL})
    longest = max(longest, time.monotonic() - before)
print(longest)
"""
# Holds something that is sampled, and sleeps.
HOST = """
import sys, time
held = [bytes(1 << 20) for _ in range(8)]
sys.stdin.read()
"""


def uptimes(directory):
    found = []
    for path in harness.report_directories(directory):
        with open(os.path.join(path, "reports.jsonl"), "rb") as file:
            # The one being written may be torn.
            found += [json.loads(line)["uptime_s"] for line in file.read().split(b"\n")[:-1]]
    return found


def nice_value(process):
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        return int(file.read().rpartition(")")[2].split()[16])


def threads_of_ours(process):
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
            if file.read().strip().startswith("heapgauge"):
                yield thread


def one_round(rig):
    directory = rig.directory()
    host_priority = []

    def during(process):
        loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2 * len(os.sched_getaffinity(0)))]
        try:
            watch(process)
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()

    def watch(process):
        sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE)
        harness.wait_until(lambda: len(uptimes(directory)) >= REPORTS, 10 * REPORTS * INTERVAL, "reports")
        for thread in threads_of_ours(process.pid):
            host_priority.append(nice_value(thread) == nice_value(process.pid))
        longest = float(sleeper.communicate()[0])
        process.stdin.close()
        host_priority.append(longest)

    rig.run([sys.executable, "-c", HOST], "default", {"HEAPGAUGE_REPORT_INTERVAL": "500ms"}, directory=directory,
            during=during, stdin=subprocess.PIPE)
    *same, longest = host_priority
    harness.check(same and all(same), "the report thread has another priority than its host")
    times = uptimes(directory)
    gaps = [after - before for before, after in zip(times, times[1:REPORTS])]
    in_time = sum(gap <= 2 * INTERVAL + 0.05 for gap in gaps) / len(gaps)
    return in_time, longest


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, timeout=120, settings=harness.NAMES_ONLY) as rig:
        seen = []
        for _ in range(4):
            seen.append(one_round(rig))
            if seen[-1][0] >= SHARE:
                return
        harness.fail(f"share of reports within two intervals, and the longest sleep beside them: {seen}")


harness.main(body)
