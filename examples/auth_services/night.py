#!/usr/bin/env python3
"""The outage of the circle, replayed in minutes: a calm night, a slow database, then the circle.

  night.py BUILD_DIR [--calm 10] [--database 20] [--circle 20] [--without-header] [--every 4]

Prints what an operator saw that day (logins, failures, the slowest one, threads of auth in work, connections to the
database) beside what heapgauge says.  In both bad hours the first looks like the database.  Exit status 0 when the slow
database was named as what memory waits for and no circle, the circle by its members, and nothing on a calm night.
With --without-header no path travels, and `heapgauge edges` finds the circle in the reports.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROLES = ["gateway", "auth", "session"]
PATIENCE = 120  # seconds that a phase is prolonged until heapgauge has named it
COLUMNS = "{:>5}  {:9} {:>8} {:>8} {:>8} {:>12} {:>13}  {}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="where auth_service and heapgauge were built")
    for name, seconds in [("calm", 10), ("database", 20), ("circle", 20)]:
        parser.add_argument(f"--{name}", type=int, default=seconds, help=f"seconds of it; default {seconds}")
    parser.add_argument("--without-header", action="store_true", help="calls carry no baggage header")
    parser.add_argument("--every", type=int, default=4, help="seconds between two lines; default 4")
    return parser.parse_args()


class Service:
    """One of the three, with a report every second."""

    def __init__(self, build, directory, role, without_header):
        self.role = role
        self.report = os.path.join(directory, role)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEAPGAUGE_")}
        environment |= {"HEAPGAUGE_SERVICE": role, "HEAPGAUGE_OUTPUT": self.report, "HEAPGAUGE_REPORT_INTERVAL": "1s",
                        "HEAPGAUGE_SAMPLE_INTERVAL": "32KiB", "HEAPGAUGE_SYMBOLIZE": "names"}
        argv = [f"{build}/bin/auth_service", role, "--work-ms", "100", "--timeout", "10"]
        self.process = subprocess.Popen(argv + ["--without-header"] * without_header, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)
        line = self.process.stdout.readline()
        if not line.startswith("listening on 127.0.0.1:"):
            sys.exit(f"night: {role} did not come up: {line}")
        self.port, self.admin = (int(word) for word in line.rsplit(":", 1)[1].split(", admin "))

    def set(self, **settings):
        query = "&".join(f"{name}={value}" for name, value in settings.items())
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.admin}/set?{query}", b""), timeout=20)

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/stats", timeout=20) as reply:
            return json.load(reply)

    def circle_alerts(self, status):
        """[(members, time)] of the alerts that this service raised or cleared."""
        try:
            with open(os.path.join(self.report, "alerts.jsonl"), encoding="utf-8") as file:
                alerts = [json.loads(line) for line in file.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []
        return [(alert["members"], alert["time"]) for alert in alerts
                if alert["kind"] == "circle" and alert["status"] == status]


class Customers:
    """Five logins a second, whether the last one was answered or not; two of five tokens are known to session alone."""

    def __init__(self, port):
        self.port = port
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.slowest = 0.0
        self.stop = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(100)
        self.thread = threading.Thread(target=self.come)
        self.thread.start()

    def come(self):
        for number in itertools.count():
            if self.stop.wait(0.2):
                return
            self.pool.submit(self.login, f"{'opaque' if number % 5 < 2 else 'signed'}-{number}")

    def login(self, token):
        began = time.monotonic()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/token", b"", {"token": token})
        try:
            with urllib.request.urlopen(request, timeout=10):
                how = "good"
        except (urllib.error.URLError, OSError):
            how = "failed"
        with self.lock:
            self.counts[how] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)

    def since_last_time(self):
        with self.lock:
            counts, slowest = self.counts, self.slowest
            self.counts, self.slowest = collections.Counter(), 0.0
        return counts["good"], counts["failed"], slowest

    def end(self):
        self.stop.set()
        self.thread.join()
        self.pool.shutdown(wait=True, cancel_futures=True)


class Night:
    def __init__(self, build, services, customers, every):
        self.build, self.services, self.customers, self.every = build, services, customers, every
        self.began = self.shown = time.monotonic()
        self.directories = [service.report for service in services.values()]
        while not all(os.path.exists(os.path.join(directory, "reports.jsonl")) for directory in self.directories):
            time.sleep(0.1)
            if time.monotonic() > self.began + PATIENCE:
                sys.exit("night: the services write no reports")

    def edges(self, form):
        done = subprocess.run([f"{self.build}/bin/heapgauge", "edges", "--format", form, *self.directories],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"night: heapgauge edges: {done.stderr}")
        return done.stdout

    def line(self, phase, said):
        now = time.monotonic()
        good, failed, slowest = self.customers.since_last_time()
        seconds = now - self.shown
        print(COLUMNS.format(f"{int(now - self.began) // 60}:{int(now - self.began) % 60:02}", phase,
                             f"{good / seconds:.1f}/s", f"{failed / seconds:.1f}/s", f"{slowest:.1f} s",
                             self.services["auth"].stats()["busy"],
                             self.services["session"].stats()["database_connections"], said), flush=True)
        self.shown = now

    def pass_through(self, phase, seconds, named):
        """A phase, until it is over and heapgauge has named it: named(graph).  The graphs that were seen."""
        began = time.monotonic()
        graphs, last = [], None
        while True:
            time.sleep(1)
            graph = json.loads(self.edges("json"))
            graphs.append(graph)
            said = what_heapgauge_says(graph)
            spent = time.monotonic() - began
            done = spent >= seconds and named(graph)
            if said.split("(")[0] != last or time.monotonic() - self.shown >= self.every or done:
                self.line(phase, said)
                last = said.split("(")[0]
            if done:
                return graphs
            if spent > seconds + PATIENCE:
                sys.exit(f"night: {phase}: heapgauge says {said}\n{self.edges('text')}")


def waiting(graph, names):
    return sum(edge["in_flight_bytes"] for edge in graph["edges"] if edge["server"] in names) / 2**20


def circles(graph):
    return [circle for circle in graph["circles"] if circle["now"]]


def what_heapgauge_says(graph):
    for circle in circles(graph):
        return f"CIRCLE: {' and '.join(circle['members'])} ({waiting(graph, circle['members']):.1f} MiB in flight)"
    if graph["waits_for"]:
        names = graph["waits_for"]
        return f"waits for {' and '.join(names)}, no circle ({waiting(graph, names):.1f} MiB in flight)"
    return "nothing piles up"


def is_circle(graph):
    return any(circle["members"] == ["auth", "session"] for circle in circles(graph))


def replay(wanted, night, services):
    print(f"{'':5}  {'':9} {'what the operator saw':<53}  what heapgauge says")
    print(COLUMNS.format("time", "", "logins", "failed", "slowest", "auth's busy", "database's", ""))
    session = services["session"]
    graphs = night.pass_through("calm", wanted.calm, lambda graph: True)
    session.set(query_ms=60_000)
    graphs += night.pass_through("database", wanted.database, lambda graph: graph["waits_for"] == ["database"])
    print("\n" + night.edges("text"))
    session.set(query_ms=5)
    graphs += night.pass_through("calm", wanted.calm, lambda graph: True)
    if any(graph["circles"] for graph in graphs) or any(service.circle_alerts("firing") for service in services.values()):
        sys.exit("night: a circle was called before there was one")
    switched = time.time()
    session.set(circle=1)

    def everybody_knows(graph):
        if not is_circle(graph):
            return False
        return wanted.without_header or all(services[role].circle_alerts("firing") for role in ("auth", "session"))

    night.pass_through("circle", wanted.circle, everybody_knows)
    print("\n" + night.edges("text"))
    session.set(circle=0)
    night.pass_through("over", 0, lambda graph: not is_circle(graph))
    for role in [] if wanted.without_header else ROLES:
        alerts = services[role].circle_alerts("firing")
        if (role != "gateway") != (alerts[:1] != [] and alerts[0][0] == ["auth", "session"]):
            sys.exit(f"night: {role} says {alerts}")
        for members, moment in alerts[:1]:
            raised = time.mktime(time.strptime(moment[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            print(f"{role}: alert of the circle of {' and '.join(members)}, "
                  f"within {max(0, raised - switched) + 1:.0f} s of its begin")


def main():
    wanted = arguments()
    with tempfile.TemporaryDirectory() as directory:
        services = {}
        try:
            for role in ROLES:
                services[role] = Service(wanted.build, directory, role, wanted.without_header)
            services["gateway"].set(auth=services["auth"].port)
            services["auth"].set(session=services["session"].port)
            services["session"].set(auth=services["auth"].port)
            customers = Customers(services["gateway"].port)
            try:
                replay(wanted, Night(wanted.build, services, customers, wanted.every), services)
            finally:
                services["session"].set(circle=0, query_ms=5)
                customers.end()
            for service in services.values():
                service.process.terminate()
                if service.process.wait(60) != 0:
                    sys.exit(f"night: {service.role} ended with status {service.process.returncode}")
        finally:
            for service in services.values():
                if service.process.poll() is None:
                    service.process.kill()
                    service.process.wait()


if __name__ == "__main__":
    main()
