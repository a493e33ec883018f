#!/usr/bin/env python3
"""The night of the outage, replayed in minutes: normal traffic, a threefold rise, then the rise with the defect.

  night.py BUILD_DIR [--calm 40] [--rise 60] [--defect 60] [--rate 100] [--every 5]

Prints a line every few seconds, and one whenever the verdict changes: traffic, resident memory, what the service knows
that it has lost, and what heapgauge says.  Ends with the time from the first lost byte to the alert.  Exit status 0 when
the alert named the coupon line and nothing was called a leak before the defect.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="where checkout_service, checkout_load and heapgauge were built")
    for name, seconds in [("calm", 40), ("rise", 60), ("defect", 60)]:
        parser.add_argument(f"--{name}", type=int, default=seconds, help=f"seconds of it; default {seconds}")
    parser.add_argument("--rate", type=int, default=100, help="requests a second on a calm night; default 100")
    parser.add_argument("--every", type=int, default=5, help="seconds between two lines; default 5")
    return parser.parse_args()


class Service:
    """The checkout service under heapgauge, with a report every two seconds."""

    def __init__(self, build, directory):
        self.report = os.path.join(directory, "report")
        self.pid_file = os.path.join(directory, "pid")
        self.errors = open(os.path.join(directory, "err"), "w+", encoding="utf-8")
        # Sessions, caches and receipts are small enough to be full before the calm is over.
        self.process = subprocess.Popen(
            [f"{build}/bin/heapgauge", "run", "--report-interval", "2s", "--sample-interval", "64KiB", "--output",
             self.report, "--", f"{build}/bin/checkout_service", "--port", "0", "--pid-file", self.pid_file,
             "--session-ttl", "3s", "--cache-entries", "128", "--receipts", "500", "--coupon-bytes", "16KiB"],
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on 127.0.0.1:"):
            sys.exit(f"night: the service did not come up: {line}{self.said()}")
        self.port = int(line.rsplit(":", 1)[1])
        with open(self.pid_file, encoding="utf-8") as file:
            self.pid = int(file.read())

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def stats(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/admin/stats", timeout=2) as reply:
                return json.load(reply)
        except (urllib.error.URLError, OSError):
            return None

    def rss(self):
        with open(f"/proc/{self.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def lines(self, name, count):
        """The last lines of one of heapgauge's files."""
        try:
            with open(os.path.join(self.report, name), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4_000_000))
                whole = [line for line in file.read().split(b"\n")[:-1] if line.startswith(b"{")]
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in whole[-count:]]

    def end(self):
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(60)


def what_heapgauge_says(report):
    if report is None:
        return "", "no report yet"
    said = report["verdict"]
    for site in report["sites"][:1]:
        if site["verdict"] in ("leak", "growing", "load"):
            frame = site["frames"][site["callsite"]]
            name = (frame["function"] or "?").split("(")[0]
            said += f": {name} {os.path.basename(frame['file'] or '')}:{frame['line']}"
            said += f" {site['growth_bytes_per_s'] / 1024:+.0f} KiB/s"
    return report["verdict"], said


def watch(service, load, phases, every):
    """Prints the timeline; the moments of the first lost byte and of the alert."""
    lost_at = alert = None
    before = None
    shown = ("", -every)
    began = time.monotonic()
    false_leaks = 0
    print(f"{'time':>6}  {'phase':7} {'requests/s':>10} {'RSS':>8} {'lost':>8}  heapgauge says")
    while load.poll() is None:
        time.sleep(1)
        now = time.monotonic() - began
        stats = service.stats()
        if stats is None:
            continue
        rate = 0 if before is None else (stats["requests"] - before[1]) / (now - before[0])
        before = (now, stats["requests"])
        if lost_at is None and stats["leaked_bytes"] > 0:
            lost_at = time.time() - stats["leak_seconds"]
        alerts = [one for one in service.lines("alerts.jsonl", 10) if one["kind"] == "leak"]
        if alert is None and alerts:
            alert = alerts[0]
        verdict, said = what_heapgauge_says(next(iter(service.lines("reports.jsonl", 1)), None))
        false_leaks += verdict == "leak" and lost_at is None
        if verdict != shown[0] or now - shown[1] >= every:
            phase = next((name for name, until in phases if now < until), phases[-1][0])
            print(f"{int(now) // 60:3}:{int(now) % 60:02}  {phase:7} {rate:10.0f} {service.rss() / 2**20:4.1f} MiB "
                  f"{stats['leaked_bytes'] / 2**20:4.1f} MiB  {said}", flush=True)
            shown = (verdict, now)
    return lost_at, alert, false_leaks


def main():
    wanted = arguments()
    rate = wanted.rate
    phases, until = [], 0
    for name, seconds in [("calm", wanted.calm), ("rise", 10 + wanted.rise), ("defect", wanted.defect)]:
        until += seconds
        phases.append((name, until))
    plan = f"{wanted.calm}s@{rate},10s@{rate}..{3 * rate},{wanted.rise}s@{3 * rate},{wanted.defect}s@{3 * rate}+defect"
    with tempfile.TemporaryDirectory() as directory:
        service = Service(wanted.build, directory)
        load = subprocess.Popen([f"{wanted.build}/bin/checkout_load", "--port", str(service.port), "--phases", plan,
                                 "--coupon-share", "0.5", "--quiet"], stdout=subprocess.DEVNULL)
        try:
            lost_at, alert, false_leaks = watch(service, load, phases, wanted.every)
        finally:
            load.kill()
            load.wait()
            status = service.end()
    if status != 0:
        sys.exit(f"night: the service ended with status {status}: {service.said()}")
    if false_leaks:
        sys.exit("night: a leak was called before there was one")
    if alert is None or lost_at is None:
        sys.exit("night: the defect raised no alert")
    raised = time.mktime(time.strptime(alert["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    print(f"\nalert: {alert['summary']}")
    print(f"       {alert['evidence']}")
    print(f"from the first lost byte to the alert: {raised - lost_at:.0f} s")
    if "RejectCoupon" not in alert["function"]:
        sys.exit("night: the alert names another line")


if __name__ == "__main__":
    main()
