"""A process in which nothing is sampled has no thread of ours and writes nothing; three hundred of them neither."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        bare = rig.run([rig.victim("idle")], "bare")
        harness.check(bare.stdout == b"1 thread\n", f"bare: {bare.stdout!r}")
        env = {"HEAPGAUGE_SAMPLE_INTERVAL": "1TiB"}
        run = rig.run([rig.victim("idle")], "default", env)
        harness.same_behaviour(bare, run)
        left = set(os.listdir(run.directory)) - {"stdout", "stderr"}
        harness.check(not left, f"written: {left}")
        run = rig.run(["/bin/sh", "-c", "i=0; while [ $i -lt 300 ]; do /bin/true || exit 1; i=$((i+1)); done"],
                      "default", env)
        harness.check(run.status == 0 and not run.said, f"{run.status} {run.said}")
        left = set(os.listdir(run.directory)) - {"stdout", "stderr"}
        harness.check(not left, f"written by short programs: {left}")


harness.main(body)
