"""What the tests of labels, calls and circles share: where things are, runs under heapgauge, and reports."""

import glob
import json
import os
import subprocess
import sys
import tempfile


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def environment(directory, **settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEAPGAUGE_")}
    return kept | {"HEAPGAUGE_SAMPLE_INTERVAL": "1", "HEAPGAUGE_REPORT_INTERVAL": "1h", "HEAPGAUGE_SYMBOLIZE": "names",
                   "HEAPGAUGE_OUTPUT": os.path.join(directory, "report"), **settings}


def run(argv, directory, **settings):
    done = subprocess.run(argv, env=environment(directory, **settings), cwd=directory, capture_output=True, timeout=240,
                          check=False)
    check(done.returncode == 0, f"{argv}: {done.returncode}, {done.stderr.decode(errors='replace')}")
    return done


def command(heapgauge, *arguments, status=0):
    done = subprocess.run([heapgauge, *arguments], capture_output=True, timeout=120, check=False)
    check(done.returncode == status,
          f"heapgauge {arguments}: {done.returncode}, {done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout


def reports(path):
    with open(os.path.join(path, "reports.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file.read().split("\n")[:-1]]  # whole ones: more may be being written


def newest(directory):
    """The newest report that was not written at the end of the process."""
    return [report for report in reports(os.path.join(directory, "report")) if not report["final"]][-1]


def by_labels(report, function="keep"):
    """{labels as a sorted tuple: bytes} of the blocks that a function of the program allocated, () for the rest."""
    found = {}
    for site in report["sites"]:
        if not any(frame["function"] == function for frame in site["frames"]):
            continue
        rest = site["live_bytes"]
        for share in site.get("by_labels", []):
            key = tuple(sorted(share["labels"].items()))
            found[key] = found.get(key, 0) + share["live_bytes"]
            rest -= share["live_bytes"]
        if rest > 0:
            found[()] = found.get((), 0) + rest
    return found


def sums(report, key):
    return {label["value"]: label for label in report.get("labels", []) if label["key"] == key}


def main(cases):
    """Runs the case that is named last, in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        cases[sys.argv[-1]](directory)


__all__ = ["by_labels", "check", "command", "environment", "glob", "main", "newest", "reports", "run", "sums"]
