"""`heapgauge run`: signals, from kill and from a terminal, do what they would do without us in between."""
import os
import pty
import signal
import sys

from support import COMMAND, PYTHON, CommandTest, clean_environment, main, wait_for

# Counts a signal; says its name to a file when ready, and the count when it is told to end.
COUNTER = """
import os, signal, sys, time
counts = []
signal.signal(int(sys.argv[1]), lambda *_: counts.append(1))
open(sys.argv[2], "w").write(str(os.getpid()))
end = time.monotonic() + 60
while not counts and time.monotonic() < end: time.sleep(0.01)
time.sleep(0.5)
sys.exit(100 + len(counts))
"""


class Kill(CommandTest):
    def started(self, number):
        ready = self.here / f"ready{number}"
        process = self.start("run", "--", PYTHON, "-c", COUNTER, number, ready)
        wait_for(lambda: ready.exists() and ready.read_text(), "the program to start")
        return process, int(ready.read_text())

    def test_a_signal_sent_to_us_reaches_the_command_once(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
                       signal.SIGWINCH, signal.SIGRTMIN + 5):
            process, _ = self.started(int(number))
            process.send_signal(number)
            self.assertEqual(process.wait(), 101, f"signal {number}")

    def test_an_unhandled_signal_ends_both(self):
        process = self.start("run", "sleep", "60")
        wait_for(lambda: self.directories(), "the program to start")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_a_stop_and_a_continue_pass(self):
        process, pid = self.started(int(signal.SIGCONT))
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(), 101)

    def test_killing_us_kills_the_command(self):
        process, pid = self.started(int(signal.SIGUSR1))
        process.kill()
        process.wait()

        def gone():
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                    return ") Z " in stat.read()
            except FileNotFoundError:
                return True

        wait_for(gone, "the command to die with us")

    def test_ignored_signals_stay_ignored(self):
        result = self.heapgauge("run", "sh", "-c", "kill -HUP $$; echo alive",
                                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertEqual((result.returncode, result.stdout), (0, "alive\n"))


def job_in_terminal(arguments, cwd, on_stop):
    """Runs a job in the foreground of a new terminal as a shell would.  Returns (terminal, pid of the little shell)."""
    pid, terminal = pty.fork()
    if pid != 0:
        return terminal, pid
    try:
        os.chdir(cwd)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execve(arguments[0], arguments, clean_environment())
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
            with open(on_stop, "a", encoding="utf-8") as log:
                log.write("stopped\n")
            os.killpg(job, signal.SIGCONT)
    except BaseException:  # never back into the test runner
        os._exit(98)


class Terminal(CommandTest):
    def job(self, *arguments):
        terminal, shell = job_in_terminal([COMMAND, "run", "--", *map(str, arguments)], self.here, self.here / "stops")
        self.addCleanup(os.close, terminal)
        return terminal, shell

    def end_of(self, terminal, shell):
        """Reads the terminal until it hangs up, then the exit status."""
        try:
            while os.read(terminal, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(shell, 0)[1])

    def test_an_interrupt_from_the_terminal_is_not_doubled(self):
        ready = self.here / "ready"
        terminal, shell = self.job(PYTHON, "-c", COUNTER, int(signal.SIGINT), ready)
        wait_for(lambda: ready.exists() and ready.read_text(), "the program to start")
        os.write(terminal, b"\x03")
        self.assertEqual(self.end_of(terminal, shell), 101)

    def test_a_job_stops_and_goes_on(self):
        ready = self.here / "ready"
        terminal, shell = self.job(PYTHON, "-c", COUNTER, int(signal.SIGCONT), ready)
        wait_for(lambda: ready.exists() and ready.read_text(), "the program to start")
        os.write(terminal, b"\x1a")
        # The group's SIGCONT and, as we can't know of it, ours.
        self.assertIn(self.end_of(terminal, shell), (101, 102))
        self.assertEqual((self.here / "stops").read_text(), "stopped\n")

    def test_a_program_that_will_not_stop_keeps_running(self):
        ready = self.here / "ready"
        terminal, shell = self.job(PYTHON, "-c", COUNTER, int(signal.SIGTSTP), ready)
        wait_for(lambda: ready.exists() and ready.read_text(), "the program to start")
        os.write(terminal, b"\x1a")
        self.assertEqual(self.end_of(terminal, shell), 101)
        self.assertFalse((self.here / "stops").exists())


sys.stdout.flush()
main()
