"""A leak that comes by many stacks is one row, one finding and one alert, at the line that asked.

Runs many_ways in one of its modes.  The last report must have exactly one call site that leaks, with the right
function, and nothing else may have leaked in any report; alerts.jsonl must have one alert that was raised.  `once` has
one report with more stacks than are followed, and the largest call site must be its first all the same.  Where the
machine stood still so long that there were too few reports, the run is repeated, and in the end skipped.
`own_wrappers`, `own_resource` and `ways` (see those files) are judged the same way; "clones" must
have rows that are told apart though they read alike.
Standard library only; exit status 1 with the reason on stderr, 77 to be skipped.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

SECONDS = 16
REPORT_S = 0.5
TRIES = 3
LEAKS = {"handlers": "Remember", "recursion": "Remember", "no_room": "Remember", "wrapper": "KeepHeader",
         # of own_wrappers
         "layers": "OpenTicket", "siblings": "LoseSubscription", "everybody": "StoreGet",
         "callbacks": "OpenDocument", "library": "ParseMessage", "named": "LoseKey", "clones": "Build",
         # of own_resource
         "resource": "LoseRow"}
LEAST_STACKS = {"handlers": 100, "recursion": 100, "everybody": 140, "callbacks": 60, "library": 60}
# Not found by what it does: too few ask it.
# The stacks of the recursion fill their room within seconds.
SETTINGS = {"named": {"HEAPGAUGE_WRAPPERS": "Vault*,nobody"}, "no_room": {"HEAPGAUGE_MEMORY_LIMIT": "2MiB"}}
# Several leaks in one process: how their functions begin.
SEVERAL = {"three": ["LoseFirst", "LoseSecond", "LoseThird"],
           "ways": ["LoseStream", "LoseOrders", "LoseMessage", "server::session::Session::open", "LoseConnection",
                    "LoseLine", "Closures", "Losing::Handle", "ServeClient", "ReadOrThrow", "ReadOrJump", "KeepLeaf"]}
STACKS = 6000  # more than are followed


def fail(text):
    sys.exit(f"FAILED: {text}")


def run(options, directory, argument, **settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
    env.update({"LD_PRELOAD": os.path.join(options.lib, "libheapgauge.so"), "HEAPGAUGE_OUTPUT": directory,
                "HEAPGAUGE_CPU_BUDGET": "20%"}, **settings)
    status = subprocess.run([options.program, options.mode, str(argument)], env=env, timeout=240, check=False).returncode
    if status != 0:
        fail(f"the program ended with status {status}")
    with open(os.path.join(directory, "reports.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def once(options):
    with tempfile.TemporaryDirectory(prefix="heapgauge-verdict-") as place:
        directory = os.path.join(place, "out")
        report = run(options, directory, STACKS, HEAPGAUGE_SAMPLE_INTERVAL="1", HEAPGAUGE_SYMBOLIZE="names")[-1]
        with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
            text = file.read()
    first = report["callsites"][0]
    if not first["function"].startswith("KeepLarge") or first["live_bytes"] != 32 << 20:
        fail(f"the first call site is {first['function']} with {first['live_bytes']} bytes")
    if not any(frame["function"].startswith("KeepLarge") for frame in report["sites"][0]["frames"]):
        fail("the largest stack is not the first")
    if report["sites_total"] < STACKS:
        fail(f"only {report['sites_total']} stacks are known")
    walk = next(c for c in report["callsites"] if c["function"].startswith("Walk("))
    if walk["live_bytes"] != 16 * STACKS or walk["stacks"] != STACKS:
        fail(f"{walk['stacks']} small stacks hold {walk['live_bytes']} bytes together")
    if "KeepLarge" not in text.split("#1")[1]:
        fail("report.txt does not begin with the largest call site")


def leak(options):
    function = LEAKS[options.mode]
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="heapgauge-verdict-") as place:
            directory = os.path.join(place, "out")
            reports = run(options, directory, SECONDS, HEAPGAUGE_SAMPLE_INTERVAL="4KiB",
                          HEAPGAUGE_REPORT_INTERVAL=f"{int(1000 * REPORT_S)}ms", HEAPGAUGE_SYMBOLIZE="names",
                          **SETTINGS.get(options.mode, {}))
            with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
                text = file.read()
            alerts = []
            if os.path.exists(os.path.join(directory, "alerts.jsonl")):
                with open(os.path.join(directory, "alerts.jsonl"), encoding="utf-8") as file:
                    alerts = [json.loads(line) for line in file]
        for report in reports:
            for callsite in report["callsites"]:
                if callsite["verdict"] == "leak" and not callsite["function"].startswith(function):
                    fail(f"{callsite['function']} is called a leak: {callsite['evidence']}")
        if len(reports) < 0.8 * SECONDS / REPORT_S:
            continue
        leaks = [callsite for callsite in reports[-1]["callsites"] if callsite["verdict"] == "leak"]
        if len(leaks) != 1:
            fail(f"{len(leaks)} call sites leak in the last report: {[c['function'] for c in leaks]}; "
                 f"first: {reports[-1]['callsites'][0]}")
        if reports[-1]["verdict"] != "leak":
            fail(f"the process is {reports[-1]['verdict']}")
        if leaks[0]["stacks"] < LEAST_STACKS.get(options.mode, 1):
            fail(f"it has {leaks[0]['stacks']} stacks")
        raised = [a for a in alerts if a["kind"] == "leak" and a["status"] == "firing"]
        if len(raised) != 1 or not raised[0]["function"].startswith(function):
            fail(f"alerts: {[(a['status'], a.get('function')) for a in alerts]}")
        if options.mode == "no_room" and not any("only the innermost frames" in note for note in reports[-1]["notes"]):
            fail(f"stacks did not fill their room, or it is not said: {reports[-1]['notes']}")
        if options.mode == "clones":
            check_callers(text, raised[0])
        return
    print("the machine stood still, too few reports", file=sys.stderr)
    sys.exit(77)


def check_callers(text, alert):
    """Two rows read "Build": who called it stands beside, in the table and in the alert."""
    rows = [line for line in text.splitlines() if " Build " in line and line.split()[0].isdigit()]
    if len(rows) != 2 or "<- LoseIt" not in rows[0] or "<- UseIt" not in rows[1]:
        fail(f"rows that read alike: {rows}")
    if "called by LoseIt" not in alert["summary"]:
        fail(f"the alert says: {alert['summary']}")


def several(options):
    """Several causes are as many rows and alerts; a wrapper below them is none."""
    functions = sorted(SEVERAL[options.mode])

    def named(function):
        return next((name for name in functions if re.match(rf"(\w+::)*?{name}\b", plain(function))), function)

    with tempfile.TemporaryDirectory(prefix="heapgauge-verdict-") as place:
        directory = os.path.join(place, "out")
        reports = run(options, directory, SECONDS, HEAPGAUGE_SAMPLE_INTERVAL="4KiB",
                      HEAPGAUGE_REPORT_INTERVAL=f"{int(1000 * REPORT_S)}ms", HEAPGAUGE_SYMBOLIZE="names")
        alerts = []
        if os.path.exists(os.path.join(directory, "alerts.jsonl")):
            with open(os.path.join(directory, "alerts.jsonl"), encoding="utf-8") as file:
                alerts = [json.loads(line) for line in file]
    for report in reports:
        for callsite in report["callsites"]:
            if callsite["verdict"] == "leak" and named(callsite["function"]) not in functions:
                fail(f"{callsite['function']} is called a leak: {callsite['evidence']}")
    leaks = sorted(named(c["function"]) for c in reports[-1]["callsites"] if c["verdict"] == "leak")
    # Where the machine stood still, not all of them are known yet; but each at most once.
    if len(reports) < 0.8 * SECONDS / REPORT_S and set(leaks) < set(functions) and len(leaks) == len(set(leaks)):
        print("the machine stood still, too few reports", file=sys.stderr)
        sys.exit(77)
    if leaks != functions:
        fail(f"leaks: {leaks}, not {functions}")
    raised = sorted(named(a["function"]) for a in alerts if a["kind"] == "leak" and a["status"] == "firing")
    if raised != functions:
        fail(f"alerts: {raised}, not {functions}")


def plain(function):
    return function.replace("(anonymous namespace)::", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("mode", choices=[*LEAKS, *SEVERAL, "once"])
    options = parser.parse_args()
    if options.mode == "once":
        once(options)
    elif options.mode in SEVERAL:
        several(options)
    else:
        leak(options)


if __name__ == "__main__":
    main()
