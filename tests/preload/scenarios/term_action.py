"""A host that saves and restores its action for SIGTERM, in Python and many times; and what a SIGTERM leaves."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

RESTORES = """
import signal
kept = []
for _ in range(5):
    old = signal.signal(signal.SIGTERM, lambda *_: None)
    kept.append(bytearray(300000))
    signal.signal(signal.SIGTERM, old)
    assert old is signal.SIG_DFL, old
print("restored")
"""
# As a library does that leaves the action of others alone.
IGNORES = """
import os, signal
kept = [bytearray(300000) for _ in range(20)]
if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""
ENDS = """
import ctypes, os, signal
kept = [bytearray(300000) for _ in range(20)]
write = getattr(ctypes.CDLL(None), "heapgauge_write_report", None)
if write is not None:
    assert write() == 0
os.kill(os.getpid(), signal.SIGTERM)
"""


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        for text, said in ((RESTORES, b"restored\n"), (IGNORES, b"alive\n")):
            for turn in range(20):
                mode = ("default", "4KiB")[turn % 2]
                run = rig.run([sys.executable, "-c", text], mode)
                harness.check((run.status, run.stdout) == (0, said), f"{mode}, turn {turn}: {run.status} {run.stderr}")
        for setting, final in ((None, False), ("off", False), ("on", True)):
            run = rig.run([sys.executable, "-c", ENDS], "4KiB", {"HEAPGAUGE_TERM_REPORT": setting})
            harness.check(run.status == -signal.SIGTERM, f"TERM_REPORT={setting}: {run.status} {run.stderr}")
            finals = [report["final"] for report in harness.last_reports(run.directory).values()]
            harness.check(finals == [final], f"TERM_REPORT={setting}: final reports: {finals}")


harness.main(body)
