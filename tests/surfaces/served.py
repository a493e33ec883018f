"""A process that is tracked and served, and how to ask."""
import json
import pathlib
import socket
import sys
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import COMMAND, CommandTest, PYTHON, clean_environment, main, wait_for  # noqa: F401  (re-exported)

import subprocess

# Grows by a block every ten milliseconds until its standard input ends.
GROWING = """
import select, sys
kept = []
while not select.select([sys.stdin], [], [], 0.01)[0]:
    kept.append(bytearray(20000))
"""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")


def ask(url, method="GET", timeout=60, body=None, **headers):
    request = urllib.request.Request(url, method=method, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as got:
            return Answer(got.status, got.headers, got.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers, refused.read())


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServedTest(CommandTest):
    """`self.lib`: libheapgauge.so."""

    lib = None

    def victim(self, output="out", program=GROWING, **variables):
        environment = clean_environment(LD_PRELOAD=self.lib, HEAPGAUGE_OUTPUT=str(self.here / output), PYTHONMALLOC="malloc",
                                        HEAPGAUGE_SAMPLE_INTERVAL="16KiB", HEAPGAUGE_REPORT_INTERVAL="300ms",
                                        HEAPGAUGE_FOLLOW="none", **variables)
        process = subprocess.Popen([PYTHON, "-S", "-c", program], cwd=self.here, env=environment, stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        return process

    def url(self, output="out"):
        """Where HEAPGAUGE_HTTP answers, once it does."""
        file = self.here / output / "http"
        return wait_for(lambda: file.exists() and file.read_text().strip(), f"{file}")

    def reports(self, output="out"):
        # At once: of a line that grows meanwhile the halves would be two.
        text = (self.here / output / "reports.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]
