"""The control socket of a tracked process, and what asks through it: ps, top, snapshot, set.

usage: control_test.py COMMAND LIBRARY [unittest options]
"""
import json
import os
import pathlib
import pty
import select
import signal
import socket
import stat
import subprocess
import sys
import time

LIBRARY = os.path.abspath(sys.argv.pop(2))
import served
from served import GROWING, PYTHON, clean_environment, wait_for

# Whole messages from our side, so that they can be wrong.
KIND = socket.SOCK_SEQPACKET


class Control(served.ServedTest):
    lib = LIBRARY

    def setUp(self):
        super().setUp()
        self.runtime = self.here / "run"
        self.runtime.mkdir(mode=0o700)

    def environment(self, **more):
        settings = {"LD_PRELOAD": LIBRARY, "HEAPGAUGE_OUTPUT": str(self.here / "out"), "PYTHONMALLOC": "malloc",
                    "HEAPGAUGE_SAMPLE_INTERVAL": "16KiB", "HEAPGAUGE_REPORT_INTERVAL": "1h", "HEAPGAUGE_FOLLOW": "fork",
                    "HEAPGAUGE_CONTROL": "on", "XDG_RUNTIME_DIR": str(self.runtime)}
        settings.update(more)
        return clean_environment(**settings)

    def victim(self, program=GROWING, before="", **variables):
        """`before`: what a shell does in the process first."""
        process = subprocess.Popen(["/bin/sh", "-c", f"{before}\nLD_PRELOAD=$PRELOADED exec \"$0\" \"$@\"", PYTHON, "-S",
                                    "-c", program], cwd=self.here, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.environment(LD_PRELOAD="", PRELOADED=LIBRARY, **variables))
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        return process

    def socket_of(self, process):
        path = self.runtime / "heapgauge" / f"{process.pid}.sock"
        return wait_for(lambda: path.exists() and path, f"{path}")

    def command(self, *arguments):
        return self.heapgauge(*arguments, env=clean_environment(XDG_RUNTIME_DIR=str(self.runtime)))

    def listed(self):
        """What ps says, by pid."""
        found = json.loads(self.command("ps", "--format", "json").stdout)
        return {process["pid"]: process for process in found["processes"]}

    def open_socket(self, path):
        made = socket.socket(socket.AF_UNIX, KIND)
        self.addCleanup(made.close)
        made.settimeout(60)
        made.connect(str(path))
        return made

    def test_snapshot(self):
        victim = self.victim()
        self.socket_of(victim)
        result = self.command("snapshot", victim.pid)
        self.assertEqual((result.returncode, result.stdout), (0, f"{self.here}/out\n"), result.stderr)
        self.assertIn(f"report 1 of process {victim.pid}", result.stderr)
        self.assertEqual([report["sequence"] for report in self.reports()], [1])
        running = [self.start("snapshot", victim.pid) for _ in range(5)]
        for one in running:
            self.assertEqual(one.wait(), 0)
        self.assertGreaterEqual(len(self.reports()), 2)
        victim.stdin.close()
        victim.wait()
        self.assertTrue(self.reports()[-1]["final"])
        self.assertEqual(list((self.runtime / "heapgauge").iterdir()), [])
        self.assertEqual(self.one_line(self.command("snapshot", victim.pid)), f"no process {victim.pid}")
        for wrong in ("", "x", "0", "-3", "99999999999999"):
            self.assertEqual(self.command("snapshot", "--", wrong).returncode, 2, wrong)

    def test_switched_on(self):
        """A process that was told not to sample is there to be told otherwise, and leaves nothing behind until then."""
        for switched in (False, True):
            victim = self.victim(HEAPGAUGE_START="off", HEAPGAUGE_REPORT_INTERVAL="200ms")
            path = self.socket_of(victim)
            self.assertFalse(self.listed()[victim.pid]["tracking"])
            time.sleep(0.5)
            self.assertFalse((self.here / "out").exists())
            if switched:
                self.assertEqual(self.command("set", victim.pid, "START=on").returncode, 0)
                self.assertTrue(self.listed()[victim.pid]["tracking"])
                wait_for(lambda: (self.here / "out/reports.jsonl").exists() and self.reports()[-1]["sampling"]["samples"] > 0,
                         "samples after START=on")
            victim.stdin.close()
            victim.wait()
            self.assertEqual((self.here / "out").exists(), switched)
            self.assertFalse(path.exists())
        self.assertTrue(self.reports()[-1]["final"])
        # Where the socket is not asked for by name there is no thread, and the process is started from outside.
        victim = self.victim(before="unset HEAPGAUGE_CONTROL", HEAPGAUGE_START="off", HEAPGAUGE_OUTPUT=str(self.here / "other"))
        time.sleep(0.5)
        self.assertEqual(len(list(pathlib.Path(f"/proc/{victim.pid}/task").iterdir())), 1)
        result = self.command("set", victim.pid, "START=on", "REPORT_INTERVAL=200ms")
        self.assertEqual(result.returncode, 0, result.stderr)
        wait_for((self.here / "other/report.txt").exists, "a report after START=on")
        victim.stdin.close()
        victim.wait()

    def test_set(self):
        victim = self.victim()
        self.socket_of(victim)
        result = self.command("set", victim.pid, "report-interval=200ms", "HEAPGAUGE_SAMPLE_INTERVAL=64KiB")
        self.assertEqual(result.returncode, 0, result.stderr)
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) >= 3, "periodic reports")
        self.assertEqual(self.reports()[-1]["sampling"]["asked_interval_bytes"], 65536)
        self.assertEqual(self.command("set", victim.pid, "START=off").returncode, 0)
        self.assertFalse(self.listed()[victim.pid]["tracking"])
        self.command("snapshot", victim.pid)
        before = self.reports()[-1]["sampling"]["samples"]
        time.sleep(0.5)
        self.command("snapshot", victim.pid)
        self.assertEqual(self.reports()[-1]["sampling"]["samples"], before)
        self.assertEqual(self.command("set", victim.pid, "start=on").returncode, 0)
        wait_for(lambda: self.reports()[-1]["sampling"]["samples"] > before, "samples after START=on")
        for words, saying in ((["OUTPUT=/x"], "can't be changed"), (["REPORT_INTERVAL=1"], None), (["LOG=loud"], "accepted"),
                              (["SAMPEL_INTERVAL=1"], "SAMPLE_INTERVAL"), (["x"], "KEY=VALUE"), ([], "nothing to change"),
                              (["REPORT_INTERVAL=1ms"], "accepted"), (["CPU_BUDGET=0"], "accepted")):
            result = self.command("set", victim.pid, *words)
            if saying is None:
                self.assertEqual(result.returncode, 0, result.stderr)
            else:
                self.assertEqual(result.returncode, 2)
                self.assertIn(saying, self.one_line(result))

    def test_ps(self):
        first, second = self.victim(), self.victim(HEAPGAUGE_OUTPUT=str(self.here / "other"))
        for victim in (first, second):
            self.socket_of(victim)
        self.command("snapshot", first.pid)
        found = self.listed()
        self.assertLessEqual({first.pid, second.pid}, set(found))
        self.assertEqual((found[first.pid]["reports"], found[first.pid]["directory"]), (1, f"{self.here}/out"))
        self.assertEqual((found[second.pid]["reports"], found[second.pid]["verdict"]), (0, None))
        self.assertGreater(found[first.pid]["rss_bytes"], 1 << 20)
        text = self.command("ps").stdout
        self.assertIn(f"{self.here}/out", text)
        os.kill(first.pid, signal.SIGSTOP)  # one that gives no answer does not hide the others
        found = self.listed()
        self.assertIn("no answer", found[first.pid]["problem"])
        self.assertIsNone(found[second.pid]["problem"])
        left = self.socket_of(first)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        self.assertTrue(left.exists())
        self.assertNotIn(first.pid, self.listed())
        self.assertFalse(left.exists())  # what it left is tidied up

    def test_a_stale_name_is_taken_over_and_a_live_one_is_not(self):
        stale = self.victim(before="""mkdir -m 700 "$XDG_RUNTIME_DIR/heapgauge"
            python3 -c "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind('$XDG_RUNTIME_DIR/heapgauge/$$.sock')"
            """)
        self.socket_of(stale)
        wait_for(lambda: self.command("snapshot", stale.pid).returncode == 0, "an answer in the stale one's place")
        live = self.victim(before="""python3 -c "import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind('$XDG_RUNTIME_DIR/heapgauge/$$.sock')
s.listen()
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
" &
            wait""", HEAPGAUGE_OUTPUT=str(self.here / "other"))
        other = self.runtime / "heapgauge" / f"{live.pid}-2.sock"
        wait_for(other.exists, f"{other}")
        result = self.command("snapshot", live.pid)
        self.assertEqual(result.stdout, f"{self.here}/other\n", result.stderr)
        for entry in os.listdir("/proc"):  # the one that listens there
            try:
                with open(f"/proc/{entry}/environ", "rb") as variables:
                    ours = str(self.runtime).encode() in variables.read()
            except OSError:
                continue
            if entry.isdigit() and ours and int(entry) not in (live.pid, stale.pid, os.getpid()):
                os.kill(int(entry), signal.SIGKILL)

    def test_nobody_else_has_it(self):
        victim = self.victim(GROWING.replace("kept = []", "import os; kept = []\nif os.fork() == 0: kept.append(0)"))
        path = self.socket_of(victim)
        for name, mode in ((path, 0o600), (path.parent, 0o700)):
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), mode)
        self.command("snapshot", victim.pid)
        for task in os.listdir(f"/proc/{victim.pid}/task"):
            with open(f"/proc/{victim.pid}/task/{task}/comm", encoding="utf-8") as comm:
                ours = comm.read() == "heapgauge\n"
            links = [os.readlink(f"/proc/{victim.pid}/task/{task}/fd/{fd}")
                     for fd in os.listdir(f"/proc/{victim.pid}/task/{task}/fd")]
            self.assertEqual(any(link.startswith("socket:") for link in links), ours, links)

    def test_hostile_clients(self):
        victim = self.victim()
        path = self.socket_of(victim)
        for packet in (b"\0", b"\n", b"\t" * 100, b"set", b"set\tLOG", b"set\tLOG\tinfo\tmore", b"x" * 60000, b"hello\nreport",
                       b"look\tlook", "\u2603".encode(), b"set\t" + b"A" * 5000 + b"\t" + b"B" * 9000):
            asking = self.open_socket(path)
            asking.send(packet)
            self.assertTrue(asking.recv(65536).startswith((b"error\n", b"ok")), packet[:20])
            asking.close()
        crowd = []
        for _ in range(40):  # more than are heard
            try:
                crowd.append(self.open_socket(path))
                crowd[-1].send(b"look")  # and never read
            except OSError:
                break
        # Who asks nothing makes room for who does.
        wait_for(lambda: self.command("snapshot", victim.pid).returncode == 0, "an answer after the crowd")
        many = self.open_socket(path)
        for _ in range(200):
            try:
                many.send(b"hello", socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
        self.assertEqual(self.command("snapshot", victim.pid).returncode, 0)
        self.assertIsNone(victim.poll())

    def test_no_socket(self):
        """Off, or where the directory is not this user's alone: the process goes on, and one line says why none answers."""
        off = self.victim(HEAPGAUGE_CONTROL="off", HEAPGAUGE_REPORT_INTERVAL="100ms")
        wait_for(lambda: (self.here / "out/reports.jsonl").exists() and len(self.reports()) > 5, "reports")
        self.assertFalse((self.runtime / "heapgauge").exists())
        self.assertIn("no control socket", self.one_line(self.command("snapshot", off.pid)))
        (self.runtime / "heapgauge").mkdir()
        os.chmod(self.runtime / "heapgauge", 0o777)
        open_to_all = self.victim(HEAPGAUGE_OUTPUT=str(self.here / "other"), HEAPGAUGE_REPORT_INTERVAL="100ms")
        wait_for(lambda: (self.here / "other/reports.jsonl").exists() and len(self.reports("other")) > 5, "reports")
        self.assertEqual(list((self.runtime / "heapgauge").iterdir()), [])
        self.assertIn("no control socket", self.one_line(self.command("top", open_to_all.pid)))

    def test_top_in_plain_lines(self):
        victim = self.victim()
        self.socket_of(victim)
        result = self.command("top", victim.pid, "--count", "3", "--delay", "200ms", "--sort", "growth")
        self.assertEqual(result.returncode, 0, result.stderr)
        tables = result.stdout.strip().split("\n\n")
        self.assertEqual(len(tables), 3)
        for table in tables:
            lines = table.splitlines()
            self.assertRegex(lines[1], rf"^python\S* \({victim.pid}\)  \w+  live \d")
            self.assertRegex(lines[2], r"^\d+ of \d+ call sites, by growth$")
            self.assertRegex(lines[4], r"^\w+ +\d")
            self.assertNotIn("\x1b", table)
        self.assertFalse((self.here / "out/reports.jsonl").exists())  # looks are not stored
        for words in (["--count", "0"], ["--delay", "1ms"], ["--sort", "size"]):
            self.assertEqual(self.command("top", victim.pid, *words).returncode, 2, words)
        watching = self.start("top", victim.pid, "--delay", "100ms", env=clean_environment(XDG_RUNTIME_DIR=str(self.runtime)))
        watching.stdout.readline()
        victim.kill()
        victim.wait()
        self.assertEqual(watching.wait(timeout=60), 0)
        self.assertIn(f"process {victim.pid}: it has ended", watching.stderr.read())

    def test_top_on_a_terminal(self):
        victim = self.victim()
        self.socket_of(victim)
        for columns, shown in ((120, "LIVE BEFORE"), (20, "LIVE CALL SI")):
            child, terminal = pty.fork()
            if child == 0:
                os.environ.clear()
                os.environ.update(clean_environment(XDG_RUNTIME_DIR=str(self.runtime), TERM="xterm", LC_ALL="C.UTF-8"))
                subprocess.run(["stty", "cols", str(columns), "rows", "20"], check=True)
                os.execv(served.COMMAND, [served.COMMAND, "top", str(victim.pid), "--delay", "200ms"])
            seen = b""
            keys = [b"l", b"n", b"g", b"q"]
            deadline = time.monotonic() + 60
            pressed = time.monotonic()
            while time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.3)[0]:
                    try:
                        more = os.read(terminal, 65536)
                    except OSError:
                        break
                    if not more:
                        break
                    seen += more
                if keys and shown.encode() in seen and time.monotonic() > pressed + 0.5:
                    os.write(terminal, keys.pop(0))
                    pressed = time.monotonic()
            os.close(terminal)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            self.assertIn(shown.encode(), seen)
            self.assertTrue(seen.rstrip().endswith(b"\x1b[?1049l") or b"\x1b[?1049l" in seen, seen[-80:])


if __name__ == "__main__":
    served.main()
