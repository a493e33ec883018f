"""heapgauge soak on a small service, as users run it: each status, each way in which SERVICE and LOAD can fail.

Run as: python3 soak_test.py COMMAND SERVICE CLIENT [unittest options].  Nothing here depends on how fast the machine is,
but for the time that a judged part takes.
"""
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import support  # noqa: E402

SERVICE = os.path.abspath(sys.argv.pop(1))
CLIENT = os.path.abspath(sys.argv.pop(1))
# The shortest that is judged with some room: 20 s of it.
JUDGED = ("--duration", "24s", "--warm-up", "4s")


def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class SoakTest(support.CommandTest):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def soak(self, *options, service=(), load=None, env=None, where="soak"):
        load = f"{CLIENT} {self.port} 500 500" if load is None else load
        arguments = ["soak", "--load", load, "--reports", where, "-o", f"{where}.out", *options,
                     "--", SERVICE, self.port, *service]
        result = subprocess.run([support.COMMAND, *map(str, arguments)], cwd=self.here,
                                env=env or support.clean_environment(), capture_output=True, text=True, timeout=300)
        print(result.returncode, result.stderr, end="")
        output = self.here / f"{where}.out"
        result.text = output.read_text() if output.exists() else ""
        print(result.text)
        result.json = {}
        if (self.here / where / "soak.json").exists():
            result.json = json.loads((self.here / where / "soak.json").read_text())
        return result

    def nothing_left(self):
        left = subprocess.run(["pgrep", "-f", f"{SERVICE} {self.port}|{CLIENT} {self.port} "],
                              capture_output=True, text=True, check=False).stdout.split()
        self.assertEqual([pid for pid in left if alive(pid)], [])


class Verdicts(SoakTest):
    def test_leak(self):
        result = self.soak(*JUDGED, "--wait-port", self.port, service=["keep=4096"])
        self.assertEqual(result.returncode, 1)
        self.assertIn("LEAK at 1 call site", result.text)
        leak, = result.json["leaks"]
        self.assertEqual(leak["function"], "KeepForEver")
        # 4 KiB a request, by the client's own words.
        self.assertGreater(leak["bytes_per_request"], 2048)
        self.assertLess(leak["bytes_per_request"], 8192)
        # Its blocks are held by `all`, or by one of the blocks between where those are too many.
        self.assertRegex(leak["held"], r"\d of \d")
        self.assertIn("headers, rounding", result.text)
        self.assertGreater(result.json["would_have_seen"]["bytes_per_hour"], 0)
        self.nothing_left()

    def test_no_leak(self):
        """A cache that was filled by the warm-up is none."""
        result = self.soak(*JUDGED, "--progress", "5s", service=["once=300"])
        self.assertEqual(result.returncode, 0)
        self.assertIn("NO LEAK", result.text)
        # Where no terminal is: a service of CI may end what says nothing.
        lines = re.findall(r"^heapgauge: soak: .* left \| RSS .* \| live .* \| ", result.stderr, re.M)
        self.assertGreaterEqual(len(lines), 2, result.stderr)
        self.assertLessEqual(len(lines), 10, result.stderr)
        self.assertIn("would have been found with 95 % certainty", result.text)
        self.assertIn("where RSS went", result.text)
        self.assertEqual(result.json["leaks"], [])

    def test_workers_together(self):
        """Eight workers share a leak: some show it alone, or their sum does."""
        result = self.soak(*JUDGED, "--parallel", 2, service=["keep=512", "workers=8"])
        self.assertEqual(result.returncode, 1)
        leak = result.json["leaks"][0]
        self.assertEqual(leak["function"], "KeepForEver")
        self.assertGreaterEqual(len(result.json["processes"]), 8)
        self.nothing_left()

    def test_workers_without(self):
        result = self.soak(*JUDGED, "--parallel", 2, service=["once=50", "workers=4"])
        self.assertEqual(result.returncode, 0)

    def test_baseline(self):
        service = ["keep=4096"]
        first = self.soak(*JUDGED, service=service)
        self.assertEqual(first.returncode, 1)
        again = self.soak(*JUDGED, "--baseline", "soak", service=service, where="again")
        self.assertEqual(again.returncode, 0, again.text)
        self.assertIn("known from the baseline", again.text)
        worse = self.soak(*JUDGED, "--baseline", "soak", service=["keep=16384"], where="worse")
        self.assertEqual(worse.returncode, 1)
        self.assertIn("more slowly", worse.text)
        saved = json.loads((self.here / "soak/soak.json").read_text())
        for part in saved["processes"] + saved["leaks"]:
            part.update(program="another", id="0")
        (self.here / "soak/soak.json").write_text(json.dumps(saved))
        foreign = self.soak(*JUDGED, "--baseline", "soak", service=service, where="foreign")
        self.assertEqual(foreign.returncode, 1)
        self.assertIn("the baseline is of another program (another)", foreign.text)


class Iterations(SoakTest):
    def test_names_what_each_leaves(self):
        result = self.soak("--iterations", 7, "--confirm", 20, service=["keep=64", "every=5"],
                           load=f"{CLIENT} {self.port} 15")
        self.assertEqual(result.returncode, 1)
        leak = result.json["leaks"][0]
        self.assertEqual((leak["function"], leak["objects_per_iteration"], leak["growth_objects"]),
                         ("KeepForEver", 3, 21))
        text = " ".join(result.text.split())
        self.assertIn("21 objects kept by 7 iterations", text)
        self.assertIn("60 more by 20 runs after those", text)
        self.assertEqual(result.json["more_runs"], 20)
        self.assertIn("kept in all (service .bss)", text)
        self.assertEqual(leak["lost_share"], 0)

    def test_first_ones_are_cut(self):
        """What a cache takes in the first iterations is nothing that each of them leaves."""
        result = self.soak("--iterations", 6, service=["once=20"], load=f"{CLIENT} {self.port} 15")
        self.assertEqual(result.returncode, 0)
        self.assertIn("--iterations 6: 7 are run, the next prime number", result.stderr)
        self.assertEqual((result.json["iterations"], result.json["load_runs"]), (7, 9))

    def test_more_are_cut(self):
        """What fills for longer than the usual two: it is told to, or finds out by itself."""
        filling = {"service": ["once=60"], "load": f"{CLIENT} {self.port} 15"}
        self.assertEqual(self.soak("--iterations", 2, "--confirm", 0, where="few", **filling).returncode, 1)
        result = self.soak("--iterations", 2, where="found", **filling)
        self.assertEqual(result.returncode, 0)
        self.assertIn("it fills up, as a cache or a ring does", " ".join(result.text.split()))
        self.assertEqual(result.json["more_runs"], 16)
        result = self.soak("--iterations", 2, "--warm-up", 4, where="more", **filling)
        self.assertEqual(result.returncode, 0)
        self.assertIn("after 4 that were left out", result.text)

    def test_workers(self):
        result = self.soak("--iterations", 5, "--confirm", 16, service=["keep=64", "workers=3"], load=f"{CLIENT} {self.port} 4",
                           env=support.clean_environment(HEAPGAUGE_CONTROL="off"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.json["leaks"][0]["growth_objects"], 20)
        # Nobody can be asked, and that is no failure.
        self.assertIsNone(result.json["leaks"][0]["held"])
        self.assertIn("who holds what was found is not known", result.text)

    def test_load_fails_in_the_midst(self):
        load = f'{CLIENT} {self.port} 5; echo x >> runs; test $(wc -l < runs) -lt 4 || {{ echo no more; exit 9; }}'
        result = self.soak("--iterations", 5, load=load)
        self.assertEqual(result.returncode, 3)
        self.assertIn("exit status 9", result.text)
        self.assertIn("no more", result.text)
        self.nothing_left()

    def test_load_hangs(self):
        result = self.soak("--iterations", 5, "--load-limit", "1s", load="sleep 1000")
        self.assertEqual(result.returncode, 3)
        self.assertIn("LOAD had not ended after", result.text)


class Load(SoakTest):
    def test_fails_at_once(self):
        for load, words in (("exit 7", "exit status 7"), ("kill -SEGV $$", "signal 11"),
                            ("/nonexistent/load", "exit status 127"), (f"{CLIENT} {self.port + 1} 5", "exit status 3")):
            with self.subTest(load):
                result = self.soak(*JUDGED, load=load, where=f"soak.{abs(hash(load))}")
                self.assertEqual(result.returncode, 3)
                self.assertIn("LOAD FAILED", result.text)
                self.assertIn(words, result.text)
                self.assertNotIn("after warm-up", result.text)
                self.nothing_left()

    def test_hangs(self):
        """It runs all the time, and SERVICE never hears of it."""
        result = self.soak("--duration", "14s", "--warm-up", "2s", load="sleep 1000")
        self.assertEqual(result.returncode, 3)
        self.assertIn("LOAD hangs, or does not reach SERVICE", result.text)
        self.assertNotIn("would have been found", result.text)

    def test_outlives_the_duration(self):
        """And hears no signal but the last."""
        load = f"trap '' INT TERM; {CLIENT} {self.port} 100000000 500"
        result = self.soak(*JUDGED, load=load)
        self.assertEqual(result.returncode, 0)
        self.nothing_left()


class Service(SoakTest):
    def test_never_up(self):
        for option, value in (("--wait-port", self.port), ("--wait-line", "ready to serve"),
                              ("--wait-command", "echo not yet; false")):
            with self.subTest(option):
                result = self.soak("--wait-limit", "1s", option, value, service=["silent"], where=f"soak{option}")
                self.assertEqual(result.returncode, 4)
                self.assertIn("SERVICE did not come up within 1.0 s", result.text)
                self.assertIn("in no hurry", result.text)
                self.nothing_left()

    def test_comes_up(self):
        for option, value in (("--wait-port", f"127.0.0.1:{self.port}"), ("--wait-line", "service: ready"),
                              ("--wait-command", f"{CLIENT} {self.port} 1")):
            with self.subTest(option):
                result = self.soak("--iterations", 2, option, value, load=f"{CLIENT} {self.port} 3",
                                   where=f"soak{option}")
                self.assertEqual(result.returncode, 0)

    def test_dies(self):
        for dies, words in ((1, "signal 6"), (400, "signal 6")):
            with self.subTest(dies=dies):
                result = self.soak(*JUDGED, service=[f"dies={dies}"], where=f"soak{dies}")
                self.assertEqual(result.returncode, 4)
                self.assertIn("SERVICE DIED", result.text)
                self.assertIn(words, result.text)

    def test_dies_before_it_is_up(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            result = self.soak(*JUDGED)
        self.assertEqual(result.returncode, 4)
        self.assertIn("cannot listen", result.text)

    def test_daemon(self):
        result = self.soak("--iterations", 5, "--confirm", 0, "--wait-port", self.port, service=["daemon", "keep=64"],
                           load=f"{CLIENT} {self.port} 2")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.json["leaks"][0]["objects_per_iteration"], 2)
        self.assertIn("followed there", result.text)
        self.nothing_left()

    def test_deaf(self):
        result = self.soak("--iterations", 2, "--stop-limit", "500ms", service=["deaf", "workers=2"],
                           load=f"{CLIENT} {self.port} 2")
        self.assertEqual(result.returncode, 0)
        self.assertIn("was killed", result.text)
        self.nothing_left()

    def test_cannot_be_run(self):
        run = lambda *service: self.heapgauge("soak", "--load", "true", "--", *service)  # noqa: E731
        self.assertEqual(run("/nonexistent/service").returncode, 127)
        self.assertEqual(run("/etc/passwd").returncode, 126)


class Ends(SoakTest):
    def test_too_short(self):
        result = self.soak("--duration", "3s", "--warm-up", "1s")
        self.assertEqual(result.returncode, 2)
        self.assertIn("TOO SHORT TO SAY", result.text)
        self.assertRegex(result.text, r"--duration \d+s would do")

    def test_port_is_taken(self):
        """LOAD would go to whoever has it."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.port))
            other.listen()
            result = self.soak("--duration", "3s", "--wait-port", self.port)
        self.assertEqual(result.returncode, 2)
        self.assertIn("a program listens there already", self.one_line(result))
        self.assertFalse((self.here / "soak").exists())

    def test_allocates_nothing(self):
        # At the default interval one of ten such programs has a sample, by chance.
        result = self.heapgauge("soak", "--load", "sleep 1", "--reports", "soak", "--duration", "3s", "--warm-up", "1s",
                                "--sample-interval", "1TiB", "--wait-command", "true", "--", "sleep", "1000")
        self.assertEqual(result.returncode, 2)
        self.assertIn("NOTHING TO JUDGE", result.stdout)
        self.assertIn("--sample-interval 1KiB", result.stdout.replace("\n", " "))

    def test_interrupted(self):
        process = self.start("soak", "--load", f"{CLIENT} {self.port} 100000 500", "--reports", "soak", "--duration",
                             "1h", "--wait-port", self.port, "--", SERVICE, self.port, "keep=4096")
        support.wait_for((self.here / "soak/load.log").exists, "it to begin")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130)
        print(out)
        self.assertRegex(out, r"INTERRUPTED\ninterrupted by SIGINT after [\d.]+ s\n")
        self.assertIn("the warm-up was not over", out)
        self.assertIn("where RSS went", out)
        self.assertTrue((self.here / "soak/soak.json").exists())
        self.nothing_left()

    def test_killed(self):
        """Nothing of it stays behind."""
        process = self.start("soak", "--load", f"{CLIENT} {self.port} 100000 500", "--reports", "soak", "--duration",
                             "1h", "--wait-port", self.port, "--", SERVICE, self.port)
        support.wait_for(lambda: (self.here / "soak/load.log").exists()
                         and any(self.here.glob("soak/service.*/reports.jsonl")), "it to run")
        process.kill()
        process.wait()
        support.wait_for(lambda: not AcceptsConnections(self.port), "SERVICE to end")

    def test_no_room(self):
        """Neither before it begins, nor when the disk fills on the way."""
        def run(megabytes, fill):
            script = (f"mount -t tmpfs -o size={megabytes}m none full && "
                      + (f"head -c {fill} /dev/zero > full/fill; " if fill else "")
                      + f'exec "$@"')
            (self.here / "full").mkdir(exist_ok=True)
            return subprocess.run(
                ["unshare", "-rm", "sh", "-c", script, "sh", support.COMMAND, "soak", "--load",
                 # Never emptied: a report may come between two runs of LOAD.
                 f"head -c 100000000 /dev/zero >> {self.here}/full/more 2>/dev/null; {CLIENT} {self.port} 2000 500",
                 "--reports", "full/soak", "--duration", "12s", "--warm-up", "2s", "--", SERVICE, str(self.port)],
                cwd=self.here, env=support.clean_environment(), capture_output=True, text=True, timeout=300)
        if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("no namespaces here")
        result = run(4, 0)
        print(result.stdout, result.stderr)
        self.assertEqual(result.returncode, 2)
        self.assertIn("no room for reports", self.one_line(result))
        result = run(12, 0)
        print(result.stdout, result.stderr)
        self.assertEqual(result.returncode, 2)
        self.assertIn("NOTHING TO JUDGE", result.stdout)
        self.assertIn("room on the disk", result.stdout)

    def test_usage(self):
        for arguments, words in (
                ((), "no --load"), (("--load", " "), "no --load"), (("--load", "true"), "no SERVICE"),
                (("--load", "true", "--duration", "soon", "--", "ls"), "--duration soon"),
                (("--load", "true", "--duration", "10s", "--warm-up", "10s", "--", "ls"), "nothing is left"),
                (("--load", "true", "--iterations", "1", "--", "ls"), "--iterations 1"),
                (("--load", "true", "--iterations", "7", "--duration", "5s", "--", "ls"), "no meaning"),
                (("--load", "true", "--iterations", "7", "--warm-up", "5s", "--", "ls"), "a number of iterations"),
                (("--load", "true", "--iterations", "7", "--confirm", "all", "--", "ls"), "--confirm all"),
                (("--load", "true", "--confirm", "7", "--", "ls"), "goes with --iterations"),
                (("--load", "true", "--wait-port", "http", "--", "ls"), "--wait-port http"),
                (("--load", "true", "--wait-port", "1", "--wait-line", "x", "--", "ls"), "more than one"),
                (("--load", "true", "--format", "xml", "--", "ls"), "--format xml"),
                (("--load", "true", "--baseline", "nowhere", "--", "ls"), "no soak.json"),
                (("--load", "true", "-o", "no/such/place", "--", "ls"), "no/such/place"),
                (("--load", "true", "--sample-interval", "0", "--", "ls"), "--sample-interval 0"),
                (("--laod", "true"), "did you mean --load")):
            with self.subTest(arguments):
                result = self.heapgauge("soak", *arguments)
                self.assertEqual(result.returncode, 2)
                self.assertIn(words, self.one_line(result))
        (self.here / "taken").mkdir()
        (self.here / "taken" / "file").touch()
        result = self.heapgauge("soak", "--load", "true", "--reports", "taken", "--", "ls")
        self.assertEqual(result.returncode, 2)
        self.assertIn("new or an empty directory", self.one_line(result))

    def test_formats(self):
        """Of a leak and of a failure: what machines read is well-formed."""
        for name, options, status in (("leak", {"service": ["keep=64"], "load": f"{CLIENT} {self.port} 3"}, 1),
                                      ("failure", {"load": "echo '<&\"]]>`|'; exit 1"}, 3)):
            for kind in ("json", "junit", "markdown", "html"):
                with self.subTest(f"{name} {kind}"):
                    result = self.soak("--iterations", 2, "--confirm", 0, "--format", kind, where=f"{name}.{kind}", **options)
                    self.assertEqual(result.returncode, status)
                    if kind == "json":
                        self.assertEqual(json.loads(result.text)["status"], status)
                    elif kind == "junit":
                        suites = xml.etree.ElementTree.fromstring(result.text)
                        self.assertEqual((suites.get("failures"), suites.get("errors")),
                                         ("1", "0") if status == 1 else ("0", "1"))
                        self.assertEqual(len(suites.findall(".//testcase")), int(suites.get("tests")))
                    else:
                        self.assertIn("KeepForEver" if status == 1 else "LOAD FAILED", result.text)
                        if kind == "html":
                            xml.etree.ElementTree.fromstring(re.sub(r"<meta [^>]*>", "", result.text.partition("\n")[2]))

    def test_terminal(self):
        """On a terminal one line says how far it has come, and is taken away again."""
        leader, follower = pty.openpty()
        environment = support.clean_environment(TERM="xterm")
        process = subprocess.Popen([support.COMMAND, "soak", "--load", f"{CLIENT} {self.port} 100 500", "--duration", "4s",
                                    "--reports", "soak", "-o", "out", "--wait-port", str(self.port), "--",
                                    SERVICE, str(self.port)],
                                   cwd=self.here, env=environment, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        said = b""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.2)[0]:
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    piece = b""
                if not piece:
                    break
                said += piece
        process.wait()
        os.close(leader)
        for words in (b"soak: ", b"RSS ", b"live ", b" left", b"\r\x1b[K"):
            self.assertIn(words, said)


def AcceptsConnections(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    support.main()
