"""Circles of services, by the header.  circle_test.py HEAPGAUGE VICTIM EXAMPLES CASE"""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time

from net import Net
from support import check, main

HEAPGAUGE, VICTIM, EXAMPLES = sys.argv[1:4]
SERVICE = VICTIM.replace("labels_victim", "labels_service")
TURNS = ["gateway", "auth", "session", "auth", "session", "auth", "session", "auth"]


def members_of(report):
    return [circle["members"] for circle in report["circles"]]


def alerts(service):
    with contextlib.suppress(FileNotFoundError), open(os.path.join(service.output, "alerts.jsonl"),
                                                      encoding="utf-8") as file:
        return [json.loads(line) for line in file.read().split("\n")[:-1]]  # whole ones: more may be being written
    return []


def named(directory):
    """Each member names it in the first report, with its depth and bytes; nobody else does."""
    with Net(SERVICE, directory) as net:
        check(net.go(TURNS, size=1 << 20, wait=True) == [0, 0, 0, 1, 1, 2, 2, 3], "depths")
        found = net.report()
        for name in ("auth", "session"):
            check(members_of(found[name]) == [["auth", "session"]], found[name]["circles"])
            circle = found[name]["circles"][0]
            check(circle["depth"] >= 2 and circle["since"].endswith("Z"), circle)
            check(circle["in_flight_bytes"] >= 2 << 20, circle)
            with open(os.path.join(net[name].output, "report.txt"), encoding="ascii") as file:
                text = " ".join(file.read().split())
            check("CIRCLE: auth and session call each other in a circle (depth" in text, text)
            check("No circle is seen" not in text, text)
        check(members_of(found["gateway"]) == [], found["gateway"]["circles"])


def second_turn(directory):
    """Before the second turn's call goes out it may be a callback; then every member knows, whatever its sample interval."""
    with Net(SERVICE, directory, HEAPGAUGE_SAMPLE_INTERVAL="64KiB") as net:
        net.go(["auth", "session", "auth"], size=1 << 20, wait=True)
        check(not any(members_of(report) for report in net.report().values()), "one turn")
        net.go(["auth", "session", "auth", "session", "auth"], size=1 << 20, wait=True)
        check(all(members_of(report) == [["auth", "session"]] for report in net.report().values()), "two turns")


def larger(directory):
    names = ["n1", "n2", "n3", "n4", "n5"]
    with Net(SERVICE, directory) as net:
        net.go(["edge", *names, *names, "n1"], size=1 << 18, wait=True)
        for name, report in net.report().items():
            check(members_of(report) == ([] if name == "edge" else [names]), (name, report["circles"]))


def harmless(directory):
    """Retries to oneself, fan-outs, diamonds, chains and callbacks that come once, a thousand times together."""
    ways = [["a", "a", "a"], ["gate", "b1"], ["gate", "b2"], ["gate", "left", "store"], ["gate", "right", "store"],
            ["one", "two", "three", "four"], ["web", "pay", "web"], ["web", "pay", "web", "mail"]]
    with Net(SERVICE, directory) as net:
        for turn in range(130):
            for way in ways:
                net.go(way, size=20000, wait=turn % 10 == 0)
            if turn % 40 == 0:
                net.report()
        for name, report in net.report().items():
            check(report["circles"] == [] and alerts(net[name]) == [], (name, report["circles"]))


def alerted(directory):
    """Raised, held and cleared: in the file, on stderr, by a command, and as Alertmanager has it."""
    sent, lock = [], threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                sent.extend(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    by_exec = os.path.join(directory, "by_exec")
    settings = {"HEAPGAUGE_ALERT_URL": f"http://127.0.0.1:{server.server_port}/api/v2/alerts",
                "HEAPGAUGE_ALERT_EXEC": f"cat >> {by_exec}", "HEAPGAUGE_REPORT_INTERVAL": "500ms"}

    def wait_for(what, condition):
        deadline = time.monotonic() + 60
        while not condition():
            check(time.monotonic() < deadline, f"{what}: not within a minute: {alerts(net['auth'])} {sent}")
            time.sleep(0.1)

    def posted(ended):
        now = time.time()
        with lock:
            return [alert for alert in sent if alert["labels"]["alertname"] == "HeapgaugeCircle"
                    and alert["labels"]["job"] == "labels_service"
                    and (time.mktime(time.strptime(alert["endsAt"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
                         <= now) == ended]

    with Net(SERVICE, directory, **settings) as net:
        net.go(TURNS, size=1 << 20, wait=True)
        wait_for("raised", lambda: alerts(net["auth"]) and alerts(net["session"]))
        alert = alerts(net["auth"])[0]
        check(alert["kind"] == "circle" and alert["status"] == "firing" and alert["members"] == ["auth", "session"]
              and alert["depth"] >= 2 and alert["live_bytes"] >= 1 << 20, alert)
        check("1.00 MiB in flight" in alert["evidence"] or "MiB in flight for session" in alert["evidence"], alert)
        wait_for("sent", lambda: posted(False))
        check(posted(False)[0]["labels"]["members"] == "auth,session", posted(False)[0])
        wait_for("run", lambda: os.path.exists(by_exec) and '"kind":"circle"' in open(by_exec, encoding="utf-8").read())
        # It holds while the memory waits, without another turn: some reports later it is not raised again.
        sequence = net["auth"].report()["sequence"]
        wait_for("held", lambda: net["auth"].report()["sequence"] >= sequence + 6)
        check(len(alerts(net["auth"])) == 1, alerts(net["auth"]))
        check(members_of(net["auth"].report()) == [["auth", "session"]], "it does not hold")
        for name in ("auth", "session"):
            net[name].tell("drop")
        wait_for("cleared", lambda: len(alerts(net["auth"])) == 2 and len(alerts(net["session"])) == 2)
        over = alerts(net["auth"])[1]
        check(over["status"] == "resolved" and over["members"] == ["auth", "session"]
              and over["starts_at"] == alert["starts_at"], over)
        wait_for("resolved", lambda: posted(True))
        check(alerts(net["gateway"]) == [], "the gateway is no member")
        # And again: another alert.
        net.go(TURNS, size=1 << 20, wait=True)
        wait_for("raised again", lambda: len(alerts(net["auth"])) == 3)
        said = net["auth"].end()
        check("auth and session call each other in a circle" in said, said)
    server.shutdown()


def restarts(directory):
    """A member that restarts in the middle is a new process: the others go on, and it learns at the next turn."""
    with Net(SERVICE, directory) as net:
        net.go(TURNS, size=1 << 18, wait=True)
        net.report()
        net["session"].process.kill()
        net["session"].process.communicate()
        del net.services["session"]
        check(members_of(net["auth"].report()) == [["auth", "session"]], "forgotten")
        net["session"].tell("accept", "-")
        check(members_of(net["session"].report()) == [], "known before it can be")
        net["session"].tell("end")
        net.go(TURNS, size=1 << 18, wait=True)
        check(members_of(net["session"].report()) == [["auth", "session"]], "not seen again")


def hostile(directory):
    """Twenty thousand paths that nobody has: bounded memory, no alarm, and circles are still seen."""
    with Net(SERVICE, directory, HEAPGAUGE_MEMORY_LIMIT="8MiB", HEAPGAUGE_SAMPLE_INTERVAL="4KiB") as net:
        auth = net["auth"]
        for number in range(20000):
            path = "/".join(f"h{number * 7 + k}" for k in range(20))
            auth.tell("accept", f"heapgauge-path=1:{path}")
            auth.tell("end")
        report = auth.report()
        check(report["circles"] == [] and report["sampling"]["memory_bytes"] <= 8 << 20, report["sampling"])
        net.go(TURNS, size=1 << 18, wait=True)
        check(members_of(auth.report()) == [["auth", "session"]], "not seen")


def auth_services(directory):
    """The night of examples/auth_services, cut short: each phase is as long as it takes to name it; also without the header."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "auth_services")
    build = os.path.join(EXAMPLES, "..", "..")
    for more in [[], ["--without-header"]]:
        done = subprocess.run([sys.executable, "-B", os.path.join(source, "night.py"), build, "--calm", "2", "--database",
                               "1", "--circle", "1", *more], capture_output=True, text=True, timeout=600, cwd=directory,
                              check=False)
        check(done.returncode == 0, f"{more}: {done.returncode}, {done.stdout}{done.stderr}")
        calm, _, rest = done.stdout.partition("CIRCLE")
        check("No circle: memory waits for database" in calm and "auth and session call each other" in rest, done.stdout)
        by_path = "seen in the paths of" in " ".join(rest.split())
        check(by_path == (more == []) and ("alert of the circle" in rest) == (more == []), done.stdout)


main({name: value for name, value in globals().items() if callable(value)})
