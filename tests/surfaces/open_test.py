"""`heapgauge report --open`: the file goes once, to the viewer that was named, and to nobody else.

usage: open_test.py COMMAND LIBRARY [unittest options]
"""
import gzip
import json
import os
import stat
import sys
import urllib.error
import urllib.parse
import urllib.request

LIBRARY = os.path.abspath(sys.argv.pop(2))
import served
from served import ask, clean_environment, wait_for


class Open(served.ServedTest):
    lib = LIBRARY

    def setUp(self):
        super().setUp()
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) >= 2, "two reports")
        process.kill()
        process.wait()
        # A browser that writes down what it was asked to open.
        self.browser = self.here / "browser"
        self.browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {self.here}/asked.new\nmv {self.here}/asked.new {self.here}/asked\n', encoding="utf-8")
        self.browser.chmod(self.browser.stat().st_mode | stat.S_IXUSR)

    def opened(self, *arguments):
        """The command, and the address that its browser was given."""
        command = self.start("report", "out", *arguments, env=clean_environment(BROWSER=str(self.browser)))
        asked = self.here / "asked"
        return command, wait_for(lambda: asked.exists() and asked.read_text(encoding="utf-8"), "the browser")

    def end(self, command):
        self.assertEqual(command.wait(timeout=60), 0, command.stderr.read())

    def test_page(self):
        command, url = self.opened("--open")
        self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/[0-9a-f]{32}/report\.html$")
        self.assertEqual(ask(url.rsplit("/", 2)[0] + "/report.html").status, 404)
        self.assertEqual(ask(url, Host="evil.example").status, 403)
        got = ask(url)
        self.assertEqual((got.status, got.headers.get_content_type()), (200, "text/html"))
        self.assertIn("heapgauge", got.text)
        self.assertIsNone(got.headers["Access-Control-Allow-Origin"])
        self.end(command)
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)

    def viewer(self, name, before, origin, read):
        command, url = self.opened("--open", name)
        self.assertTrue(url.startswith(before), url)
        file = urllib.parse.unquote(url[len(before):])
        self.assertRegex(file, r"^http://127\.0\.0\.1:\d+/[0-9a-f]{32}/")
        preflight = ask(file, method="OPTIONS", Origin=origin, Access_Control_Request_Private_Network="true")
        self.assertEqual(preflight.headers["Access-Control-Allow-Private-Network"], "true")
        got = ask(file, Origin=origin)
        self.assertEqual(got.headers["Access-Control-Allow-Origin"], origin)
        read(got.body)
        self.end(command)

    def test_speedscope(self):
        self.viewer("speedscope", "https://www.speedscope.app/#profileURL=", "https://www.speedscope.app",
                    lambda body: self.assertEqual(len(json.loads(body)["profiles"]), 3))

    def test_firefox(self):
        self.viewer("firefox", "https://profiler.firefox.com/from-url/", "https://profiler.firefox.com",
                    lambda body: self.assertEqual(json.loads(body)["meta"]["importedFrom"], "heapgauge"))

    def test_perfetto(self):
        self.viewer("perfetto", "https://ui.perfetto.dev/#!/?url=", "https://ui.perfetto.dev",
                    lambda body: self.assertGreater(len(gzip.decompress(body)), 100))

    def test_serve(self):
        server = self.start("serve", "out", "--open", env=clean_environment(BROWSER=str(self.browser)))
        asked = self.here / "asked"
        url = wait_for(lambda: asked.exists() and asked.read_text(encoding="utf-8"), "the browser")
        self.assertEqual(server.stdout.readline().strip(), url)
        self.assertIn("What is growing", ask(url).text)
        server.terminate()
        self.assertEqual(server.wait(timeout=60), 0)

    def test_wrong(self):
        for arguments, words in ((("--open", "konqueror"), "--open konqueror: not browser"), (("--open", "firefox", "-f", "dhat"), "reads firefox"),
                                 (("--open", "browser", "-o", "x"), "one of them alone")):
            done = self.heapgauge("report", "out", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, self.one_line(done))

    def test_without_browser(self):
        command = self.start("report", "--open", "out", env=clean_environment(BROWSER="", DISPLAY="", WAYLAND_DISPLAY=""))
        line = command.stderr.readline()
        self.assertIn("open this in a browser", line)
        self.assertEqual(ask(line.split()[-1]).status, 200)
        self.end(command)


served.main()
