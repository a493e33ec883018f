"""kill -9 at random moments, or as soon as a file is seen half written; then the directory is read, and the next process
goes on in it.

After each kill: whole lines (but for one torn at the end, which the next process takes off), a report.txt and a profile
that are whole or absent, and `heapgauge report` shows the newest report.
"""

import contextlib
import gzip
import json
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness

RUNS = 24
RUNS_IN_A_DIRECTORY = 4


def whole_lines(path):
    """(reports, whether something is torn off at the end)"""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    return [json.loads(line) for line in lines[:-1]], lines[-1] != b""


def rotated_reports(path):
    """A fast machine fills the 64 MiB of reports.jsonl within some runs; the old file has whole lines only."""
    if not os.path.exists(path):
        return []
    reports, torn = whole_lines(path)
    harness.check(not torn, "a torn line in the rotated file")
    return reports


def read(path, command):
    """What a killed process left there: its reports as (pid, sequence), and whether the last line is torn."""
    lines = os.path.join(path, "reports.jsonl")
    reports = rotated_reports(lines + ".1")
    torn = False
    if os.path.exists(lines):
        newer, torn = whole_lines(lines)
        reports += newer
    elif not reports:
        there = os.listdir(path) if os.path.exists(path) else []
        harness.check(there == [], f"{there} without reports.jsonl")
        return [], False
    for report in reports:
        harness.check(report["schema"] == "heapgauge.report/1" and len(report["sites"]) == 100, "half a report")
    text = os.path.join(path, "report.txt")
    if os.path.exists(text):
        with open(text, "rb") as file:
            content = file.read()
        harness.check(content.startswith(b"heapgauge report") and content.endswith(b"\n"), "half a report.txt")
        harness.check(content.endswith(b"machinery it used.\n"), "a report.txt without its end")
    profile = os.path.join(path, "heap.pb.gz")
    if os.path.exists(profile):
        with gzip.open(profile) as file:
            harness.check(file.read(), "half a profile")  # gzip checks its length and sum
    shown = subprocess.run([command, "report", path], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=60)
    if reports:
        newest = f"heapgauge report {reports[-1]['sequence']}: reports_on, pid {reports[-1]['pid']}".encode()
        harness.check(shown.returncode == 0 and newest in shown.stdout,
                      f"heapgauge report: {shown.returncode} {shown.stderr!r} {shown.stdout[:200]!r}")
    else:
        harness.check(shown.returncode == 2 and shown.stderr.startswith(b"heapgauge: "), f"empty: {shown}")
    return [(report["pid"], report["sequence"]) for report in reports], torn


def wait_for_half_file(path):
    """They exist for some hundred microseconds: one of them has just been begun."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if any(name.startswith(".") for name in os.listdir(path)):
                return


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--command", required=True))
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        moments = random.Random(4711)
        reports = torn_lines = half_files = 0
        for number in range(RUNS):
            if number % RUNS_IN_A_DIRECTORY == 0:
                place = os.path.join(rig.directory(), "shared")
                before = []

            def kill(process, aimed=number % 2 == 1):
                time.sleep(moments.uniform(0.03, 0.25))
                if aimed:
                    wait_for_half_file(place)
                process.kill()

            run = rig.run([rig.victim("reports_on")], "exact", {"HEAPGAUGE_OUTPUT": place}, during=kill)
            harness.check(run.status == -9 and run.said == [], f"{run.status} {run.said} {run.stderr!r}")
            kept, torn = read(place, options.command)
            harness.check(before == [] or before[-1] in kept,
                          f"{len(kept)} reports, and not the newest of {len(before)} of before: {before[-1:]}")
            reports += len([report for report in kept if report not in before])
            before = kept
            torn_lines += torn
            left = [name for name in os.listdir(place) if name.startswith(".")] if os.path.exists(place) else []
            half_files += len(left)
            harness.check(len(left) <= 2 and len({re.sub(r"\d+$", "", name) for name in left}) == len(left),
                          f"files of earlier processes are left: {left}")
        print(f"{RUNS} kills, {reports} reports, {torn_lines} torn lines at the end, {half_files} files half written")
        harness.check(reports > RUNS, "hardly a report was written: the kills came too early to say anything")


harness.main(body)
