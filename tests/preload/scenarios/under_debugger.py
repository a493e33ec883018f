"""gdb runs the host, or comes and goes while it runs: same exit status, same output, account right."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__)
    gdb = shutil.which("gdb")
    if gdb is None:
        harness.skip("gdb is not installed")
    with harness.Rig(options) as rig:
        victim = os.path.realpath(rig.victim("tls_destructors"))
        for mode in harness.INTERVALS:
            directory = rig.directory()
            env = rig.environment(mode, directory)
            settings = []
            for name in ("LD_PRELOAD", "HEAPGAUGE_OUTPUT", "HEAPGAUGE_SAMPLE_INTERVAL", "VICTIM_TRUTH"):
                if name in env:
                    settings += ["-ex", f"set environment {name} {env[name]}"]
            # The victim alone is tracked, not gdb.
            result = rig.run([gdb, "-nx", "-batch", "-return-child-result", *settings, "-ex", "run", victim], "bare",
                             {"VICTIM_TRUTH": env["VICTIM_TRUTH"]}, directory)
            harness.check(result.status == 0, f"{mode} under gdb: {result.status} {result.stderr!r}")
            harness.check(b"destructor rounds" in result.stdout, f"{mode} under gdb: no output")
            result.mode = mode
            harness.check(harness.final_account_is_true(result, victim) == 1, f"{mode} under gdb: no account")

        victim = rig.victim("profiling_signals")

        def come_and_go(process):
            for _ in range(3):
                if process.poll() is None:
                    subprocess.run([gdb, "-nx", "-batch", "-p", str(process.pid), "-ex", "thread apply all bt 3"],
                                   check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

        bare = rig.run([victim], "bare")
        harness.same_behaviour(bare, rig.run([victim], "exact", during=come_and_go))


harness.main(body)
