"""The checkout service: what it loses is called, what it keeps is named down to the list, its harmless twin is never called.

Nothing is measured in seconds: each service goes on until the awaited report is there, or until PATIENCE_S is over.
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time

PATIENCE_S = 150
TWIN_REPORTS = 30
FEW_OBJECTS = 8


class Service:
    def __init__(self, args, folder, defect):
        self.report = os.path.join(folder, defect)
        self.pid_file = os.path.join(folder, defect + ".pid")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_")}
        self.process = subprocess.Popen(
            [args.command, "run", "--report-interval", "500ms", "--sample-interval", "32KiB", "--output", self.report, "--", args.service,
             "--port", "0", "--pid-file", self.pid_file, "--defect", defect, "--coupon-bytes", "4KiB", "--session-ttl", "2s",
             "--cache-entries", "64", "--receipts", "100"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(environment, HEAPGAUGE_CPU_BUDGET="20%"))
        port = self.process.stdout.readline().strip().rsplit(":", 1)[1]
        self.load = subprocess.Popen([args.load, "--port", port, "--phases", f"{PATIENCE_S}s@150", "--coupon-share", "1", "--quiet"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def coupon_lines(self):
        """Of each report the call site of the refused coupons."""
        found = []
        try:
            with open(os.path.join(self.report, "reports.jsonl"), encoding="utf-8") as lines:
                for line in lines.read().split("\n")[:-1]:
                    callsites = json.loads(line)["callsites"]
                    found.append(next((c for c in callsites if "RejectCoupon" in c["function"]), None))
        except FileNotFoundError:
            pass
        return found

    def text(self):
        with open(os.path.join(self.report, "report.txt"), encoding="utf-8") as file:
            return " ".join(file.read().split())

    def end(self):
        self.load.kill()
        self.load.wait()
        if self.process.poll() is None:
            with open(self.pid_file, encoding="utf-8") as file:
                os.kill(int(file.read()), signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


def is_lost(callsite):
    held = callsite and callsite["held"]
    return bool(held) and callsite["verdict"] == "leak" and callsite["confidence"] >= 0.95 and held["lost_share"] >= 0.8


def is_kept(callsite):
    held = callsite and callsite["held"]
    if not held or not held["holders"]:
        return False
    first = held["holders"][0]
    return (first["kind"] == "stack" and first["name"] == "main" and first["share"] >= 0.95
            and first["path"][0].endswith(".waiting_for_a_person_") and first["path"][1] == "std::deque in CouponBook")


def main():
    parser = argparse.ArgumentParser()
    for name in ("command", "service", "load"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        services = {defect: Service(args, folder, defect) for defect in ("lost", "kept", "bounded")}
        lines = {}
        try:
            end = time.monotonic() + PATIENCE_S
            waiting = set(services)
            text = ""
            while waiting:
                assert time.monotonic() < end, {defect: lines[defect][-1:] for defect in waiting}
                time.sleep(0.3)
                lines = {defect: service.coupon_lines() for defect, service in services.items()}
                assert not any(line and line["verdict"] == "leak" for line in lines["bounded"]), lines["bounded"][-1]
                if any(is_lost(line) for line in lines["lost"]):
                    waiting.discard("lost")
                if "kept" in waiting and any(is_kept(line) for line in lines["kept"]):
                    text = services["kept"].text()
                    waiting.discard("kept")
                if len(lines["bounded"]) >= TWIN_REPORTS:
                    waiting.discard("bounded")
        finally:
            for service in services.values():
                service.end()
        # Nobody is said to hold what nobody holds, before either.  A request that is under way, or an old word on its
        # stack, may have one or two of the first few.
        for line in lines["lost"]:
            held = line["held"] if line else None
            assert not held or held["checked_objects"] < FEW_OBJECTS or held["lost_share"] > 0, held
        assert "kept in std::deque in CouponBook, from main's stack" in text, text


main()
