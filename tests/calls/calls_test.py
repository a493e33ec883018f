"""Calls to other services: what is in flight for whom.  calls_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import os
import sys
import time

from net import Net
from support import check, command, main

HEAPGAUGE, VICTIM = sys.argv[1:3]
SERVICE = VICTIM.replace("labels_victim", "labels_service")


def in_flight(report):
    return {call["peer"]: call["in_flight_bytes"] for call in report["calls"]}


def by_peer(directory):
    """Sums by peer; what was allocated outside a call, or released, is in none."""
    with Net(SERVICE, directory) as net:
        auth = net["auth"]
        check(auth.report()["calls"] == [], "calls before there were any")
        auth.tell("keep", 5000)
        for peer, size in (("session", 1000), ("database", 300), ("session", 2000)):
            auth.tell("begin", peer)
            auth.tell("keep", size)
            auth.tell("end")
        auth.tell("begin", "session")
        auth.tell("begin", "mail")  # from inside: the inner one is who is waited for
        auth.tell("keep", 70)
        auth.tell("end")
        auth.tell("end")
        report = auth.report()
        check(in_flight(report) == {"session": 3000, "database": 300, "mail": 70}, report["calls"])
        check(report["service"] == "auth", report["service"])
        check([call["peer"] for call in report["calls"]] == ["session", "database", "mail"], "not the largest first")
        check(report["calls"][0]["in_flight_objects"] == 2 and report["calls"][0]["in_flight_bytes_stderr"] == 0,
              report["calls"])
        auth.tell("drop")
        check(auth.report()["calls"] == [], "what was released is in flight")
        check(auth.end() == "", "it said something")


def piles_up(directory):
    """Calls that do not come back: age and growth, and the sentence on them."""
    with Net(SERVICE, directory) as net:
        auth = net["auth"]
        for _ in range(5):
            auth.tell("begin", "session")
            auth.tell("keep", 3 << 20)
            auth.tell("end")
            report = auth.report()
            time.sleep(0.3)
        call = report["calls"][0]
        check(call["in_flight_bytes"] == 15 << 20 and call["oldest_s"] >= 1.1, call)
        check(0.2 * (1 << 20) < call["growth_bytes_per_s"] < 11 * (1 << 20), call)
        with open(os.path.join(auth.output, "report.txt"), encoding="ascii") as file:
            text = " ".join(file.read().split())
        check("15.0 MiB in flight for session (oldest" in text and "/s): calls to it do not come back" in text, text)
        check("No circle is seen" in text, text)
        # It has stopped to grow: the sentence ends.
        auth.tell("drop")
        auth.tell("begin", "session")
        auth.tell("keep", 1000)
        auth.tell("end")
        auth.report()
        for _ in range(14):
            report = auth.report()
        with open(os.path.join(auth.output, "report.txt"), encoding="ascii") as file:
            text = " ".join(file.read().split())
        check("in flight for session" in text and "do not come back" not in text, text)


def baggage(directory):
    """The header: ours in place of ours, others' untouched, odd names, and what is no path of ours."""
    with Net(SERVICE, directory) as net:
        auth = net["auth"]
        check(auth.tell("header") == "heapgauge-path=1:auth", auth.tell("header"))
        check(auth.tell("accept", "user=7;p=1, heapgauge-path=1:gateway , z=%20") == "0", "depth")
        check(auth.tell("header") == "heapgauge-path=1:gateway/auth", auth.tell("header"))
        passed = auth.tell("pass", "user=7;p=1, heapgauge-path=1:gateway , z=%20")
        check(passed == "user=7;p=1,z=%20,heapgauge-path=1:gateway/auth", passed)
        auth.tell("end")
        check(auth.tell("header") == "heapgauge-path=1:auth", "the path outlived its request")
        check(auth.tell("accept", "heapgauge-path=1:auth/x/auth/y") == "2", "depth")
        auth.tell("end")
        for odd in ("heapgauge-path=2:auth", "heapgauge-path=1:auth//x", "heapgauge-path=1:%", "heapgauge-path=",
                    "heapgauge-path=1:" + "auth/" * 3000, ",;=" * 9000, "heapgauge-path=1:\x01auth", "a" * 90000,
                    ",".join(f"k{i}=v" for i in range(200)) + ",heapgauge-path=1:auth"):
            check(auth.tell("accept", odd) == "0", odd[:80])
            check(auth.tell("header") == "heapgauge-path=1:auth", odd[:80])
            auth.tell("end")
        odd_name = net["caf\u00e9 no. 1/2, \"the\" 100%;"]
        header = odd_name.tell("header")
        check(header.isascii() and not set(' ",;\\%') & set(header), header)
        check(odd_name.tell("accept", header) == "1", header)
        check(odd_name.report()["service"] == odd_name.name, odd_name.report()["service"])


def executables_name(directory):
    with Net(SERVICE, directory, HEAPGAUGE_SERVICE="") as net:
        net.settings = {}
        service = net["x"]
        check(service.report()["service"] == "x", "HEAPGAUGE_SERVICE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEAPGAUGE_")}
    import subprocess
    done = subprocess.run([SERVICE], input="header\n", env=environment | {"HEAPGAUGE_OUTPUT": directory + "/r"},
                          capture_output=True, text=True, check=True)
    check(done.stdout == "heapgauge-path=1:labels_service\n", done.stdout)


def by_command(directory):
    with Net(SERVICE, directory) as net:
        net.go(["gateway", "auth", "session"], size=1 << 16, wait=True)
        net.report()
        text = command(HEAPGAUGE, "report", net["gateway"].output, "--by", "peer").decode()
        check("64.0 KiB" in text and text.splitlines()[2].endswith("auth"), text)


main({name: value for name, value in globals().items() if callable(value)})
