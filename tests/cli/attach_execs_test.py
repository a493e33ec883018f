"""`heapgauge attach` to a process in the midst of exec(), or near its end: whatever was seen of it, it lives on, and the
command's one line says what is so."""
import os
import signal
import subprocess
import sys
import threading

from support import CommandTest, clean_environment, main

VICTIM = os.path.realpath(sys.argv.pop(1))
# What is true of such a process; never what its half-made image looked like.
TRUE = ("tracking ", "it became another program meanwhile", "it has ended", "it ended meanwhile", "no such process",
        "did not return in time", "none of its threads was seen",
        "tables of its C library can't be read", "its C library's code can't be read", "loader can't be found", "tables of its loader can't be read")
FALSE = ("glibc", "none that is known", "statically linked", "musl", "of its own linked in", "not permitted", "the kernel's")


class Execs(CommandTest):
    def victim(self, milliseconds, count):
        process = subprocess.Popen([VICTIM, str(milliseconds), str(count)], cwd=self.here, stdout=subprocess.PIPE,
                                   env=clean_environment(), text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        process.stdout.readline()
        return process

    def attach(self, process):
        result = self.heapgauge("attach", process.pid)
        self.assertIn(result.returncode, (0, 2), result.stderr)
        line = self.one_line(result)
        for text in FALSE:
            self.assertNotIn(text, line)
        self.assertTrue(any(text in line for text in TRUE), line)
        return line

    def lives(self, process):
        """It still becomes itself, and never anything else."""
        self.assertIsNone(process.poll())
        self.assertTrue(process.stdout.readline())

    def test_one_that_execs_every_30_ms(self):
        process = self.victim(30, 1_000_000)
        lines = [self.attach(process) for _ in range(10)]
        self.assertNotIn("ended", " ".join(lines))
        self.lives(process)

    def test_one_that_does_hardly_anything_else(self):
        process = self.victim(1, 10_000_000)
        for _ in range(10):
            self.attach(process)
        self.lives(process)

    def test_one_that_ends_meanwhile(self):
        """At all sorts of moments, by itself and killed."""
        for count in (1, 2, 3, 5, 8, 13, 21, 34):
            process = self.victim(3, count)
            self.attach(process)
            self.assertEqual(process.wait(60), 17)
            process = self.victim(3, 1_000_000)
            killer = threading.Timer(count / 200, process.send_signal, (signal.SIGKILL,))
            killer.start()
            self.attach(process)
            killer.join()
            self.assertEqual(process.wait(60), -signal.SIGKILL)


main()
