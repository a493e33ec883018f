"""What the drivers of real programs share: where the programs are, servers and their clients, what a report must say.

A driver runs its program bare and in every mode of sampling (harness.py) and compares.  Clients and other tools always
run bare, so that only the program in question is under test.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "preload"))
import harness

PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def options(description, extra=None):
    """Every driver takes --mode, more than once, in place of all three."""
    def more(parser):
        parser.add_argument("--mode", action="append", default=[])
        if extra is not None:
            extra(parser)

    wanted = harness.arguments(description, more)
    wanted.mode = wanted.mode or list(harness.INTERVALS)
    harness.skip_without_library(wanted.behind)
    return wanted


def program(name):
    """Its path; the test is skipped where it is not installed."""
    path = shutil.which(name, path=PATH)
    if path is None:
        harness.skip(f"{name} is not installed")
    return path


def distribution_python():
    """The distribution's interpreter before any other: what a path leads to may be a script."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else os.path.realpath(sys.executable)


def tool(*argv, stdin=None, timeout=120, status=0, **more):
    """Runs a tool to its end, bare; what it printed.  What it says on stderr is shown where it fails."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k != "LD_PRELOAD"}
    try:
        done = subprocess.run(argv, check=False, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=env, timeout=timeout, **more)
    except subprocess.TimeoutExpired:
        harness.show_stacks(harness.descendants())
        harness.fail(f"hangs (still there after {timeout} s): {' '.join(argv)}")
    harness.check(status is None or done.returncode == status,
                  f"exit status {done.returncode} of: {' '.join(argv)}\n{done.stdout.decode(errors='replace')}"
                  f"{done.stderr.decode(errors='replace')}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(family, address):
    """Whether somebody accepts connections there."""
    with socket.socket(family) as probe, contextlib.suppress(OSError):
        probe.settimeout(5)
        probe.connect(address)
        return True
    return False


def wait_for_server(process, family, address, seconds=60):
    def ready():
        harness.check(process.poll() is None, f"the server ended with {process.poll()}")
        return accepts(family, address)

    harness.wait_until(ready, seconds, f"a server at {address}")


# ---- what was said and reported -----------------------------------------------------------------------------------


def unharmed(run, bare=None, expected_lines=(), status=0):
    """Ended as it should, and not a word from heapgauge but those that are expected."""
    if bare is not None:
        harness.same_behaviour(bare, run, expected_lines)
        return
    harness.check(run.status == status, f"{run.mode}: exit status {run.status}, not {status}; stderr:\n"
                  + run.stderr.decode(errors="replace") + "\n".join(run.said))
    harness.said_as_expected(run, expected_lines)


def report_of(run, pid):
    """The newest report of a process, which must be its last word and complete."""
    reports = harness.last_reports(run.directory)
    harness.check(pid in reports, f"{run.mode}: no report of process {pid}, only of {sorted(reports)}")
    report = reports[pid]
    harness.check(report["final"], f"{run.mode}: the last report of process {pid} is not final")
    whole(run, report)
    return report


def whole(run, report):
    """No report failed, and no sample was dropped."""
    sampling = report["sampling"]
    harness.check(sampling["reports_failed"] == 0, f"{run.mode}: {sampling['reports_failed']} reports failed")
    harness.check(sampling["dropped"] == 0, f"{run.mode}: {sampling['dropped']} samples dropped")


def functions(report):
    """Every function name in the report, and for how many live bytes it is on the stack."""
    found = {}
    for site in report["sites"]:
        for name in {frame["function"] for frame in site["frames"] if frame["function"]}:
            found[name] = found.get(name, 0) + site["live_bytes"]
    return found


def modules(report):
    return {os.path.basename(frame["module"]) for site in report["sites"] for frame in site["frames"]}


# Exact accounts of large programs want more room than the default.
ROOMY = {"HEAPGAUGE_MEMORY_LIMIT": "1GiB"}
