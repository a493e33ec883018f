"""Lets the system calls that heapgauge makes fail, one after the other, and looks whether the host notices.

support/fault_tracer.c counts the calls of one kind that a run makes, and then lets the n-th of them fail, for every n; some
kinds also from the n-th on, as a limit or a full disk does.  Whatever fails: the host's status and output, its errno and
its descriptors are as without us, nothing hangs, what is in the report directory can be read, and a report that could not
be written is counted in the next one.
"""

import contextlib
import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness

# x86-64's.
NUMBERS = {"read": 0, "write": 1, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
           "rt_sigaction": 13, "pread64": 17, "mincore": 27, "madvise": 28, "nanosleep": 35, "clone": 56, "execve": 59,
           "wait4": 61, "uname": 63, "fcntl": 72, "getcwd": 79, "mkdir": 83, "readlink": 89, "prctl": 157,
           "sched_setscheduler": 144, "openat": 257, "newfstatat": 262, "unlinkat": 263,
           "renameat": 264, "ppoll": 271, "set_robust_list": 273, "dup3": 292, "pipe2": 293, "prlimit64": 302,
           "getrandom": 318, "memfd_create": 319, "capset": 126, "pidfd_open": 434, "clone3": 435, "close_range": 436,
           "pidfd_getfd": 438, "faccessat2": 439}

# What fails how: (call, errno, from the n-th on as well).
GROUPS = {
    "memory": [("mmap", errno.ENOMEM, True), ("mprotect", errno.ENOMEM, False), ("munmap", errno.ENOMEM, False),
               ("brk", errno.ENOMEM, False), ("madvise", errno.EINVAL, False), ("mincore", errno.ENOSYS, False)],
    "threads": [("clone3", errno.EAGAIN, True), ("clone3", errno.EPERM, False), ("set_robust_list", errno.ENOSYS, False),
                ("prctl", errno.EPERM, True), ("nanosleep", errno.EINTR, True), ("rt_sigaction", errno.EINVAL, True), ("getrandom", errno.EINTR, True),
                ("getrandom", errno.ENOSYS, True), ("uname", errno.EPERM, False), ("prlimit64", errno.EPERM, True)],
    "open": [("openat", errno.EMFILE, True), ("readlink", errno.ENOENT, True), ("getcwd", errno.ENOENT, True)],
    "look": [("newfstatat", errno.EACCES, True), ("fcntl", errno.EINVAL, True), ("lseek", errno.ESPIPE, False)],
    "read": [("read", errno.EIO, True)],
    "pread": [("pread64", errno.EIO, True)],
    "write": [("write", errno.ENOSPC, True), ("write", errno.EINTR, False), ("mkdir", errno.ENOSPC, True),
              ("renameat", errno.ENOSPC, True), ("unlinkat", errno.EPERM, True), ("close_range", errno.ENOSYS, True),
              ("pidfd_open", errno.EMFILE, True), ("pidfd_getfd", errno.EPERM, True)],
    # What the helper for lines takes until its execve.
    "helper": [("clone", errno.EAGAIN, True), ("pipe2", errno.EMFILE, True), ("execve", errno.ENOMEM, True),
               ("dup3", errno.EMFILE, False), ("memfd_create", errno.EMFILE, False), ("capset", errno.EPERM, False), ("ppoll", errno.EINTR, False), ("wait4", errno.EINTR, False),
               ("faccessat2", errno.EACCES, True), ("close_range", errno.ENOSYS, False),
               ("sched_setscheduler", errno.EPERM, False), ("mprotect", errno.ENOMEM, False)],
}
WHOLE_S = 20  # a run takes some hundredths of a second; waiting for a report in vain, ten
NO_ROOM = "(more stacks than "
CANT_BE_REMOVED = ("unlinkat",)  # then a temporary file may stay
# Of one call; of more, every second or third is taken.  Runs with a helper take five times as long, and its calls repeat
# with every report.
MOST_RUNS = {"helper": 8}
MOST_RUNS_ELSE = 120


def extra(parser):
    parser.add_argument("--what", required=True, choices=sorted(GROUPS))
    parser.add_argument("--tracer", required=True, help="fault_tracer")
    parser.add_argument("--only", help="CALL,ERRNO,N[,onward]: one run, for people")


class Faults:
    def __init__(self, rig, options):
        self.rig, self.options = rig, options
        self.executable = rig.victim("under_faults")
        self.window = rig.victim("libwindow_library.so")
        self.runs = 0
        self.bare = rig.run([self.executable], "bare")
        harness.check(self.bare.status == 7, f"the victim itself: {self.bare.status} {self.bare.stderr}")

    def run(self, call, number, nth=0, onward=False):
        """One run; (Result, how many of the calls there were)."""
        directory = self.rig.directory()
        result_path = os.path.join(directory, "calls")
        env = self.rig.environment("exact", directory, {"HEAPGAUGE_REPORT_INTERVAL": "1h"})
        preload = env.pop("LD_PRELOAD") + ":" + self.window
        argv = [self.options.tracer, "--result", result_path, "--call", str(NUMBERS[call]), "--errno", str(number)]
        argv += ["--nth", str(nth)] if nth else []
        argv += ["--onward"] if onward else []
        # The tracer itself and `env` are no part of it.
        argv += ["--", "env", f"LD_PRELOAD={preload}", self.executable]
        with open(os.path.join(directory, "out"), "wb") as out, open(os.path.join(directory, "err"), "wb") as err:
            process = subprocess.Popen(argv, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       start_new_session=True)
            try:
                process.wait(WHOLE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                harness.fail(f"hangs with {self.name(call, number, nth, onward)}")
        harness.check(process.returncode == 0, f"the tracer ended with {process.returncode}")
        with open(result_path, encoding="ascii") as file:
            words = dict(line.split() for line in file)
        status = os.waitstatus_to_exitcode(int(words["status"]))
        with open(os.path.join(directory, "out"), "rb") as out, open(os.path.join(directory, "err"), "rb") as err:
            result = harness.Result("exact", status, out.read(), err.read(), directory)
        self.runs += 1
        return result, int(words.get(str(NUMBERS[call]), 0))

    @staticmethod
    def name(call, number, nth, onward):
        return f"{call} {nth}{' and all after it' if onward else ''} failing with {errno.errorcode[number]}"

    def judge(self, run, what, call):
        harness.check(run.status == self.bare.status and run.stdout == self.bare.stdout and run.stderr == b"",
                      f"{what}: status {run.status}, not {self.bare.status}; {run.stdout!r} {run.stderr!r}; {run.said}")
        with open(os.path.join(run.directory, "truth.statuses"), encoding="ascii") as file:
            statuses = [int(word) for word in file.read().split()]
        final = None
        reports = 0
        for name in os.listdir(run.directory):
            path = os.path.join(run.directory, name)
            if name.startswith("out.") and os.path.isdir(path):
                reports, final = self.readable(path, what, call)
        if final is None:
            return
        # NOT_AVAILABLE: the core could not be loaded; NO_MEMORY: there was no thread to make it.
        lost = sum(status != 0 for status in statuses)
        harness.check(final["sampling"]["reports_failed"] == lost,
                      f"{what}: the reports were answered with {statuses}, the final one counts "
                      f"{final['sampling']['reports_failed']} failed; {run.said}")
        harness.check(reports >= 3 - lost, f"{what}: {reports} reports in the file, {statuses}")
        live = sum(site["live_objects"] for site in final["sites"]
                   if site["frames"] and site["frames"][0]["module"] == self.executable)
        # Those whose stacks found no room are counted at a site of their own.
        without_stack = sum(site["live_objects"] for site in final["sites"]
                            if site["frames"] and site["frames"][0]["function"].startswith(NO_ROOM))
        dropped = final["sampling"]["dropped"]
        harness.check(live <= 800 <= live + without_stack + dropped,
                      f"{what}: 800 blocks live, the report has {live}, {without_stack} without a stack and {dropped} dropped")

    def readable(self, path, what, call):
        """(lines, the final report or None)"""
        names = os.listdir(path)
        left = [name for name in names if name.startswith(".")]
        harness.check(not left or call in CANT_BE_REMOVED, f"{what}: left behind: {left}")
        reports = []
        if "reports.jsonl" in names:
            with open(os.path.join(path, "reports.jsonl"), "rb") as file:
                content = file.read()
            harness.check(content == b"" or content.endswith(b"\n"), f"{what}: a torn line")
            reports = [json.loads(line) for line in content.splitlines()]
        if "heap.pb.gz" in names:
            with gzip.open(os.path.join(path, "heap.pb.gz")) as file:
                harness.check(file.read(), f"{what}: an empty profile")
        if "report.txt" in names:
            with open(os.path.join(path, "report.txt"), "rb") as file:
                harness.check(file.read().endswith(b"\n"), f"{what}: half a report.txt")
        final = reports[-1] if reports and reports[-1]["final"] else None
        return len(reports), final

    def all(self, call, number, onward):
        run, calls = self.run(call, number)
        self.judge(run, f"counting {call}", call)
        harness.check(run.said == [], f"counting {call}: {run.said}")
        step = calls // MOST_RUNS.get(self.options.what, MOST_RUNS_ELSE) + 1
        for persistent in (False, True) if onward else (False,):
            # From the n-th on: what matters is where it begins, and most calls lie close together.
            for nth in range(1, calls + 1, step * (5 if persistent and calls > 5 else 1)):
                run, _ = self.run(call, number, nth, persistent)
                self.judge(run, self.name(call, number, nth, persistent), call)
        return calls


def body():
    options = harness.arguments(__doc__, extra)
    symbolize = "lines" if options.what == "helper" else "names"
    with harness.Rig(options, settings={"HEAPGAUGE_SYMBOLIZE": symbolize}) as rig:
        faults = Faults(rig, options)
        if options.only:
            call, name, nth, *onward = options.only.split(",")
            run, _ = faults.run(call, getattr(errno, name), int(nth), bool(onward))
            print(run.status, run.stdout, run.stderr, run.said, os.listdir(run.directory))
            faults.judge(run, options.only, call)
            return
        began = time.monotonic()
        problems = []
        for call, number, onward in GROUPS[options.what]:
            try:
                calls = faults.all(call, number, onward)
                print(f"{call} {errno.errorcode[number]}: {calls} calls")
            except harness.Failure as problem:
                problems.append(str(problem))
        print(f"{faults.runs} runs in {time.monotonic() - began:.1f} s")
        harness.check(not problems, "\n".join(problems))


with contextlib.suppress(KeyboardInterrupt):
    harness.main(body)
