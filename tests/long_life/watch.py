"""What long_life.py looks at: the reports of a host's processes, their descriptors and threads, and what they leave behind."""

import contextlib
import gzip
import json
import math
import os
import re
import shutil
import signal
import subprocess
import time

import hosts
from hosts import harness

MEMORY_LIMIT = 24 << 20
OWN_THREADS = (b"heapgauge\n", b"steward\n")
# Sites are never given back, so the tracker grows while a program still finds new ways; later than this it should not.
SETTLED = 0.5  # of an incarnation
CREEP = 1.3
CREEP_BYTES = 1 << 20


def newest(directory):
    """The last whole report of a directory; None before the first."""
    with contextlib.suppress(FileNotFoundError), open(os.path.join(directory, "reports.jsonl"), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - (4 << 20)))
        lines = file.read().split(b"\n")
        if len(lines) > 1 and lines[-2].startswith(b"{"):
            return json.loads(lines[-2])
    return None


def threads(pid):
    """(the host's, heapgauge's)"""
    host = own = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", "rb") as file:
            name = file.read()
        own += name == OWN_THREADS[0]
        host += name not in OWN_THREADS
    return host, own


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Watch:
    """Keeps a host's figures over all its incarnations, and fails (harness.Failure) where something does not hold."""

    def __init__(self, host, wanted):
        self.host, self.wanted = host, wanted
        self.bursts = self.quiets = self.kills = self.ends = self.reports = self.leaks_called = 0
        self.most_memory = self.most_difference = 0
        self.cpu_share = 0.0
        self.longest_s = 0.0
        self.first = {}  # pid -> what its first quiet moment was like
        self.memory = {}  # pid -> the tracker's memory at each

    def begin(self):
        self.first.clear()
        self.memory.clear()

    def directory(self, pid):
        for name in os.listdir(self.host.place):
            if re.fullmatch(rf"out\..*\.{pid}", name):
                return os.path.join(self.host.place, name)
        return None

    def fresh_report(self, pid, over):
        """One that was begun after now; None where the process leaves meanwhile or had nothing to report yet."""
        before = time.time() + 0.05
        deadline = time.monotonic() + 60 + 3 * self.wanted.every
        while time.monotonic() < deadline and not over.is_set():
            if not os.path.exists(f"/proc/{pid}") or pid not in self.host.pids():
                return None
            directory = self.directory(pid)
            report = newest(directory) if directory else None
            if report is not None and hosts_time(report["time"]) > before:
                return report
            if report is None and threads(pid)[1] == 0:
                return None  # a master that has only waited since its fork
            time.sleep(0.1)
        harness.check(over.is_set(), f"no report of process {pid} for a minute")
        return None

    def quiet(self, over):
        self.quiets += 1
        time.sleep(0.3)
        for pid in self.host.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                truth = self.host.truth()
                report = self.fresh_report(pid, over)
                if report is not None:
                    self.judge(pid, report, truth)

    def settled(self, pid, figure, expected):
        """Connections close a moment after their clients have gone."""
        deadline = time.monotonic() + 10
        while figure(pid) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        return figure(pid)

    def judge(self, pid, report, truth):
        sampling, totals = report["sampling"], report["totals"]
        harness.check(sampling["reports_failed"] == 0, f"{sampling['reports_failed']} reports failed")
        harness.check(sampling["dropped"] == 0, f"{sampling['dropped']} samples dropped")
        harness.check(sampling["memory_bytes"] <= MEMORY_LIMIT, f"the tracker holds {sampling['memory_bytes']} bytes")
        self.most_memory = max(self.most_memory, sampling["memory_bytes"])
        self.longest_s = max(self.longest_s, report["uptime_s"])
        if report["uptime_s"] > 10:
            self.cpu_share = max(self.cpu_share, sampling["cpu_s"] / report["uptime_s"])
        self.leaks_called += report["verdict"] == "leak"
        self.memory.setdefault(pid, []).append((report["uptime_s"], sampling["memory_bytes"]))
        now = {"live": totals["live_bytes"], "error": totals["live_bytes_stderr"], "truth": truth}
        if pid not in self.first:
            self.first[pid] = dict(now, threads=threads(pid), descriptors=descriptors(pid),
                                   sequence=report["sequence"])
            return
        first = self.first[pid]
        host_threads = self.settled(pid, lambda pid: threads(pid)[0], first["threads"][0])
        harness.check(host_threads == first["threads"][0],
                      f"process {pid} has {host_threads} threads, at first {first['threads'][0]}")
        harness.check(threads(pid)[1] <= 1, f"process {pid} has {threads(pid)[1]} threads of heapgauge's")
        count = self.settled(pid, descriptors, first["descriptors"])
        harness.check(count <= first["descriptors"] + 2,
                      f"process {pid} has {count} descriptors, at first {first['descriptors']}: "
                      + str([os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]))
        # The truth was asked before the report was made: nothing happens in between.
        difference = (now["live"] - first["live"]) - (now["truth"] - first["truth"])
        room = (6 * math.hypot(now["error"], first["error"])
                + self.host.slack * max(now["live"], first["live"], abs(now["truth"] - first["truth"])) + (1 << 20))
        self.most_difference = max(self.most_difference, abs(difference) / room)
        harness.check(abs(difference) <= room, f"live bytes are off by {difference}, {room} would do: {now} {first}")

    # ---- what a process leaves --------------------------------------------------------------------------------------

    def creep(self):
        for pid, values in self.memory.items():
            end = values[-1][0]
            middle = [memory for at, memory in values if at <= SETTLED * end]
            if end < 60 or not middle:
                continue
            harness.check(values[-1][1] <= CREEP * middle[-1] + CREEP_BYTES,
                          f"the tracker of process {pid} creeps: {values}")

    def ended(self, number, status):
        killed = number == signal.SIGKILL
        self.kills += killed
        self.ends += not killed
        allowed = (-signal.SIGKILL,) if killed else (0, -signal.SIGTERM)
        harness.check(status in allowed, f"ended with {status} after signal {number}")
        self.creep()
        for name in sorted(os.listdir(self.host.place)):
            directory = os.path.join(self.host.place, name)
            if name.startswith("out.") and os.path.isdir(directory):
                self.readable(directory, name.endswith(f".{self.host.process.pid}") and not killed)
                shutil.rmtree(directory)

    def readable(self, directory, must_be_final):
        left = os.listdir(directory)
        if "reports.jsonl" not in left:  # ended in the midst of its first report
            harness.check(not left and not must_be_final, f"{directory} has {left}")
            return
        with open(os.path.join(directory, "reports.jsonl"), "rb") as file:
            lines = file.read().split(b"\n")
        reports = [json.loads(line) for line in lines[:-1]]  # after the last newline: what a kill has torn
        self.reports += len(reports)
        if not reports:
            return
        harness.check(not must_be_final or (reports[-1]["final"] and lines[-1] == b""), f"{directory}: no final report")
        profile = os.path.join(directory, "heap.pb.gz")
        if os.path.exists(profile):
            with gzip.open(profile) as file:
                harness.check(len(file.read()) > 0, f"{profile} is empty")
        shown = subprocess.run([self.wanted.command, "report", directory], check=False, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=120)
        harness.check(shown.returncode == 0, f"heapgauge report {directory}: {shown.stdout.decode(errors='replace')}")

    def figures(self):
        return {"bursts of load": self.bursts, "of them on a stalled machine": self.host.stalls, "quiet moments": self.quiets, "ends": self.ends, "kills": self.kills,
                "reports": self.reports, "longest life [s]": round(self.longest_s),
                "tracker at most [KiB]": self.most_memory >> 10, "tracker CPU at most [%]": round(100 * self.cpu_share, 2),
                "account off by at most [of what may be]": round(self.most_difference, 2),
                "reports that call a leak": self.leaks_called}


def hosts_time(text):
    """Seconds since 1970 of a report's time."""
    import calendar

    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{rest or 0}")
