"""A directory belongs to one process: whatever it is called, however many begin and end at the same moment, also when all of
them have the same pid."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

AT_ONCE = 12
BLOCKS = 100
BLOCK = 1000


def lines_of(directory):
    with open(os.path.join(directory, "reports.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def directories_below(top):
    return sorted(path for path, _, files in os.walk(top) if "reports.jsonl" in files)


def without_preload(rig, place, extra, prefix):
    """What stands before the victim is not to be tracked: its last part sets LD_PRELOAD."""
    return rig.environment("exact", place, {**extra, **({"LD_PRELOAD": None} if prefix else {})})


def start_together(rig, place, count, output, prefix=()):
    """`count` processes, told apart by how much they hold, that come to their ends at the same moment."""
    victim = os.path.realpath(rig.victim("held_until_told"))
    reader, writer = os.pipe()
    extra = {"HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_OUTPUT": output}
    processes = [subprocess.Popen([*prefix, victim, str(BLOCKS + number)], cwd=place, stdin=reader,
                                  env=without_preload(rig, place, extra, prefix), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
                 for number in range(count)]
    os.close(reader)
    for process in processes:
        harness.check(process.stdout.read(1) == b".", "a process did not begin")
    os.close(writer)
    for process in processes:
        said = process.communicate(timeout=rig.timeout)[1]
        harness.check(process.returncode == 0 and said == b"", f"{process.returncode} {said!r}")


def held(report, victim):
    return harness.own_account(report, victim)[1]


def each_has_its_own(rig, place, count, same_pid=False):
    """Every process reported, and no directory has lines of two."""
    victim = os.path.realpath(rig.victim("held_until_told"))
    seen = []
    for path in directories_below(place):
        reports = lines_of(path)
        writers = {(report.get("instance"), report["pid"]) for report in reports}
        harness.check(len(writers) == 1, f"{path}: lines of {writers}")
        accounts = {held(report, victim) for report in reports}
        harness.check(len(accounts) == 1, f"{path}: accounts of {accounts}")
        seen.append(accounts.pop())
        if same_pid:
            harness.check(reports[0]["pid"] == 1, f"{path}: pid {reports[0]['pid']}")
    harness.check(sorted(seen) == list(range(BLOCKS, BLOCKS + count)), f"{len(seen)} of {count} reported: {seen}")


def together(rig):
    """A fixed name, %e, %h, one below a directory that all of them have to make."""
    for output in ("shared", "shared.%e", "of/%h/shared", "deep/er/%e.reports"):
        for _ in range(2):
            place = rig.directory()
            start_together(rig, place, AT_ONCE, output)
            each_has_its_own(rig, place, AT_ONCE)


def namespaces(rig):
    """Processes that are all number 1, as in containers on one volume: at once, and one after the other."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        harness.skip("needs root and unshare")
    prefix = ["unshare", "--pid", "--fork", "--mount-proc", "--", "env", f"LD_PRELOAD={rig.preload('exact')}"]
    victim = os.path.realpath(rig.victim("held_until_told"))
    if subprocess.run([*prefix, victim], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        harness.skip("no namespaces of pids here")
    for output in (None, "shared", "%e.%p"):
        place = rig.directory()
        start_together(rig, place, 3, output, prefix)
        each_has_its_own(rig, place, 3, same_pid=True)
    # One after the other: a name with a pid in it is not taken over by who happens to have that pid later.
    place = rig.directory()
    for number in range(3):
        extra = {"HEAPGAUGE_SYMBOLIZE": "names", "HEAPGAUGE_OUTPUT": "%e.%p"}
        subprocess.run([*prefix, victim, str(BLOCKS + number)], check=True, cwd=place, stdin=subprocess.DEVNULL,
                       env=without_preload(rig, place, extra, prefix))
    each_has_its_own(rig, place, 3, same_pid=True)


def goes_on(rig):
    """What exec makes of a process goes on in its directory; without %p, so does the next run."""
    victim = os.path.realpath(rig.victim("held_until_told"))
    for output in ("fixed", "out.%p"):
        place = rig.directory()
        for run in range(2):
            result = rig.run([victim, str(BLOCKS), "3"], "exact",
                             {"HEAPGAUGE_OUTPUT": os.path.join(place, output), **harness.NAMES_ONLY}, directory=place)
            harness.check(result.status == 0 and not result.said, f"{result.status} {result.said}")
            found = directories_below(place)
            harness.check(len(found) == (1 if output == "fixed" else run + 1), f"{output}: {found}")
            lines = lines_of(found[0])
            if output != "fixed":
                harness.check(len({line.get("instance") for line in lines}) == 1, "two processes in one directory")
            # Four reports that were asked for, and the last image's final one.
            harness.check(len(lines) == 5 * (run + 1 if output == "fixed" else 1), f"{output}: {len(lines)} lines")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options) as rig:
        globals()[options.what](rig)


harness.main(body)
