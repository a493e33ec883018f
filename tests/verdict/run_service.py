"""Runs one scenario of verdict_service or verdict_lookalikes under the library and holds the verdicts against the truth.

Harmless scenarios: no report may say leak, of the process or of any site.  What grows elsewhere than in the live heap
is named so by the last report, in one sentence.  What is suspended meanwhile, or sees the time of day jump by a month,
is judged no differently.  Leaks: the last report names the right
site and no other, and none was named before the leak began.  Nothing else is asserted: how busy the machine is
decides how much of a rise a report sees.  Where the machine stood still for seconds, so that there were too few
regular reports to call a leak from, the run is repeated, and in the end skipped; a false leak fails even then.
Standard library only; exit status 1 with the reason on stderr, 77 to be skipped.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SECONDS = 18
REPORT_S = 0.5
TRIES = 3
STOPPED_S = 7
SLOW = 1.25  # times as long as planned: the machine stood still
# Scenario -> the function that leaks, and the part of the run after which it does.
LEAKS = {
    "leak": ("MakeOrder", 0),
    "leak_in_rise": ("MakeOrder", 0.3),
    "leak_midway": ("MakeOrder", 0.4),
    "leak_all": ("MakeOrder", 0),
    "forgotten_session": ("Open", 0),
    "own_each_other": ("MakeNode", 0),
    "error_path": ("Explain", 0),
    "reloads": ("Compile", 0),
    "one_in_thousand": ("Answer", 0),
    "kept_by_services": ("OpenStream", 0),
}
# What grows outside the live heap, and how the report says so.
ELSEWHERE = {
    "mappings": "anonymous memory outside the heap",
    "threads": "stacks of threads, outside the heap",
    "fragments": "memory the allocator keeps",
}
# What happens to the process meanwhile -> the scenario that it happens in.
TROUBLES = {"suspended": "threefold", "clock_jumps": "leak"}


def fail(text):
    print(f"FAILED: {text}", file=sys.stderr)
    sys.exit(1)


def run(options, directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
    env.update({
        "LD_PRELOAD": os.path.join(options.lib, "libheapgauge.so"),
        "HEAPGAUGE_OUTPUT": directory,
        "HEAPGAUGE_REPORT_INTERVAL": f"{int(1000 * REPORT_S)}ms",
        # What is allocated for each thread and what holds the holes apart does grow; not to be the matter here.
        "HEAPGAUGE_SAMPLE_INTERVAL": "1MiB" if options.scenario in ELSEWHERE else "4KiB",
        "HEAPGAUGE_SYMBOLIZE": "names",  # a helper process twice a second would only make the machine busier
        "HEAPGAUGE_CPU_BUDGET": "20%",
    })
    if options.trouble == "clock_jumps":
        jump_clock(env, options)
    with subprocess.Popen([options.service, options.scenario, str(SECONDS)], env=env) as service:
        try:
            if options.trouble == "suspended":
                suspend(service)
            status = service.wait(240)
        finally:
            service.kill()
    if options.trouble == "clock_jumps" and status == 77:
        print("skipped: the clock can't be made to jump here")
        sys.exit(77)
    if status != 0:
        fail(f"the service ended with status {status}")
    with open(os.path.join(directory, "reports.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def suspend(service):
    time.sleep(0.5 * SECONDS)
    service.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    service.send_signal(signal.SIGCONT)


def jump_clock(env, options):
    """The time of day; the monotonic clock goes on."""
    env["LD_PRELOAD"] += ":" + options.clock
    env["CLOCK_JUMPS"] = f"{0.4 * SECONDS}:30 {0.8 * SECONDS}:-30"


def trouble_came(options, reports):
    """That the test tests something."""
    if options.trouble == "suspended":
        uptimes = [report["uptime_s"] for report in reports]
        if max(late - early for early, late in zip(uptimes, uptimes[1:])) < 0.9 * STOPPED_S:
            fail(f"the process was not suspended: reports at {uptimes}")
    if options.trouble == "clock_jumps":
        times = [datetime.datetime.fromisoformat(report["time"].replace("Z", "+00:00")) for report in reports]
        jumps = sorted((late - early).days for early, late in zip(times, times[1:]))
        if not (jumps[0] < -50 and jumps[-1] >= 29):
            fail(f"the clock did not jump: {times}")
        if not all(early["uptime_s"] < late["uptime_s"] for early, late in zip(reports, reports[1:])):
            fail("the uptime goes back")


def functions(site):
    """Of a stack, or the one of a call site."""
    return [frame["function"] or "" for frame in site.get("frames", [site])]


def is_of(name, site):
    """With the namespace and parameters that C++ has."""
    return any(re.search(rf"\b{name}\b", function) for function in functions(site))


def leaking(report):
    return [site for site in report["sites"] + report["callsites"] if site["verdict"] == "leak"]


def told(report):
    """One report in one line, for whoever has to find out why."""
    sites = [f"{site['verdict']} {site['confidence']:.2f} {functions(site)[:1]} {site['growth_bytes_per_s']:.0f} B/s: "
             f"{site.get('evidence', '')}" for site in report["sites"] if site["verdict"] in ("growing", "leak")]
    return f"  {report['uptime_s']:5.1f} s {report['verdict']}: " + "; ".join(sites)


def judge(options, reports):
    """False where the machine was too busy to tell."""
    name, begins = LEAKS.get(options.scenario, (None, 1))
    history = "\n".join(told(report) for report in reports)
    for report in reports:
        # The service may be slower than the wall, never faster: before `begins` of it nothing leaks.
        harmless = name is None or report["uptime_s"] < begins * SECONDS
        if harmless and (report["verdict"] == "leak" or leaking(report)):
            fail(f"a leak is called where there is none, after {report['uptime_s']:.1f} s:\n{history}")
    if options.scenario in ELSEWHERE:
        return judge_elsewhere(options, reports, history)
    if name is None:
        return True
    last = reports[-1]
    sites = leaking(last)
    # The machine stood still: at the end, or so often that most reports are missing.
    late = last["uptime_s"] > SLOW * SECONDS or len(reports) < 0.5 * SECONDS / REPORT_S
    if last["verdict"] != "leak" and late:
        return False
    if last["verdict"] != "leak" or not any(is_of(name, site) for site in sites):
        fail(f"the leak of {name} is not called:\n{history}")
    if not all(is_of(name, site) for site in sites):
        fail(f"more than {name} is called a leak:\n{history}")
    for site in sites:
        if not site["confidence"] > 0.3:
            fail(f"confidence {site['confidence']}:\n{history}")
    return True


def judge_elsewhere(options, reports, history):
    last = reports[-1]
    said = ELSEWHERE[options.scenario]
    if last["uptime_s"] > SLOW * SECONDS:
        return False
    if last["verdict"] == "growing" or said not in last["evidence"]:
        fail(f"{last['verdict']}, {last['evidence']!r}: {said!r} expected\n{history}")
    with open(os.path.join(options.directory, "report.txt"), encoding="utf-8") as file:
        if said not in " ".join(file.read().split()):
            fail(f"report.txt does not say {said!r}")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", required=True, help="directory of libheapgauge.so and libheapgauge-core.so")
    parser.add_argument("--service", required=True)
    parser.add_argument("--clock", required=True, help="libclock_jumps.so")
    parser.add_argument("--keep", help="write the reports here and keep them")
    parser.add_argument("scenario")
    options = parser.parse_args()
    options.trouble = options.scenario if options.scenario in TROUBLES else None
    options.scenario = TROUBLES.get(options.scenario, options.scenario)
    for _ in range(TRIES):
        directory = options.directory = options.keep or tempfile.mkdtemp(prefix="heapgauge-verdict-")
        try:
            reports = run(options, directory)
            trouble_came(options, reports)
            told_apart = judge(options, reports)
        finally:
            if not options.keep:
                shutil.rmtree(directory, ignore_errors=True)
        if told_apart:
            print("ok")
            return
    print("skipped: the machine is too busy")
    sys.exit(77)


if __name__ == "__main__":
    main()
