"""HEAPGAUGE_ONLY, HEAPGAUGE_FOLLOW and HEAPGAUGE_START: who is tracked, and what children inherit."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        only(rig)
        follow(rig)
        start(rig)


def names(run):
    """The programs that reported: out.<executable>.<pid>."""
    return sorted(os.path.basename(path).split(".")[1] for path in harness.report_directories(run.directory))


def only(rig):
    victim = os.path.realpath(rig.victim("realloc_zero"))
    bare = rig.run([victim], "bare")
    for glob, tracked in (("*", True), ("realloc_zero", True), ("realloc_*", True), ("re?lloc_z[a-f]ro", True),
                          ("", True), ("realloc", False), ("*.py", False), ("Realloc_zero", False)):
        run = rig.run([victim], "exact", {"HEAPGAUGE_ONLY": glob})
        harness.same_behaviour(bare, run)
        harness.check(names(run) == (["realloc_zero"] if tracked else []), f"HEAPGAUGE_ONLY={glob}: {names(run)}")
    # A program that is passed over hears nothing of wrong variables, and its children are still looked at.
    run = rig.run(["/bin/sh", "-c", f"{victim}; exit 7"], "exact",
                  {"HEAPGAUGE_ONLY": "realloc_zero", "HEAPGAUGE_UNWIND": "wrong"})
    harness.check(run.status == 7 and names(run) == ["realloc_zero"], f"through a shell: {run.status} {names(run)}")
    harness.said_as_expected(run, ["HEAPGAUGE_UNWIND"])
    aside = rig.run([rig.victim("stepped_aside")], "exact", {"HEAPGAUGE_ONLY": "others"})
    harness.check(aside.status == 0, f"the API of a program passed over: {aside.stderr!r}")


def follow(rig):
    """fork_single: a parent, three children, each with two generations below it."""
    victim = os.path.realpath(rig.victim("fork_single"))
    shell = ["/bin/sh", "-c", f"{rig.victim('realloc_zero')} && env > env.child"]
    bare = rig.run([victim], "bare")
    for setting, forked, executed in (("none", False, False), ("fork", True, False), ("exec", True, True)):
        run = rig.run([victim], "exact", {"HEAPGAUGE_FOLLOW": setting, "VICTIM_UNCHECKED": "yes"})
        harness.same_behaviour(bare, run)
        reports = len(harness.last_reports(run.directory))
        harness.check(reports == (10 if forked else 1), f"HEAPGAUGE_FOLLOW={setting}: {reports} processes reported")
        run = rig.run(shell, "exact", {"HEAPGAUGE_FOLLOW": setting})
        harness.check(run.status == 0 and not run.said, f"HEAPGAUGE_FOLLOW={setting}: {run.status} {run.said}")
        harness.check(("realloc_zero" in names(run)) == executed, f"HEAPGAUGE_FOLLOW={setting}: {names(run)}")
        with open(os.path.join(run.directory, "env.child"), encoding="utf-8") as file:
            inherited = file.read()
        harness.check(("libheapgauge.so" in inherited) == executed, f"HEAPGAUGE_FOLLOW={setting}: LD_PRELOAD of a child")
        harness.check(f"HEAPGAUGE_FOLLOW={setting}" in inherited, "other variables are left alone")
    # Somebody else's preloaded library stays.
    other = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
    if os.path.exists(other):
        run = rig.run(["/bin/sh", "-c", 'exec sh -c \'echo "[$LD_PRELOAD]"\''], "exact",
                      {"HEAPGAUGE_FOLLOW": "none", "LD_PRELOAD": rig.preload("exact") + ":" + other})
        harness.check(run.stdout == f"[{other}]\n".encode(), f"LD_PRELOAD became {run.stdout!r}")


def start(rig):
    """Loaded but idle: no thread, no files, until the program says so."""
    victim = rig.victim("idle")
    bare = rig.run([victim], "bare")
    run = rig.run([victim], "exact", {"HEAPGAUGE_START": "off"})
    harness.same_behaviour(bare, run)
    harness.check(not os.path.exists(os.path.join(run.directory, "out.idle")) and not names(run), "idle, but wrote")
    victim = os.path.realpath(rig.victim("api_steering"))
    bare = rig.run([victim], "bare")
    run = rig.run([victim], "exact", {"HEAPGAUGE_START": "off"})
    harness.same_behaviour(bare, run)


harness.main(body)
