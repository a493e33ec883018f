"""heapgauge-serve against clients that mean it no good, over a directory of reports: hostile_test.py HEAPGAUGE LIBRARY"""
import concurrent.futures
import os
import random
import re
import socket
import sys
import time

LIBRARY = os.path.abspath(sys.argv.pop(2))
import served
from served import ask, wait_for

MOST_MEMORY = 512 << 20


class Hostile(served.ServedTest):
    lib = LIBRARY

    def setUp(self):
        super().setUp()
        process = self.victim()
        wait_for(lambda: (self.here / "out/reports.jsonl").exists(), "a report")
        process.stdin.close()
        process.wait(60)

    def serve(self, *arguments):
        server = self.start("serve", str(self.here / "out"), *arguments)
        line = server.stdout.readline()
        self.assertRegex(line, r"http://127\.0\.0\.1:\d+/", server.stderr.readline() if not line else "")
        self.port = int(re.search(r":(\d+)/", line).group(1))
        return server

    def exchange(self, sent, patience=30):
        """What comes back until the connection ends; the client has said all that it has to say, and waits."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.settimeout(patience)
            got = b""
            try:
                client.sendall(sent)
                while piece := client.recv(1 << 16):
                    got += piece
            except TimeoutError:
                return None
            except OSError:
                pass  # the server ended it before all was sent
            return got

    def statuses(self, requests):
        """{request: status}, 0 where the connection ends without an answer.  Many at once: some wait for the server's
        patience to end."""
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = dict(zip(requests, pool.map(self.exchange, requests)))
        for request, answer in answers.items():
            self.assertIsNotNone(answer, f"no end of the answer to {request[:100]}")
        found = {request: re.match(rb"HTTP/1\.1 (\d{3}) ", answer) for request, answer in answers.items()}
        return {request: int(match.group(1)) if match else 0 for request, match in found.items()}

    def are(self, requests, *expected):
        for request, status in self.statuses(requests).items():
            self.assertIn(status, expected, request[:120])

    def is_well(self, server):
        self.assertIsNone(server.poll(), "the server has ended")
        self.assertEqual(ask(f"http://127.0.0.1:{self.port}/healthz").status, 200)
        with open(f"/proc/{self.server_pid(server)}/status", encoding="ascii") as file:
            resident = int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1)) << 10
        self.assertLess(resident, MOST_MEMORY)

    def answers(self):
        """Who waits too long in the crowd is shown the door, too, and comes again."""
        try:
            return ask(f"http://127.0.0.1:{self.port}/healthz", timeout=120).status == 200
        except OSError:
            return False

    def server_pid(self, server):
        """`heapgauge serve` becomes heapgauge-serve, or waits for it."""
        with open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return children[0] if children else server.pid

    def test_requests_that_are_none(self):
        server = self.serve()
        host = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        self.are([b"GET " + path + host + b"\r\n" for path in (
            b"/../../../../etc/passwd", b"/..%2f..%2f..%2f..%2fetc%2fpasswd", b"/%2e%2e/%2e%2e/etc/passwd", b"//etc/passwd",
            b"/report.json/../../../etc/passwd", b"/debug/pprof/../../../etc/passwd", b"/debug/pprof/..", b"/reports.jsonl",
            b"/http", b"/.", b"/%00", b"/report%00.json", b"/" + b"a/" * 2000)], 400, 404, 414)
        self.are([method + b" /report" + host + b"\r\n" for method in (b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"POST", b"TRACE",
                                                                      b"CONNECT", b"FOO", b"get", b"", b"G\x00ET", b"\xff")],
                 0, 400, 404, 405)
        self.are([method + path + host + b"Content-Length: 0\r\n\r\n" for method in (b"GET ", b"PUT ")
                  for path in (b"/snapshot", b"/config")], 405)
        self.are([b"GET /report " + rest + b"\r\n\r\n" for rest in (b"", b"HTTP/9.9", b"HTTP/1.1\x00", b"\r\n", b"a b c")],
                 0, 400, 403, 505)
        self.are([b"GET /debug/pprof/heap?seconds=" + seconds + host + b"\r\n" for seconds in (
            b"0", b"-1", b"3601", b"99999999999999999999", b"1e9", b"", b"a", b"%00", b"1;2", b"0x10")], 400)
        self.is_well(server)

    def test_sizes(self):
        server = self.serve()
        host = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        statuses = self.statuses([
            b"GET /" + b"a" * 1_000_000 + host + b"\r\n", b"GET /?" + b"a=b&" * 250_000 + host + b"\r\n",
            b"GET /" + host + b"A: " + b"b" * 1_000_000 + b"\r\n\r\n", b"GET /" + host + b"A: b\r\n" * 100_000 + b"\r\n",
            b"\0" * 1_000_000, b"\r\n" * 500_000, b"A" * 1_000_000, b"GET / HTTP/1.1\r\n" + b" folded\r\n" * 10_000,
            b"POST /config" + host + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100_000,
            b"POST /config" + host + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000,
            b"POST /config" + host + b"Content-Length: -1\r\n\r\n", b"POST /config" + host + b"Content-Length: x\r\n\r\n",
            b"POST /config" + host + b"Transfer-Encoding: chunked\r\n\r\n" + b"fffffffffffffff\r\n" + b"x" * 100_000,
            b"POST /config" + host + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000,
            b"POST /config" + host + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08\x00\x00"])
        for sent, status in statuses.items():
            self.assertNotIn(status, (200, 204), sent[:120])
        # What is allowed is answered, also many ranges of it, and one request behind the other.
        self.are([b"GET /report" + host + b"Range: bytes=" + b"0-1," * 100 + b"0-1\r\n\r\n"], 200, 206, 400, 416)
        pipelined = self.exchange(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50 +
                                  b"GET /report HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        self.assertEqual((pipelined.count(b"HTTP/1.1 200 "), pipelined.count(b"HTTP/1.1 403 ")), (50, 1))
        self.is_well(server)

    def test_a_token_is_not_got_around(self):
        (self.here / "token").write_text("correct-horse\n")
        server = self.serve("--token-file", str(self.here / "token"))
        headers = (b"", b"Authorization: Bearer wrong-horse!!\r\n", b"Authorization: Bearer correct-hors\r\n",
                   b"Authorization: Basic Y29ycmVjdC1ob3JzZQ==\r\n", b"X-Authorization: Bearer correct-horse\r\n",
                   b"Authorization: Bearer wrong\r\nAuthorization: Bearer correct-horse\r\n",
                   b"Authorization: Bearer " + b"c" * 7000 + b"\r\n", b"Cookie: token=correct-horse\r\n")
        self.are([request + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + header + b"Content-Length: 0\r\n\r\n"
                  for header in headers
                  for request in (b"GET /report", b"GET /metrics", b"HEAD /", b"POST /config", b"POST /snapshot", b"GET /nowhere")],
                 0, 400, 401)
        self.are([b"GET /report?token=correct-horse HTTP/1.1\r\nConnection: close\r\n\r\n"], 401)
        self.are([b"GET /report HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer correct-horse\r\n\r\n"], 200)
        self.assertIsNone(server.poll())

    def test_a_thousand_connections(self):
        """A thousand that say a byte now and then, while others are answered."""
        server = self.serve()
        crowd = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(1000)]
        for client in crowd:
            self.addCleanup(client.close)
        for client in crowd[::10]:
            try:
                client.send(b"G")
            except OSError:
                pass  # it was shown the door
        wait_for(self.answers, "an answer in the crowd")
        for client in crowd:
            client.close()
        self.is_well(server)

    def test_random_requests(self):
        """Pieces of requests in any order, the same in every run."""
        server = self.serve()
        dice = random.Random(7)
        pieces = [b"GET ", b"POST ", b"HEAD ", b"/", b"/report", b"/debug/pprof/heap?seconds=", b"/page.json?after=", b"%2e", b"%", b"..",
                  b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n", b"\r\n\r\n", b"Host: localhost\r\n", b"Host: \r\n", b"Content-Length: 3\r\n",
                  b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Range: bytes=0-0,-5\r\n",
                  b"Accept-Encoding: gzip, br;q=0\r\n", b"0\r\n\r\n", b"A=1", b"\0", b"\xff\xfe", b"5\r\nhello\r\n", b": ", b"\n", b"9" * 30]
        end = b"\r\nConnection: close\r\n\r\n\r\n\r\n"
        requests = [b"".join(dice.choice(pieces) for _ in range(dice.randrange(1, 25))) + end for _ in range(32)]
        for request, status in self.statuses(requests).items():
            self.assertTrue(status != 200 or b"localhost" in request, request)
        self.is_well(server)


served.main()
