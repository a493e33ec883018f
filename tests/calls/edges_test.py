"""heapgauge edges over the reports of services.  edges_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import datetime
import json
import os
import sys
import time

from net import Net
from support import check, command, main

HEAPGAUGE, VICTIM = sys.argv[1:3]
SERVICE = VICTIM.replace("labels_victim", "labels_service")
TURNS = ["gateway", "auth", "session", "auth", "session", "auth"]


def edges(directory, *arguments, status=0):
    return json.loads(command(HEAPGAUGE, "edges", directory, "--format", "json", *arguments, status=status))


def by_path(directory):
    """With the header: after one report of each, in all formats; --fail-on also when the services have ended."""
    with Net(SERVICE, directory) as net:
        net.go(TURNS, size=1 << 20, wait=True)
        net.report()
        found = edges(directory, "--fail-on", "circle", status=1)
        check([circle["members"] for circle in found["circles"]] == [["auth", "session"]], found)
        check(found["circles"][0]["by_path"] and found["circles"][0]["now"], found)
        check({(edge["client"], edge["server"]) for edge in found["edges"]}
              == {("gateway", "auth"), ("auth", "session"), ("session", "auth")}, found)
        check(b"CIRCLE: auth and session call each other" in command(HEAPGAUGE, "edges", *net.paths()), "text")
        check(b'"auth" -> "session"' in command(HEAPGAUGE, "edges", *net.paths(), "--format", "dot"), "dot")
        for service in net.services.values():
            service.tell("drop")
            service.end()
        command(HEAPGAUGE, "edges", directory, "--fail-on", "circle", status=1)
    command(HEAPGAUGE, "edges", status=2)
    command(HEAPGAUGE, "edges", os.path.join(directory, "nowhere"), status=2)
    command(HEAPGAUGE, "edges", directory, "--format", "svg", status=2)


def without_header(directory):
    """From reports alone: within two reports of the first megabyte."""
    with Net(SERVICE, directory) as net:
        for _ in range(2):
            net.go(TURNS, size=1 << 20, propagate=False, wait=True)
            check(all(report["circles"] == [] for report in net.report().values()), "without a header")
            time.sleep(0.3)
        found = edges(directory, "--fail-on", "circle", status=1)
        check([circle["members"] for circle in found["circles"]] == [["auth", "session"]], found)
        check(found["circles"][0]["by_growth"] and not found["circles"][0]["by_path"], found)


def shift(path, seconds):
    """Sets a service's clock, as its reports have it, forward."""
    file = os.path.join(path, "reports.jsonl")
    with open(file, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    for report in found:
        moment = datetime.datetime.strptime(report["time"][:19], "%Y-%m-%dT%H:%M:%S")
        report["time"] = (moment + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with open(file, "w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(report) + "\n" for report in found)


def clocks(directory):
    """Clocks of services that differ by minutes, and a member that has restarted in the middle."""
    with Net(SERVICE, directory) as net:
        for turn in range(4):
            net.go(TURNS, size=1 << 20, propagate=False, wait=True)
            net.report()
            if turn == 1:  # it loses what it held, and piles up again
                net["session"].process.kill()
                net["session"].process.communicate()
                del net.services["session"]
            time.sleep(0.3)
    for seconds, circles in ((9 * 60, 1), (-18 * 60, 1), (-24 * 3600, 0)):
        shift(os.path.join(directory, "session"), seconds)
        found = edges(directory, "--fail-on", "circle", status=circles)
        check([circle["members"] for circle in found["circles"]] == [["auth", "session"]] * circles, (seconds, found))


def full(directory):
    """Without the header: the circle holds when it is full and grows no more, and is over when its memory is gone."""
    with Net(SERVICE, directory) as net:
        for _ in range(2):
            net.go(TURNS, size=1 << 20, propagate=False, wait=True)
            net.report()
            time.sleep(0.3)
        for _ in range(14):
            net.report()
        found = edges(directory, "--fail-on", "circle", status=1)
        check(not any(edge["piles_up"] for edge in found["edges"] if edge["client"] != "gateway"), found)
        check(found["circles"][0]["now"] and not found["circles"][0]["by_path"], found)
        for service in net.services.values():
            service.tell("drop")
        net.report()
        found = edges(directory, "--fail-on", "circle", status=1)
        check([circle["now"] for circle in found["circles"]] == [False], found)
        check(b"it is over" in command(HEAPGAUGE, "edges", directory), "text")


def harmless(directory):
    """A chain that waits for a slow database: no circle, and who is waited for."""
    with Net(SERVICE, directory) as net:
        for _ in range(3):
            net.go(["gateway", "auth", "database"], size=1 << 20, wait=True)
            net.go(["web", "pay", "web"], size=1 << 20)
            net.report()
            time.sleep(0.2)
        found = edges(directory, "--fail-on", "circle")
        check(found["circles"] == [] and found["waits_for"] == ["database"], found)


def thousand(directory):
    """A thousand services in a ring with two hundred sites each; processor time, not the clock's."""
    sites = [{"id": f"{number:016x}", "frames": [{"function": "f" * 80, "module": "/bin/x"}] * 8} for number in range(20)]
    for number in range(1000):
        os.mkdir(os.path.join(directory, f"s{number}"))
        report = {"schema": "heapgauge.report/1", "sequence": 1, "time": "2026-11-22T02:14:07Z", "pid": number + 2,
                  "service": f"s{number}", "sites": sites, "callsites": [],
                  "calls": [{"peer": f"s{(number + 1) % 1000}", "in_flight_bytes": 30 << 20, "in_flight_objects": 30,
                             "in_flight_bytes_stderr": 0, "oldest_s": 30, "growth_bytes_per_s": 1 << 20}]}
        with open(os.path.join(directory, f"s{number}", "reports.jsonl"), "w", encoding="ascii") as file:
            file.write("no report\n" if number == 500 else "")
            file.write(json.dumps(report) + "\n" + ('{"schema": "cut' if number == 7 else ""))
    before = os.times()
    found = edges(directory)
    after = os.times()
    check(len(found["circles"]) == 1 and len(found["circles"][0]["members"]) == 1000, found["circles"])
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{spent:.2f} s of processor time")
    check(spent < 5, f"{spent} s of processor time")


main({name: value for name, value in globals().items() if callable(value)})
