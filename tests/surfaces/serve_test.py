"""What heapgauge-serve answers, to whom, and when it ends: HEAPGAUGE_HTTP and `heapgauge serve`.

usage: serve_test.py COMMAND LIBRARY [unittest options]
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

LIBRARY = os.path.abspath(sys.argv.pop(2))
import served
from served import ask, wait_for


class Serve(served.ServedTest):
    lib = LIBRARY

    def samples(self, text):
        return {match[1]: float(match[2]) for match in re.finditer(r"^([^# ].*) (\S+)$", text, flags=re.M)}

    def serve(self, *arguments):
        server = self.start("serve", *arguments)
        return server, server.stdout.readline().strip()

    def ends(self, process, what):
        wait_for(lambda: process.poll() is not None, what)

    def test_each_address(self):
        self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        url = self.url()
        wait_for(lambda: len(self.reports()) >= 3, "three reports")
        for path, kind, words in (("", "text/html", "python"), ("report", "text/plain", "Call sites"),
                                  ("healthz", "text/plain", "ok"), ("debug/pprof/", "text/html", "allocs")):
            got = ask(url + path)
            self.assertEqual((got.status, got.headers.get_content_type()), (200, kind), path)
            self.assertIn(words, got.text)
            self.assertEqual(got.headers["X-Content-Type-Options"], "nosniff")
        report = json.loads(ask(url + "report.json").text)
        self.assertEqual(report["schema"], "heapgauge.report/1")
        self.assertIn(report, self.reports())
        holders = json.loads(ask(url + "holders.json").text)
        self.assertEqual((holders["schema"], holders["pid"]), ("heapgauge.holders/1", report["pid"]))
        self.assertTrue(all(callsite["held"] for callsite in holders["callsites"]))
        history = json.loads(ask(url + "history.json").text)
        self.assertEqual([point["sequence"] for point in history["points"]], list(range(1, len(history["points"]) + 1)))
        for point in history["points"]:
            self.assertTrue({site["id"] for site in point["callsites"]} <= set(history["callsites"]))
        for profile in ("heap", "allocs"):
            got = ask(url + "debug/pprof/" + profile)
            self.assertTrue(got.body.startswith(b"\x1f\x8b"))
            self.assertEqual(got.headers["Content-Disposition"], f'attachment; filename="{profile}"')
        for path, status in (("debug/pprof/goroutine", 404), ("debug/pprof/profile?seconds=1", 404), ("nothing", 404),
                             ("../../etc/passwd", 404), ("%2e%2e/%2e%2e/etc/passwd", 404),
                             ("debug/pprof/heap?seconds=0", 400), ("debug/pprof/heap?seconds=x", 400),
                             ("debug/pprof/heap?seconds=999999999999", 400)):
            got = ask(url + path)
            self.assertEqual(got.status, status, path)
            self.assertEqual(got.text.count("\n"), 1)
        self.assertEqual(ask(url + "metrics", method="POST").status, 405)
        self.assertEqual(ask(url + "metrics", method="DELETE").status, 405)

    def test_commands(self):
        victim = self.victim(HEAPGAUGE_CONTROL="on")
        wait_for(lambda: (self.here / "out/reports.jsonl").exists(), "a report")
        server, url = self.serve(victim.pid)
        before = len(self.reports())
        got = ask(url + "snapshot", method="POST", body=b"")
        self.assertEqual(got.status, 200, got.text)
        number = int(re.fullmatch(r"report (\d+) is written\n", got.text)[1])
        self.assertGreater(number, before)
        self.assertIn(number, [report["sequence"] for report in self.reports()])
        self.assertEqual(ask(url + "snapshot", method="POST", body=b"", Origin="http://evil.example").status, 403)
        self.assertEqual(ask(url + "snapshot").status, 405)
        self.assertEqual(ask(url + "config", method="POST", body=b"LOG=info").status, 403)  # no token
        token = self.here / "token"
        token.write_text("a-token-of-ours\n")
        _, guarded = self.serve(victim.pid, "--token-file", token)
        bearer = {"Authorization": "Bearer a-token-of-ours"}
        self.assertEqual(ask(guarded + "config", method="POST", body=b"LOG=info").status, 401)
        for body in (b"sample_interval=64KiB\n", b'{"SAMPLE_INTERVAL": "32KiB"}'):
            got = ask(guarded + "config", method="POST", body=body, **bearer)
            self.assertEqual((got.status, got.text[:16]), (200, "SAMPLE_INTERVAL="), got.text)
        ask(guarded + "snapshot", method="POST", body=b"", **bearer)
        self.assertEqual(self.reports()[-1]["sampling"]["asked_interval_bytes"], 32768)
        for body in (b"", b"{", b"[1]", b'{"LOG": 1}', b"LOG", b"=info", b"LOG=loud", b"OUTPUT=x", b"NOTHING=1", b"LOG=a\tb\0c"):
            got = ask(guarded + "config", method="POST", body=body, **bearer)
            self.assertEqual((got.status, got.text.count("\n")), (400, 1), (body, got.text))
        _, still = self.serve("out")
        self.assertEqual(ask(still + "snapshot", method="POST", body=b"").status, 409)

    def test_metrics_are_the_report(self):
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) > 3, "reports")
        process.kill()  # no newer report may come between two answers
        process.wait()
        server, url = self.serve("out")
        report = json.loads(ask(url + "report.json").text)
        text = ask(url + "metrics").text
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        values = self.samples(text)
        self.assertLessEqual(len(values), 100)
        totals, process = report["totals"], report["process"]
        for name, value in (("heap_live_bytes", totals["live_bytes"]), ("heap_live_objects", totals["live_objects"]),
                            ("allocated_bytes_total", totals["allocated_bytes"]), ("freed_bytes_total", totals["freed_bytes"]),
                            ("process_resident_bytes", process["rss_bytes"]), ("samples_total", report["sampling"]["samples"]),
                            ("tracker_memory_bytes", report["sampling"]["memory_bytes"])):
            self.assertEqual(values["heapgauge_" + name], value, name)
        first = report["callsites"][0]
        labels = f'{{site="{first["id"]}",function="{first["function"]}"}}'
        self.assertEqual(values["heapgauge_site_live_bytes" + labels], first["live_bytes"])
        self.assertEqual(values["heapgauge_leak_suspected" + labels], first["verdict"] == "leak")
        self.assertEqual(len([name for name in values if name.startswith("heapgauge_site_live_bytes{")]),
                         min(20, len(report["callsites"])))
        server.send_signal(signal.SIGINT)
        self.ends(server, "the server after Ctrl-C")
        self.assertEqual(server.returncode, 0)

    def test_a_delta_is_what_changed(self):
        self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) > 1, "reports")
        _, url = self.serve("out")
        (self.here / "delta.pb.gz").write_bytes(ask(url + "debug/pprof/heap?seconds=2").body)
        shown = json.loads(self.heapgauge("report", "delta.pb.gz", "--format", "json").stdout)
        grown = shown["totals"]["live_bytes"]
        self.assertGreater(grown, 500_000)  # some two megabytes are taken a second, at best
        self.assertLess(grown, self.reports()[-1]["totals"]["live_bytes"])

    def test_go_reads_it_live(self):
        self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        url = self.url()
        environment = served.clean_environment(PPROF_TMPDIR=str(self.here), HOME=str(self.here))
        for profile, index in (("heap", "inuse_space"), ("allocs", "alloc_space")):
            top = subprocess.run(["go", "tool", "pprof", "-top", "-symbolize=none", url + "debug/pprof/" + profile], env=environment,
                                 cwd=self.here, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(top.returncode, 0, top.stderr)
            self.assertIn(f"Type: {index}", top.stdout)
            self.assertIn("File: python", top.stdout)

    def test_strangers_are_refused(self):
        self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        url = self.url()
        port = url.split(":")[2].strip("/")
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "[::2]", "", "localhost.", "128.0.0.1"):
            self.assertEqual(ask(url + "report", Host=host).status, 403, host)
        for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"[::1]:{port}", "127.9.9.9:1"):
            self.assertEqual(ask(url + "healthz", Host=host).status, 200, host)

    def test_a_token_is_asked_for(self):
        (self.here / "token").write_text("correct-horse\n")
        self.victim(HEAPGAUGE_HTTP="0.0.0.0:0", HEAPGAUGE_HTTP_TOKEN_FILE=str(self.here / "token"))
        url = self.url().replace("0.0.0.0", "127.0.0.1")
        for given in ("", "Bearer", "Bearer correct-hors", "Bearer correct-horsee", "bearer correct-horse", "Basic correct-horse"):
            refused = ask(url + "report", Authorization=given)
            self.assertEqual(refused.status, 401, given)
            self.assertEqual(refused.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(ask(url + "report", Authorization="Bearer correct-horse", Host="a.example").status, 200)

    def test_what_can_not_be_served_is_said_once(self):
        (self.here / "short").write_text("x\n")
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for number, (variables, words) in enumerate((
                ({"HEAPGAUGE_HTTP": "0.0.0.0:0"}, "needs a token file"), ({"HEAPGAUGE_HTTP": address}, "another program has it"),
                ({"HEAPGAUGE_HTTP": "0.0.0.0:0", "HEAPGAUGE_HTTP_TOKEN_FILE": str(self.here / "short")}, "has 1 bytes"),
                ({"HEAPGAUGE_HTTP": "127.0.0.1:0", "HEAPGAUGE_HTTP_TOKEN_FILE": str(self.here / "none")}, "can't be read"))):
            with self.subTest(variables):
                process = self.victim(f"out{number}", **variables)
                said = process.stderr.readline()
                self.assertIn("HEAPGAUGE_HTTP: ", said)
                self.assertIn(words, said)
                count = len(self.reports(f"out{number}"))
                wait_for(lambda: len(self.reports(f"out{number}")) > count + 2, "further reports")
                process.stdin.close()
                self.assertEqual(process.wait(60), 0)
                # On a busy machine it lives long enough to be called a leak.
                self.assertEqual([line for line in process.stderr if " leaks at " not in line], [])

    def test_it_ends_with_its_process(self):
        for end in (signal.SIGTERM, signal.SIGKILL, None):
            process = self.victim(f"out{end}", HEAPGAUGE_HTTP="127.0.0.1:0")
            url = self.url(f"out{end}")
            self.assertEqual(ask(url + "healthz").status, 200)
            if end is None:
                process.stdin.close()
            else:
                process.send_signal(end)
            process.wait(60)
            wait_for(lambda: not self.answers(url), f"the end of the server after {end}")

    def answers(self, url):
        try:
            return ask(url + "healthz").status == 200
        except OSError:
            return False

    def test_it_is_started_again_when_it_was_killed(self):
        self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        first = self.url()
        port = int(first.split(":")[2].strip("/"))
        os.kill(self.server_at(port), signal.SIGKILL)
        wait_for(lambda: self.url() != first and self.answers(self.url()), "another server")

    def server_at(self, port):
        """The heapgauge-serve that listens there."""
        with open("/proc/net/tcp", encoding="ascii") as sockets:
            inode = next(fields[9] for fields in map(str.split, sockets)
                         if fields[1].endswith(f":{port:04X}") and fields[3] == "0A")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as name:
                    if name.read() != "heapgauge-serve\n":
                        continue
                if any(os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]" for fd in os.listdir(f"/proc/{pid}/fd")):
                    return int(pid)
            except OSError:
                continue
        raise AssertionError(f"nobody listens on {port}")

    def test_slow_and_many_clients(self):
        """Clients that say nothing, or a byte now and then, keep nobody out."""
        self.victim(HEAPGAUGE_HTTP="127.0.0.1:0")
        url = self.url()
        port = int(url.split(":")[2].strip("/"))
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        for client in slow:
            self.addCleanup(client.close)
            client.sendall(b"GET /report HTTP/1.1\r\nHost: ")
        begin = time.monotonic()
        self.assertEqual(ask(url + "healthz", timeout=120).status, 200)
        print(f"answered beside 200 slow clients after {time.monotonic() - begin:.1f} s", file=sys.stderr)
        for hostile in (b"\0" * 5000, b"GET " + b"/a" * 50000 + b" HTTP/1.1\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50000 + b"\r\n",
                        b"POST /report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
                        b"GET /report HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                try:
                    client.sendall(hostile)
                    client.settimeout(60)
                    client.recv(1000)
                except OSError:
                    pass
        self.assertEqual(ask(url + "healthz", timeout=120).status, 200)

    def test_serve_by_pid(self):
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists(), "a report")
        server, url = self.serve(process.pid, "--listen", "[::1]:0")
        self.assertRegex(url, r"^http://\[::1\]:\d+/$")
        self.assertEqual(ask(url + "report").status, 200)
        self.assertFalse((self.here / "out/http").exists())
        process.kill()
        self.ends(server, "the server after its process")

    def test_serve_of_nothing(self):
        (self.here / "empty").mkdir()
        for arguments, words in (((), "neither a PID nor a DIR"), (("none",), "neither a PID nor"), (("999999999",), "no process"),
                                 ((str(os.getpid()),), "is not tracked"), (("empty", "--listen", "x"), "not ADDRESS:PORT"),
                                 (("empty", "--listen", "0.0.0.0:0"), "needs a token file"),
                                 (("empty", "--listen", "192.0.2.1:0", "--token-file", "none"), "can't be read")):
            result = self.heapgauge("serve", *arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(words, self.one_line(result))
        _, url = self.serve("empty")
        self.assertEqual(ask(url + "report").status, 503)
        self.assertEqual(ask(url + "healthz").status, 200)
        self.assertIn("heapgauge_build_info", ask(url + "metrics").text)


served.main()
