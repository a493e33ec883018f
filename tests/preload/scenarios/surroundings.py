"""Little to stand on.

--what no_proc:         nothing is mounted at /proc (a chroot, an early boot).
--what no_environment:  no HOME, no PATH, no TMPDIR, no locale.
--what no_directory:    the working directory was removed.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

VICTIMS = (("exits", ["return"], 10, 1), ("first_leaves", ["alone"], 0, 1), ("first_leaves", ["forked"], 0, 2),
           ("fork_single", [], 0, 10), ("thread_storm", [], 0, 1))


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options) as rig:
        globals()[options.what](rig)


def everywhere(rig, before, env=None):
    """Each victim, as it is bare, its account right; `before`: shell commands in front of it."""
    for name, arguments, status, truths in VICTIMS:
        victim = os.path.realpath(rig.victim(name))
        # The victim alone is tracked, not the shell.
        settings = {"HEAPGAUGE_ONLY": name, **(env or {})}
        shell = ["/bin/sh", "-c", before + ' && exec "$@"', "sh"]
        argv = ["/usr/bin/unshare", "--mount", "--", *shell, victim, *arguments]
        bare = rig.run(argv, "bare", env)
        if bare.status != status and b"unshare" in bare.stderr + bare.stdout:
            harness.skip(f"can't unshare: {bare.stderr!r}")
        harness.check(bare.status == status, f"{name} bare: {bare.status} {bare.stderr!r}")
        for mode in harness.INTERVALS:
            run = rig.run(argv, mode, settings)
            harness.same_behaviour(bare, run)
            told = harness.final_account_is_true(run, victim)
            harness.check(told == truths, f"{name}, {mode}: {told} processes told their truth, not {truths}")


def no_proc(rig):
    if os.geteuid() != 0:
        harness.skip("needs root to mount")
    everywhere(rig, "mount -t tmpfs none /proc")


def no_environment(rig):
    kept = ("VICTIM_TRUTH",)
    everywhere(rig, "true", {name: None for name in [*os.environ, "TMPDIR"] if name not in kept})


def no_directory(rig):
    """A relative HEAPGAUGE_OUTPUT has nowhere to go: $TMPDIR, with a line."""
    victim = os.path.realpath(rig.victim("reporting"))
    argv = ["/bin/sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh", victim, "plain"]
    bare = rig.run(argv, "bare")
    for mode in harness.INTERVALS:
        run = rig.run(argv, mode, {"HEAPGAUGE_ONLY": "reporting", "HEAPGAUGE_OUTPUT": "reports"})
        harness.same_behaviour(bare, run, ["reports go to"] if run.said else [])
        harness.check(mode != "exact" or run.said, "it did not say where the reports went")
        if run.said:
            reports = harness.read_reports(os.path.join(run.directory, "reports"))
            # Where nothing was sampled there are only those that it asked for.
            harness.check(len(reports) == 3 or mode == "default", f"{mode}: {len(reports)} reports in the fallback")


harness.main(body)
