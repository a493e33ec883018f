"""A signal that ends the program goes on only after a report has been asked for: the program has no handler that could make
one.  The report interval is an hour, so that a report is one that was asked for."""
import json
import os
import signal
import sys

from support import PYTHON, CommandTest, main, wait_for

VICTIM = os.path.abspath(sys.argv.pop(1))
MIB = 1 << 20
# Catches what it can, says what it has found, and restores it.
RESTORES = """
import signal, sys
kept = bytearray(64 << 20)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    old = signal.signal(number, lambda *_: None)
    signal.signal(number, old)
print("restored")
"""


def pending(pid):
    """The signals that were sent to the process and that it has not taken."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith("ShdPnd"))
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


class Asks(CommandTest):
    def begin(self, *command, ready=None, interval="3600s"):
        """`heapgauge run` and the pids that the program said, its own first."""
        ready = ready or self.here / "ready"
        process = self.start("run", "--sample-interval", 1, "--report-interval", interval, "--", *command)
        wait_for(lambda: ready.exists() and ready.read_text(), "the program to start")
        return process, [int(pid) for pid in ready.read_text().split()]

    def reports(self, where="*"):
        found = {}
        for path in sorted(self.here.glob(f"heapgauge.*/{where}reports.jsonl")):
            for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
                report = json.loads(line)
                found.setdefault(report["pid"], []).append(report)
        return found

    def holds(self, report, mebibytes):
        self.assertAlmostEqual(report["totals"]["live_bytes"] / MIB, mebibytes, delta=1)

    def test_a_program_without_a_handler(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            ready = self.here / f"ready{number}"
            process, (pid,) = self.begin(VICTIM, "plain", ready, ready=ready)
            process.send_signal(number)
            self.assertEqual(process.wait(), -number)
            (report,) = self.reports("")[pid]
            self.assertTrue(report["final"])
            self.holds(report, 64)
            self.assertIn(f"{pid}/report.txt", process.stderr.read())

    def test_a_program_that_leaves_from_its_handler(self):
        process, (pid,) = self.begin(VICTIM, "exits", "ready")
        process.terminate()
        self.assertEqual(process.wait(), 7)
        (report,) = self.reports("")[pid]
        self.holds(report, 64)

    def test_a_program_that_goes_on_reports_at_its_end(self):
        process, (pid,) = self.begin(VICTIM, "goes_on", "ready")
        process.terminate()
        wait_for(lambda: "again" in (self.here / "ready").read_text(), "the program's handler")
        (report,) = self.reports("")[pid]
        self.assertFalse(report["final"])
        self.holds(report, 64)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(), 3)
        reports = self.reports("")[pid]
        self.assertEqual([report["final"] for report in reports], [False, True])
        self.holds(reports[1], 128)

    def test_what_the_command_turns_into(self):
        script = self.here / "starts"
        script.write_text(f'#!/bin/sh\nexec "{VICTIM}" plain ready\n')
        script.chmod(0o755)
        process, (pid,) = self.begin("env", "A=1", script)
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertEqual([report["final"] for report in self.reports("")[pid]], [True])

    def test_a_tree_of_processes(self):
        # A child has its report thread when half an interval is over.
        process, pids = self.begin(VICTIM, "children", "ready", 3, interval="6s")
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        own, below = self.reports(""), self.reports("*/")
        self.assertTrue(own[pids[0]][-1]["final"])
        self.assertEqual(sorted(below), sorted(pids[1:]))
        for pid in pids[1:]:
            self.assertTrue(below[pid][-1]["final"])
            self.holds(below[pid][-1], 128)  # half of it is its parent's

    def test_a_stopped_program_has_its_signal_all_the_same(self):
        process, (pid,) = self.begin(VICTIM, "plain", "ready")
        os.kill(pid, signal.SIGSTOP)
        process.terminate()
        wait_for(lambda: signal.SIGTERM in pending(pid), "the signal to pass")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_a_second_signal_does_not_wait(self):
        process, (pid,) = self.begin(VICTIM, "plain", "ready")
        os.kill(pid, signal.SIGSTOP)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1):
            process.send_signal(number)
            wait_for(lambda n=number: n not in pending(process.pid), "run to take the signal")
        wait_for(lambda: signal.SIGUSR1 in pending(pid), "the signal that nobody waits with")
        self.assertIn(signal.SIGTERM, pending(pid))

    def test_signals_that_end_nobody_do_not_wait(self):
        process, (pid,) = self.begin(VICTIM, "goes_on", "ready")
        for _ in range(3):
            process.send_signal(signal.SIGWINCH)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(), 3)
        self.assertEqual([report["final"] for report in self.reports("")[pid]], [True])

    def test_a_program_that_allocates_nothing(self):
        process = self.start("run", "sleep", "60")
        wait_for(self.directories, "the program to start")
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.assertEqual(self.directories(), [])

    def test_the_program_finds_its_own_actions(self):
        for _ in range(5):
            result = self.heapgauge("run", PYTHON, "-c", RESTORES)
            self.assertEqual((result.returncode, result.stdout), (0, "restored\n"), result.stderr)

    def test_the_program_finds_nothing_of_it(self):
        look = "import os; print(sorted(os.listdir('/proc/self/fd')), sorted(n for n in os.environ if 'HEAPG' in n))"
        result = self.heapgauge("run", PYTHON, "-c", look)
        self.assertEqual(result.stdout, "['0', '1', '2', '3'] ['HEAPGAUGE_OUTPUT']\n")


main()
