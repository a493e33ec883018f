"""heapgauge has something to say, and standard error is a pipe that nobody reads, one that is full, or closed: the host
is neither ended by SIGPIPE nor stopped, and nothing is written where it does not belong."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        victim = rig.victim("reporting")
        blocked = os.path.join(rig.directory(), "file")
        with open(blocked, "w", encoding="ascii"):
            pass
        # A line at the start and one from the report thread.
        env = {"HEAPGAUGE_UNWIND": "wrong", "HEAPGAUGE_OUTPUT": f"{blocked}/reports", "TMPDIR": blocked}

        def tried(what, stderr, **popen):
            for mode in ("bare", "exact"):
                result = rig.run([victim, "plain"], mode, env if mode != "bare" else None, stderr=stderr, **popen)
                harness.check(result.status == 0, f"{what}, {mode}: exit status {result.status}")

        read_end, write_end = os.pipe()
        os.close(read_end)
        tried("nobody reads", write_end)
        os.close(write_end)

        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, bytes(4096))
        except BlockingIOError:
            os.set_blocking(write_end, True)
        tried("full", write_end)
        os.close(write_end)
        os.close(read_end)

        tried("closed", subprocess.DEVNULL, preexec_fn=lambda: os.close(2))
        # The report thread has a table of descriptors of its own, and still says its line on the host's stderr.
        result = rig.run([victim, "plain"], "exact", env)
        harness.said_as_expected(result, ["HEAPGAUGE_UNWIND", "is lost"])


harness.main(body)
