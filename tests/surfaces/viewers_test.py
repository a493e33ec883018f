"""What other people's viewers make of our formats: speedscope in a browser, Firefox's profiler from its own command.

usage: viewers_test.py COMMAND LIBRARY VIEWERS [unittest options]
"""
import functools
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading

LIBRARY = os.path.abspath(sys.argv.pop(2))
VIEWERS = sys.argv.pop(2)
import served
import viewers
from browser import Browser
from served import wait_for

MODULES = viewers.installed(VIEWERS)
UNITS = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def figure(text):
    """"75.0MB", "64.2 MB": bytes."""
    number, unit = re.search(r"([\d.,]+)\s*([KMG]?i?B)", text).groups()
    return float(number.replace(",", "")) * UNITS[unit]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *ignored):
        pass


class Viewers(served.ServedTest):
    lib = LIBRARY

    def setUp(self):
        super().setUp()
        if not MODULES:
            self.skipTest("the viewers are not installed")
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) >= 4, "four reports")
        process.kill()  # at its end Python frees what it has
        process.wait()
        self.report = self.reports()[-1]
        self.live = sum(site["live_bytes"] for site in self.report["sites"])

    def write(self, form, name):
        done = self.heapgauge("report", "out", "--format", form, "-o", name)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.here / name

    def call(self, *arguments):
        """The profiler's own command, in a home of its own."""
        return subprocess.run(["node", MODULES / "@firefox-devtools/profiler-cli/dist/profiler-cli.js", *arguments],
                              capture_output=True, text=True, timeout=120, cwd=self.here,
                              env=served.clean_environment(HOME=str(self.here / "home")))

    def firefox(self, *arguments):
        done = self.call(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def load(self, file):
        """Has the profiler's daemon read a file.  It must be up within half a second, which a busy machine does not give."""
        (self.here / "home").mkdir()
        for _ in range(20):
            done = self.call("load", str(file))
            late = re.search(r"may still be running as pid (\d+)", done.stderr + done.stdout)
            if not late:
                break
            os.kill(int(late[1]), signal.SIGKILL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.addCleanup(self.call, "stop", "--all")

    def self_bytes(self, text):
        sums = {}
        for match in re.finditer(r"^  f-\d+\. (.*?) - self: ([\d.,]+\s*[KMG]?B)", text, flags=re.M):
            sums[match[1]] = sums.get(match[1], 0) + figure(match[2])
        return sums

    def test_firefox(self):
        self.load(self.write("firefox", "heap.json"))
        self.firefox("strategy", "native-retained-allocations")
        functions = self.self_bytes(self.firefox("thread", "functions", "--limit", "0"))
        self.assertAlmostEqual(sum(functions.values()), self.live, delta=0.02 * self.live)
        first = max(self.report["sites"], key=lambda site: site["live_bytes"])
        self.assertIn(max(functions, key=functions.get), first["frames"][0]["function"])
        self.assertIn("native-deallocations-memory", self.firefox("strategy", "native-deallocations-memory"))
        self.assertIn(f"{len(self.reports())} samples", self.firefox("counter", "list"))

    def test_dhat(self):
        self.load(self.write("dhat", "heap.json"))
        self.firefox("strategy", "native-allocations")
        allocated = sum(site["allocated_bytes"] for site in self.report["sites"])
        functions = self.self_bytes(self.firefox("thread", "functions", "--limit", "0"))
        self.assertAlmostEqual(sum(functions.values()), allocated, delta=0.02 * allocated)

    def test_speedscope(self):
        self.write("speedscope", "heap.json")
        (self.here / "app").symlink_to(MODULES / "speedscope/dist/release")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.here))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        base = f"http://127.0.0.1:{server.server_port}"
        browser = Browser()
        self.addCleanup(browser.close)
        browser.open(f"{base}/app/index.html#profileURL={base}/heap.json&view=sandwich")
        text = "return document.body.innerText"
        browser.wait("return document.body.innerText.includes('Self')", "speedscope's table")
        self.assertIn("live bytes", browser.run(text))
        rows = browser.run("return [...document.querySelectorAll('tr')].map(row => row.innerText)")
        first = max(self.report["sites"], key=lambda site: site["live_bytes"])
        name = first["frames"][0]["function"]
        self.assertTrue(any(name in row for row in rows), (name, rows[:5]))
        self.assertEqual([entry for entry in browser.log() if entry["level"] == "SEVERE"], [])
        weights = json.loads((self.here / "heap.json").read_text(encoding="utf-8"))["profiles"][0]["weights"]
        self.assertAlmostEqual(sum(weights), self.live, delta=len(weights))


served.main()
