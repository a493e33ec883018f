"""Runs a host program bare and with heapgauge in front, and compares.

Everything that a driver in this folder and in tests/programs shares: where the library is, the ways a program is run
("modes"), temporary directories, the watchdog that prints every stack of a hanging host, the reports that a run left.
Standard library only.  A driver ends with status 0 when all held, 1 with the reason on stderr, 77 to be skipped.
"""

import argparse
import contextlib
import ctypes
import gzip
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SKIP = 77
# For scenarios of many runs that are not about lines: no helper process for each.
NAMES_ONLY = {"HEAPGAUGE_SYMBOLIZE": "names"}
# The three ways of sampling that every host is run with; "bare" is without heapgauge.
INTERVALS = {"default": 512 * 1024, "4KiB": 4096, "exact": 1}
SETTINGS = {"default": None, "4KiB": "4KiB", "exact": "1"}
PREFIX = b"heapgauge: "


class Failure(Exception):
    """What did not hold, for people."""


def fail(text):
    raise Failure(text)


def check(holds, text):
    if not holds:
        fail(text)


def arguments(description, extra=None):
    """The command line that CMakeLists.txt gives to every driver."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lib", required=True, help="directory of libheapgauge.so and libheapgauge-core.so")
    parser.add_argument("--bin", default="", help="directory of the victims")
    parser.add_argument("--behind", default="", help="allocator preloaded behind heapgauge")
    if extra is not None:
        extra(parser)
    return parser.parse_args()


def main(body):
    """Runs a driver's body; turns what it raises into an exit status."""
    become_subreaper()
    try:
        body()
    except Failure as problem:
        print(f"FAILED: {problem}", file=sys.stderr)
        sys.exit(1)
    finally:
        end_descendants()
    print("ok")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def skip_without_library(name):
    """Where the distribution's `name` is not installed.  A path is taken as it is."""
    if not name or os.path.exists(name):
        return
    known = subprocess.run(["/sbin/ldconfig", "-p"], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if f"\t{name} ".encode() not in known.stdout:
        skip(f"{name} is not installed")


# ---- processes ------------------------------------------------------------------------------------------------------


def become_subreaper():
    """Orphans of a victim (daemons, double forks) become our children, so that none outlives the test."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def children_of(parent):
    """Pids of the direct children, zombies left out."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] not in (b"Z", b"X"):
            found.append(int(entry))
    return found


def descendants(parent=None):
    found = []
    queue = [parent if parent is not None else os.getpid()]
    while queue:
        for child in children_of(queue.pop()):
            found.append(child)
            queue.append(child)
    return found


def reap_orphans():
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def end_descendants():
    for _ in range(50):
        left = descendants()
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap_orphans()
        time.sleep(0.02)


def wait_for_orphans(seconds=60):
    """Returns when no process started by us is left; what a daemon writes is complete then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reap_orphans()
        if not descendants():
            return
        time.sleep(0.02)
    left = descendants()
    show_stacks(left)
    fail(f"processes left behind: {left}")


def show_stacks(pids):
    """Where a hanging host hangs: every thread of every process, to stderr."""
    gdb = shutil.which("gdb")
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            print(f"---- {pid}: {file.read().replace(bytes(1), b' ').decode(errors='replace')}", file=sys.stderr)
        if gdb is None:
            for task in os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else []:
                with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/wchan", encoding="ascii") as file:
                    print(f"thread {task} waits in {file.read()}", file=sys.stderr)
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([gdb, "-nx", "-batch", "-p", str(pid), "-ex", "thread apply all bt 40"], check=False,
                           stdout=sys.stderr.fileno(), stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                           timeout=60)


class Result:
    """What a finished run left: status as subprocess has it, both outputs, and heapgauge's own lines."""

    def __init__(self, mode, status, stdout, stderr, directory):
        self.mode = mode
        self.status = status
        self.stdout = stdout
        lines = stderr.splitlines(keepends=True)
        self.said = [line.decode(errors="replace").rstrip("\n") for line in lines if line.startswith(PREFIX)]
        self.stderr = b"".join(line for line in lines if not line.startswith(PREFIX))
        self.directory = directory

    @property
    def interval(self):
        return INTERVALS.get(self.mode)


def under_gdb(argv, environment, directory):
    """The line for a shell that runs a program once more, with gdb around it and heapgauge in the program alone."""
    changed = [f"{name}={value}" for name, value in environment.items() if os.environ.get(name) != value]
    wrapper = shlex.join(["env", *changed])
    return (f"cd {shlex.quote(directory)} && gdb -ex {shlex.quote(f'set exec-wrapper {wrapper}')} "
            f"-ex run --args {shlex.join(argv)}")


class Rig:
    """One scenario's set-up: the library, a temporary directory, and runs in it."""

    def __init__(self, options, timeout=60, settings=None):
        self.settings = settings or {}  # HEAPGAUGE_* of every run with heapgauge
        self.lib = options.lib
        self.bin = options.bin
        self.behind = options.behind
        self.timeout = timeout
        self.top = tempfile.mkdtemp(prefix="heapgauge-test-")
        self.runs = 0
        self.last = None  # argv, environment and directory of the last run

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        end_descendants()
        if kind is None or issubclass(kind, SystemExit):
            shutil.rmtree(self.top, ignore_errors=True)
            return
        print(f"kept: {self.top}", file=sys.stderr)
        if self.last:
            print(f"its last run under gdb:\n  {under_gdb(*self.last)}", file=sys.stderr)

    def victim(self, name):
        return os.path.join(self.bin, name)

    def directory(self):
        self.runs += 1
        path = os.path.join(self.top, str(self.runs))
        os.mkdir(path)
        return path

    def preload(self, mode, library=None):
        parts = [] if mode == "bare" else [library or os.path.join(self.lib, "libheapgauge.so")]
        if self.behind:
            parts.append(self.behind)
        return ":".join(parts)

    def environment(self, mode, directory, extra=None, library=None):
        """Ours without the variables that matter here, and those of the mode.  A value of None removes one."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
        env["TMPDIR"] = directory
        if self.preload(mode, library):
            env["LD_PRELOAD"] = self.preload(mode, library)
        if mode != "bare":
            env["HEAPGAUGE_OUTPUT"] = os.path.join(directory, "out.%e.%p")
            env["HEAPGAUGE_CHILDREN"] = "full"  # most victims tell the account of each process
            if SETTINGS[mode] is not None:
                env["HEAPGAUGE_SAMPLE_INTERVAL"] = SETTINGS[mode]
            env.update(self.settings)
        env["VICTIM_TRUTH"] = os.path.join(directory, "truth")
        for name, value in (extra or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def run(self, argv, mode, env=None, directory=None, library=None, during=None, stdin=subprocess.DEVNULL,
            **popen):
        """Runs to the end, orphans included.  `during(process)` is called while the program runs."""
        directory = directory or self.directory()
        out_path, err_path = os.path.join(directory, "stdout"), os.path.join(directory, "stderr")
        with open(out_path, "wb") as out, open(err_path, "wb") as err:
            popen.setdefault("cwd", directory)
            popen.setdefault("stdout", out)
            popen.setdefault("stderr", err)
            environment = self.environment(mode, directory, env, library)
            self.last = argv, environment, popen["cwd"]
            process = subprocess.Popen(argv, env=environment, stdin=stdin, **popen)
            try:
                if during is not None:
                    during(process)
                status = process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                show_stacks(descendants())
                show(err_path)
                fail(f"{mode}: hangs (still there after {self.timeout} s): {' '.join(argv)}")
            finally:
                if process.poll() is None:
                    end_descendants()
                    process.wait()
        wait_for_orphans()
        with open(out_path, "rb") as out, open(err_path, "rb") as err:
            return Result(mode, status, out.read(), err.read(), directory)


def show(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        print(file.read().decode(errors="replace"), file=sys.stderr)


def same_behaviour(bare, run, expected_lines=()):
    """Same exit status, same output, and not a word from heapgauge but those that are expected (substrings)."""
    where = f"{run.mode} against bare"
    check(run.status == bare.status, f"{where}: exit status {run.status}, not {bare.status}; stderr:\n"
          + run.stderr.decode(errors="replace") + "\n".join(run.said))
    check(run.stdout == bare.stdout, f"{where}: stdout differs:\n{run.stdout!r}\nbare:\n{bare.stdout!r}")
    check(run.stderr == bare.stderr, f"{where}: stderr differs:\n{run.stderr!r}\nbare:\n{bare.stderr!r}")
    said_as_expected(run, expected_lines)


def said_as_expected(run, expected_lines):
    """Each expected substring in exactly one line of ours, and no line without one."""
    check(len(run.said) == len(expected_lines),
          f"{run.mode}: {len(expected_lines)} line(s) expected from heapgauge, it said: {run.said}")
    for expected in expected_lines:
        check(any(expected in line for line in run.said), f"{run.mode}: no line has {expected!r}: {run.said}")


# ---- reports --------------------------------------------------------------------------------------------------------


def report_directories(directory):
    return sorted(os.path.join(directory, name) for name in os.listdir(directory)
                  if os.path.exists(os.path.join(directory, name, "reports.jsonl")))


def lines_in(path):
    """Whole ones, of a file that is being written."""
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def read_reports(directory, killed=False):
    """All reports of one report directory; every line must be a whole report, but the last one of a process that was killed."""
    reports = []
    with open(os.path.join(directory, "reports.jsonl"), "rb") as file:
        content = file.read()
    if killed:
        content = content[:content.rfind(b"\n") + 1]
    if not content:
        return []  # the first report could not be written
    check(content.endswith(b"\n"), f"{directory}: reports.jsonl ends with a torn line")
    for line in content.splitlines():
        report = json.loads(line)
        check(report["schema"] == "heapgauge.report/1", f"schema {report['schema']}")
        reports.append(report)
    sequences = [report["sequence"] for report in reports]
    check(sequences == sorted(sequences), f"{directory}: sequence numbers {sequences}")
    text = os.path.join(directory, "report.txt")  # written behind it
    check(killed and not os.path.exists(text) or os.path.getsize(text) > 0, f"{directory}: report.txt is empty")
    profile = os.path.join(directory, "heap.pb.gz")
    if os.path.exists(profile):
        with gzip.open(profile) as file:
            check(file.read(), f"{directory}: heap.pb.gz is empty")  # gzip checks its sum
    return reports


def last_reports(directory, killed=False):
    """pid -> newest report, over all report directories of a run."""
    found = {}
    for path in report_directories(directory):
        for report in read_reports(path, killed):
            found[report["pid"]] = report
    return found


def own_account(report, executable):
    """(bytes, objects) alive at sites whose leaf frame is in the program itself.

    What the C library allocates for itself (stdio buffers, thread descriptors) is not the victim's to know.
    """
    check(report["sites_total"] == len(report["sites"]), "the victim has more sites than a report shows")
    sites = [site for site in report["sites"] if site["frames"] and site["frames"][0]["module"] == executable]
    return sum(site["live_bytes"] for site in sites), sum(site["live_objects"] for site in sites)


def near(estimate, truth, interval):
    """Exact in exact mode; otherwise six standard deviations of a Poisson sample, so it fails once in 10^8."""
    if interval == 1 or truth == 0:
        return estimate == truth
    return abs(estimate - truth) <= 6 * (math.sqrt(truth * interval) + interval)


def read_truth(directory):
    """pid -> (bytes, objects) as the victims wrote them at their end."""
    truth = {}
    for name in os.listdir(directory):
        if name.startswith("truth."):
            with open(os.path.join(directory, name), encoding="ascii") as file:
                number_of_bytes, objects = file.read().split()
            truth[int(name.rpartition(".")[2])] = (int(number_of_bytes), int(objects))
    return truth


def final_account_is_true(run, executable):
    """Every process that told its truth has a final report that agrees.  Returns how many there were."""
    truth = read_truth(run.directory)
    reports = last_reports(run.directory)
    for pid, (true_bytes, true_objects) in truth.items():
        if pid not in reports:
            # Nothing of it was sampled: then it may not have allocated much, and in exact mode nothing at all.
            check(run.interval != 1, f"{run.mode}: no report of process {pid}, which holds {true_bytes} bytes")
            continue
        report = reports[pid]
        check(report["final"], f"{run.mode}: the last report of process {pid} is not final")
        check(report["sampling"]["reports_failed"] == 0, f"{run.mode}: reports failed")
        check(report["sampling"]["unseen_deaths"] == 0, f"{run.mode}: blocks died unseen: {report['sampling']}")
        check(report["sampling"]["distrust"] == "", f"{run.mode}: {report['sampling']}")
        live_bytes, live_objects = own_account(report, executable)
        check(near(live_bytes, true_bytes, run.interval),
              f"{run.mode}: process {pid} holds {true_bytes} bytes, its report says {live_bytes}")
        if run.interval == 1:
            check(live_objects == true_objects,
                  f"{run.mode}: process {pid} holds {true_objects} blocks, its report says {live_objects}")
    return len(truth)


# ---- background work ------------------------------------------------------------------------------------------------


class Drain(threading.Thread):
    """Collects a pipe so that its writer never waits."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe = pipe
        self.content = b""
        self.start()

    def run(self):
        for line in self.pipe:
            self.content += line


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return fail(f"waited {seconds} s for {what}")
