"""What the tests of the built command share.  Each test file is run as: python3 FILE path/to/heapgauge [unittest options]"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

COMMAND = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "heapgauge"
PYTHON = sys.executable
TIMEOUT_S = 60


def clean_environment(**more):
    """The environment without anybody's heapgauge settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HEAPGAUGE_") and k not in ("LD_PRELOAD", "TMPDIR")}
    kept.update(more)
    return kept


def wait_for(condition, what, seconds=TIMEOUT_S):
    """Polls until `condition()` holds; what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"still waiting for {what} after {seconds} s")


class CommandTest(unittest.TestCase):
    """A test in a working directory of its own."""

    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="heapgauge_cli."))
        self.addCleanup(self.remove_or_keep)

    def remove_or_keep(self):
        """A test that failed keeps its directory and says where it is."""
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            print(f"kept: {self.here}", file=sys.stderr)
        else:
            shutil.rmtree(self.here, ignore_errors=True)

    def heapgauge(self, *arguments, env=None, command=COMMAND, **options):
        return subprocess.run([command, *map(str, arguments)], cwd=self.here, env=env or clean_environment(),
                              capture_output=True, text=True, timeout=TIMEOUT_S, **options)

    def start(self, *arguments, env=None, **options):
        process = subprocess.Popen([COMMAND, *map(str, arguments)], cwd=self.here, env=env or clean_environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def one_line(self, result):
        """The one line that a failing command says."""
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr.startswith("heapgauge: "), result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        return result.stderr[len("heapgauge: "):-1]

    def last_line(self, result):
        """Where the report is, or why there is none: the last line of a run."""
        lines = result.stderr.splitlines()
        self.assertTrue(lines and lines[-1].startswith("heapgauge: "), result.stderr)
        return lines[-1][len("heapgauge: "):]

    def directories(self):
        return sorted(p.name for p in self.here.iterdir() if p.name.startswith("heapgauge."))


def main():
    unittest.main(module="__main__", verbosity=2)
