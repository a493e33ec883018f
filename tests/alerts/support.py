"""What the alert tests share: a receiver that behaves as it is told, the helper, and the leaking service."""

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HELPER, LIBRARY, LEAKING = sys.argv[1:4] if len(sys.argv) > 3 else (None, None, None)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(what, condition, seconds=90):
    """Waits until condition() is true, and returns that; generous, for the machine may be busy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


class Receiver:
    """An HTTP server on a free loopback port; `manner(handler, number of the request)` answers."""

    def __init__(self, manner):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.requests.append((self.path, dict(self.headers), body))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    manner(self, len(receiver.requests))

            def log_message(self, *arguments):
                pass

        self.requests = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v2/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.server.shutdown()
        self.server.server_close()

    def bodies(self):
        return [json.loads(body) for _, _, body in self.requests]


def answer(handler, status, body=b"", **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def ask_helper(**request):
    """What the helper answers to a request, and the seconds it took."""
    whole = {"host_pid": os.getpid(), "exec": "", "events": [], "exec_limit_ms": 20_000, "url": "", "body": "[]",
             "retry_ms": 20_000, **request}
    began = time.monotonic()
    done = subprocess.run([HELPER], input=json.dumps(whole).encode(), capture_output=True, timeout=100,
                          check=False)
    check(done.returncode == 0, f"the helper ends with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode().rstrip("\n"), time.monotonic() - began


class Service:
    """The leaking service under heapgauge, with reports every half second."""

    def __init__(self, directory, **settings):
        self.output = os.path.join(directory, "report")
        environment = {"HEAPGAUGE_SAMPLE_INTERVAL": "16KiB", "HEAPGAUGE_REPORT_INTERVAL": "500ms",
                       "HEAPGAUGE_OUTPUT": self.output, "LD_PRELOAD": LIBRARY, **settings}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEAPGAUGE_")}
        self.process = subprocess.Popen([LEAKING], cwd=directory, env=kept | environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *details):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def mend(self):
        self.process.send_signal(signal.SIGUSR1)

    def end(self):
        """What it said on stderr."""
        self.process.send_signal(signal.SIGUSR2)
        out, err = self.process.communicate(timeout=60)
        check(self.process.returncode == 0, f"the service ends with {self.process.returncode}: {err.decode()}")
        check(out == b"serving\ndone\n", f"the service says {out}")
        return err.decode()

    def lines(self, name):
        try:
            with open(os.path.join(self.output, name), encoding="utf-8") as file:
                return [json.loads(line) for line in file.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []


def main(body):
    with tempfile.TemporaryDirectory() as directory:
        body(directory)
    print("good")
