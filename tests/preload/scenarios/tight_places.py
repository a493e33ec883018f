"""Limits and surroundings that are there before the program starts.

--what ulimits:         each of the shell's limits, so tight that the bare program just runs.
--what user_namespace:  as nobody in a user namespace without a mapping, and as its root.
--what read_only_root:  every file system is read-only; then with a $TMPDIR that is not.
--what nobody:          as a user without rights and without room for one more process.
--what clock_jump:      the wall clock jumps by thirty days and back; a machine that has run for thirty days.
"""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

# Of the victim's stack, in KiB; its descriptors; address space and data, KiB; size of files and of locked memory.  What
# is too little even for the bare program is not asked.
ULIMITS = ("-s 64", "-s 128", "-s unlimited", "-n 3", "-n 4", "-n 6", "-v 10000", "-v 30000", "-v 60000", "-v 100000", "-v 300000",
           "-d 5000", "-f 0", "-l 0", "-t 60", "-s 64 -n 4 -v 60000")
NOBODY = 65534


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        globals()[options.what](rig)


def shell(before, *argv):
    return ["/bin/sh", "-c", before + ' && exec "$@"', "sh", *argv]


def unharmed(bare, run):
    """It may say what it can't do, in a line or two; nothing else is different."""
    harness.check(len(run.said) <= 3, f"{run.mode}: it says {run.said}")
    run.said = []
    harness.same_behaviour(bare, run)


def ulimits(rig):
    reported = 0
    for victim, arguments in (("reporting", ["plain"]), ("thread_storm", [])):
        path = os.path.realpath(rig.victim(victim))
        for limit in ULIMITS:
            words = limit.split()
            if victim == "thread_storm" and ("-v" in words or "-d" in words):
                continue  # fits by itself or not, as its threads happen to follow each other
            before = " && ".join(f"ulimit {words[i]} {words[i + 1]}" for i in range(0, len(words), 2))
            argv = shell(before, path, *arguments)
            bare = rig.run(argv, "bare")
            if bare.status != 0:
                continue
            for mode in ("4KiB", "exact"):
                run = rig.run(argv, mode, {"HEAPGAUGE_ONLY": victim, "VICTIM_UNCHECKED": "yes"})
                print(victim, limit, mode, run.said)
                reports = harness.last_reports(run.directory)
                # Where no file may have a byte, its stderr may not either.
                harness.check(reports or run.said or limit == "-f 0", f"{limit}: neither report nor word")
                unharmed(bare, run)
                reported += bool(reports)
    harness.check(reported > 20, f"only {reported} runs under a limit left a report")


def user_namespace(rig):
    victim = os.path.realpath(rig.victim("exits"))
    tried = 0
    for flags in (["-U"], ["-U", "-r"]):
        argv = ["/usr/bin/unshare", *flags, "--", victim, "return"]
        bare = rig.run(argv, "bare")
        if bare.status != 10:
            continue
        tried += 1
        for mode in harness.INTERVALS:
            run = rig.run(argv, mode, {"HEAPGAUGE_ONLY": "exits"})
            harness.same_behaviour(bare, run)
            harness.check(harness.final_account_is_true(run, victim) == 1, f"{mode}: no truth told")
            harness.check(harness.last_reports(run.directory) or mode == "default", f"{flags}, {mode}: no report")
    if tried == 0:
        harness.skip("no user namespace may be made here")


def read_only_root(rig):
    if os.geteuid() != 0:
        harness.skip("needs root to mount")
    victim = os.path.realpath(rig.victim("reporting"))
    place = os.path.join(rig.top, "writable")
    os.mkdir(place)
    read_only = "mount --make-rprivate / && mount -o bind,remount,ro /"
    if os.path.ismount("/tmp"):
        read_only += " && mount -o bind,remount,ro /tmp"
    for writable in (False, True):
        mounts = f"mount -t tmpfs none {place} && {read_only}" if writable else read_only
        argv = ["/usr/bin/unshare", "--mount", "--", *shell(mounts, victim, "plain")]
        bare = rig.run(argv, "bare")
        if bare.status != 0:
            harness.skip(f"can't remount: {bare.stderr!r}")
        run = rig.run(argv, "exact", {"HEAPGAUGE_ONLY": "reporting", "TMPDIR": place if writable else None,
                                      "HEAPGAUGE_OUTPUT": "/var/lib/heapgauge/out.%p"})
        lines = [f"reports go to {place}/out."] if writable else ["this report is lost"]
        harness.same_behaviour(bare, run, lines)


def nobody(rig):
    if os.geteuid() != 0:
        harness.skip("needs root to become somebody else")
    # Where it may read and write: neither the build nor our temporary directory may be open to it.
    os.chmod(rig.top, 0o755)
    place = os.path.join(rig.top, "nobody")
    os.mkdir(place)
    for name in ("libheapgauge.so", "libheapgauge-core.so"):
        shutil.copy(os.path.realpath(os.path.join(rig.lib, name)), os.path.join(place, name))
    victim = os.path.join(place, "exits")
    shutil.copy(rig.victim("exits"), victim)
    os.chown(place, NOBODY, NOBODY)
    for crowded in (False, True):
        argv = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--",
                *(["/usr/bin/prlimit", "--nproc=1", "--"] if crowded else []), victim, "return"]
        library = os.path.join(place, "libheapgauge.so")
        for mode in ("4KiB", "exact"):
            env = {"HEAPGAUGE_ONLY": "exits", "HEAPGAUGE_OUTPUT": os.path.join(place, f"{mode}.%p"),
                   "VICTIM_TRUTH": os.path.join(place, "truth")}
            bare = rig.run(argv, "bare", env)
            harness.check(bare.status == 10, f"bare: {bare.status} {bare.stderr!r}")
            run = rig.run(argv, mode, env, library=library)
            if not crowded:
                harness.same_behaviour(bare, run)
            else:
                unharmed(bare, run)
        reports = harness.last_reports(place)
        harness.check(crowded or len(reports) == 2, f"{len(reports)} reports")
        for path in harness.report_directories(place):
            harness.check(os.stat(path).st_uid == NOBODY and os.stat(path).st_mode & 0o777 == 0o700, path)


def clock_jump(rig):
    victim = os.path.realpath(rig.victim("grows_slowly"))
    settings = {"HEAPGAUGE_REPORT_INTERVAL": "100ms"}
    bare = rig.run([victim], "bare")
    preload = rig.preload("exact") + ":" + rig.victim("libclock_jumps.so")
    run = rig.run([victim], "exact", dict(settings, LD_PRELOAD=preload, CLOCK_JUMPS="0.5:30 1:0"))
    if run.status == harness.SKIP:
        harness.skip("the clock can't be made to jump here")
    harness.same_behaviour(bare, run)
    calm_reports(run, victim)
    months = {report["time"][:7] for path in harness.report_directories(run.directory)
              for report in harness.read_reports(path)}
    harness.check(len(months) == 2, f"the clock did not jump: {months}")
    argv = ["/usr/bin/unshare", "--time", "--monotonic", "2592000", "--fork", "--", victim]
    if os.geteuid() == 0 and rig.run(argv, "bare").status == 0:
        run = rig.run(argv, "exact", dict(settings, HEAPGAUGE_ONLY="grows_slowly"))
        harness.same_behaviour(bare, run)
        calm_reports(run, victim)


def calm_reports(run, victim):
    """Nothing in them is counted in days."""
    harness.check(harness.final_account_is_true(run, victim) == 1, "no truth told")
    (path,) = harness.report_directories(run.directory)
    reports = harness.read_reports(path)
    harness.check(10 <= len(reports) <= 30, f"{len(reports)} reports in a second and a half")
    uptimes = [report["uptime_s"] for report in reports]
    harness.check(uptimes == sorted(uptimes) and uptimes[-1] < 60, f"uptimes {uptimes}")
    for report in reports:
        ages = [site["age_max_s"] for site in report["sites"]]
        harness.check(all(0 <= age < 60 for age in ages), f"ages {ages}")
        growth = report["totals"]["growth_bytes_per_s"]
        harness.check(-1e7 < growth < 1e7, f"growth {growth}")


harness.main(body)
