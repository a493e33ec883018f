"""Children of a process that is tracked: whose thread, whose report, whose account, as HEAPGAUGE_FOLLOW says; also after an
exec, and after the fork of a program that was exec'ed."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness

BYTES = 1500
PARENTS = 1000  # blocks


def marked(run, kind):
    return [int(name.partition(".")[2]) for name in os.listdir(run.directory) if name.startswith(kind + ".")]


def reports_of(run, pid):
    """Of one process; [] when it has no directory."""
    paths = [path for path in harness.report_directories(run.directory) if path.endswith(f".{pid}")]
    return harness.read_reports(paths[0]) if paths else []


def account(report, executable):
    sites = [site for site in report["sites"] if site["frames"] and site["frames"][0]["module"] == executable]
    return {key: sum(site[key] for site in sites) for key in
            ("live_objects", "allocated_objects", "freed_objects", "live_bytes", "allocated_bytes", "freed_bytes")}


def check_account(report, executable, live, allocated, who):
    found = account(report, executable)
    wanted = {"live_objects": live, "allocated_objects": allocated, "freed_objects": allocated - live}
    wanted.update({key.replace("objects", "bytes"): value * BYTES for key, value in wanted.items()})
    harness.check(found == wanted, f"{who}: {found}, not {wanted}")


def forks(rig, executable):
    bare = rig.run([executable], "bare")
    for follow in ("none", "fork", "exec"):
        run = rig.run([executable], "exact", {"HEAPGAUGE_FOLLOW": follow, "HEAPGAUGE_REPORT_INTERVAL": "100ms",
                                              **({"VICTIM_UNCHECKED": "yes"} if follow == "none" else {})})
        harness.same_behaviour(bare, run)
        quiet = marked(run, "quiet")
        harness.check(len(quiet) == 20, f"{len(quiet)} short children")
        for pid in quiet:
            harness.check(reports_of(run, pid) == [], f"{follow}: child {pid}, in which nothing was sampled, reports")
        parent = reports_of(run, marked(run, "parent")[0])
        # What the children do is not the parent's.
        check_account(parent[-1], executable, PARENTS, PARENTS, "parent")
        (pid,) = marked(run, "stays")
        child = reports_of(run, pid)
        if follow == "none":
            harness.check(child == [], "HEAPGAUGE_FOLLOW=none: a child reports")
            harness.check(len(harness.report_directories(run.directory)) == 1, "HEAPGAUGE_FOLLOW=none: more than one")
            continue
        harness.check(len(child) >= 3 and child[0]["sequence"] == 1 and child[-1]["final"] and not child[0]["final"],
                      f"the child's reports: {[report['sequence'] for report in child]}")
        harness.check({report["pid"] for report in child} == {pid}, "the child reports under another pid")
        # It begins with the parent's account: 1000; then 100 are freed, 50 come and go, 100 come.
        check_account(child[-1], executable, PARENTS, PARENTS + 150, "child")
        harness.final_account_is_true(run, executable)


def execs(rig, executable):
    """The child that stays replaces itself, and the new program forks."""
    for follow, replaced in (("none", False), ("fork", False), ("exec", True)):
        run = rig.run([executable, "x"], "exact", {"HEAPGAUGE_FOLLOW": follow, "VICTIM_UNCHECKED": "yes"})
        harness.check(run.status == 0 and run.said == [] and run.stderr == b"", f"{run.status} {run.stderr!r}")
        (pid,) = marked(run, "replaced")
        (grandchild,) = marked(run, "grandchild")
        harness.check(marked(run, "stays") == [pid], "it is another process")
        reports = reports_of(run, pid)
        # No report of the image before: it had no interval's end, and exec is no exit.
        harness.check(bool(reports) == replaced, f"HEAPGAUGE_FOLLOW={follow}: {len(reports)} reports after exec")
        harness.check(bool(reports_of(run, grandchild)) == replaced, f"HEAPGAUGE_FOLLOW={follow}: the fork after exec")
        if replaced:
            check_account(reports[-1], executable, PARENTS, PARENTS, "after exec")


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        executable = os.path.realpath(rig.victim("fork_account"))
        forks(rig, executable)
        execs(rig, executable)


harness.main(body)
