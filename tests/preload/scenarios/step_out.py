"""Calls that change all threads of a process, or want it to have one: as without us, and reports go on afterwards.

--what caps|crowd|spaces|returns|vfork|ceaseless:  victims/changes_threads.c, some two hundred calls, a report is asked for before each tenth;
                                 ceaseless: thousands, and the reports that come due meanwhile are made.
--what programs:                 setpriv, capsh, su, runuser, unshare, nsenter and Python.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

OFTEN = {"HEAPGAUGE_REPORT_INTERVAL": "100ms", "HEAPGAUGE_CHILDREN": "full"}
NEEDS_ROOT = ("caps", "programs", "returns")
PYTHON = """
import ctypes, os, time
held = [bytearray(1 << 16) for _ in range(300)]
libc = ctypes.CDLL("libc.so.6", use_errno=True)
for _ in range(20):
    held.append(bytearray(1 << 20))
    print(libc.unshare(0x10000), os.setresgid(0, 0, 0), libc.setgroups(0, None), ctypes.get_errno())
print(libc.unshare(0x10020000), ctypes.get_errno(), os.getresuid())
"""
PROGRAMS = (
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "id"],
    ["setpriv", "--reuid=65534", "--init-groups", "--inh-caps=-all", "id"],
    ["capsh", "--user=nobody", "--", "-c", "id"],
    ["capsh", "--keep=1", "--user=nobody", "--inh=cap_setgid", "--", "-c", "id"],
    ["capsh", "--drop=all", "--gid=65534", "--uid=65534", "--", "-c", "id"],
    ["su", "nobody", "-s", "/bin/sh", "-c", "id"],
    ["runuser", "-u", "nobody", "id"],
    ["unshare", "--user", "--map-root-user", "id"],
    ["unshare", "--mount", "--uts", "--ipc", "id"],
    ["unshare", "--user", "--pid", "--fork", "id"],
    ["nsenter", "--mount=/proc/self/ns/mnt", "id"],
    ["perl", "-e", "my @h = (1) x 300000; $( = $) = 65534; $< = $> = 65534; print \"$< $> $(\\n\""],
    ["python3", "-c", PYTHON],
)


def place_for_all(rig, name):
    """A report directory in a place where nobody may write, too."""
    os.chmod(rig.top, 0o755)
    place = os.path.join(rig.top, name)
    os.mkdir(place)
    os.chmod(place, 0o777)
    return place


def victim(rig, what):
    # A quarter under `crowd`, where each call waits for the report that another thread has asked for.
    times = "50" if what == "crowd" else "200"
    argv = [os.path.realpath(rig.victim("changes_threads")), what, times]
    bare = rig.run(argv, "bare")
    harness.check(bare.status == 0, f"the victim itself ends with {bare.status}: {bare.stderr!r}")
    for mode in harness.INTERVALS:
        place = place_for_all(rig, mode)
        # The first sample of a fork's child comes with its second thread, and soon.
        watched = [] if mode == "default" else ["watched"]
        run = rig.run([*argv, *watched], mode, {**OFTEN, "HEAPGAUGE_OUTPUT": f"{place}/out.%e.%p"})
        # Who has given root up can't read root's directory any more: one line, as without such calls.
        lost = [line for line in run.said if "can't open report directory" in line or "cannot make" in line
                or "this report is lost" in line or "reports go to" in line]
        run.said = [line for line in run.said if line not in lost]
        if what == "returns":  # in between none could be started
            harness.check(len(run.said) <= 1, f"{run.said}")
            run.said = [line for line in run.said if "a process can start no thread" not in line]
        harness.same_behaviour(bare, run)
        if mode == "default":
            continue
        counts = [len(harness.read_reports(path)) for path in harness.report_directories(place)]
        harness.check(counts and max(counts) >= (8 if not lost else 1), f"{what}, {mode}: reports {counts} {lost}")
        print(what, mode, sorted(counts)[-3:], lost)
        if not lost:
            newest = max((harness.read_reports(path) for path in harness.report_directories(place)), key=len)
            harness.check(newest[-1]["final"], f"{what}, {mode}: no final report")
            live, _ = harness.own_account(newest[-1], argv[0])
            if what == "ceaseless":  # 30 intervals pass meanwhile, 4 or 5 afterwards
                harness.check(len(newest) >= 15, f"{mode}: {len(newest)} reports")
            harness.check(mode != "exact" or live == 600000, f"{what}: {live} bytes live in 200 blocks of 3000")
            harness.check(newest[-1]["sequence"] >= len(newest), f"{what}, {mode}: reports are counted anew")


def programs(rig):
    tried = 0
    for number, argv in enumerate(PROGRAMS):
        path = shutil.which(argv[0]) or shutil.which(argv[0], path="/usr/sbin:/sbin")
        if path is None:
            continue
        bare = rig.run([path, *argv[1:]], "bare")
        if bare.status != 0:
            print(f"not possible here: {argv[0]}: {bare.stderr!r}")
            continue
        tried += 1
        for mode in ("default", "exact"):
            place = place_for_all(rig, f"{number}.{mode}")
            run = rig.run([path, *argv[1:]], mode,
                          {"HEAPGAUGE_OUTPUT": f"{place}/out.%e.%p", "HEAPGAUGE_REPORT_INTERVAL": "100ms"})
            run.said = []  # who has given its rights up may not write to its old directory
            harness.same_behaviour(bare, run)
    harness.check(tried >= 5, f"only {tried} programs could be tried")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    if options.what in NEEDS_ROOT and os.geteuid() != 0:
        harness.skip("needs root")
    with harness.Rig(options, timeout=100, settings=harness.NAMES_ONLY) as rig:
        if options.what == "programs":
            programs(rig)
        else:
            victim(rig, options.what)


harness.main(body)
