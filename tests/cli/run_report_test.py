"""`heapgauge run` and `heapgauge report` together: the report is where the last line says, private, and readable."""
import gzip
import json
import os
import pathlib
import pty
import shutil
import signal
import sys

from support import COMMAND, PYTHON, CommandTest, clean_environment, main

# Leaves some 20 MB behind that nobody frees, not even the interpreter at its end.
GROWING = "import ctypes; libc = ctypes.CDLL(None); [libc.malloc(100_000) for _ in range(200)]"


class Report(CommandTest):
    def run_growing(self, *options, **more):
        return self.heapgauge("run", *options, "--", PYTHON, "-c", GROWING, **more)

    def test_the_last_line_says_where_the_report_is(self):
        result = self.run_growing()
        self.assertEqual(result.returncode, 0)
        [directory] = self.directories()
        self.assertRegex(directory, r"^heapgauge\.python3[.0-9]*\.\d+$")
        self.assertEqual(self.last_line(result), f"report: {directory}/report.txt")
        path = self.here / directory
        self.assertEqual(path.stat().st_mode & 0o777, 0o700)
        for name in ("report.txt", "reports.jsonl"):
            self.assertEqual((path / name).stat().st_mode & 0o777, 0o600)
        self.assertEqual((path / "report.txt").read_text().splitlines()[0].split(":")[0], "heapgauge report 1")

    def test_report_shows_what_run_wrote(self):
        self.run_growing("--sample-interval", "64KiB")
        directory = self.directories()[0]
        text = self.heapgauge("report", directory)
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertEqual(text.stdout, (self.here / directory / "report.txt").read_text())
        report = json.loads(self.heapgauge("report", directory, "--format", "json").stdout)
        self.assertEqual(report["schema"], "heapgauge.report/1")
        self.assertTrue(report["final"])
        self.assertGreater(report["totals"]["live_bytes"], 10_000_000)
        self.assertGreater(report["sites"][0]["live_bytes"], 10_000_000)
        self.assertEqual(self.heapgauge("report", directory, "--format", "pprof", "-o", "h.pb.gz").returncode, 0)
        self.assertIn(b"inuse_space", gzip.decompress((self.here / "h.pb.gz").read_bytes()))
        folded = self.heapgauge("report", directory, "--format", "folded", "--top", "1").stdout
        self.assertGreater(int(folded.splitlines()[0].rpartition(" ")[2]), 10_000_000)

    def test_temporary_allocations_and_the_peak(self):
        script = ("import ctypes; libc = ctypes.CDLL(None); m = libc.malloc; f = libc.free\n"
                  "m.restype = ctypes.c_void_p; f.argtypes = [ctypes.c_void_p]\n"
                  "for _ in range(50_000): f(m(7_777))\n"
                  "high = [m(100_000) for _ in range(200)]\n"
                  "[f(p) for p in high]\n")
        # At one report all of it is temporary, the peak's blocks too; no report has seen the peak.
        for interval, error in (("1", 0.001), ("64KiB", 0.1)):
            result = self.heapgauge("run", "--sample-interval", interval, "--output", "out" + interval, "--",
                                    PYTHON, "-c", script)
            self.assertEqual(result.returncode, 0, result.stderr)
            report = json.loads(self.heapgauge("report", "out" + interval, "--format", "json").stdout)
            [at] = [site for site in report["temporary"]["callsites"] if site["bytes"] > 300_000_000]
            self.assertAlmostEqual(at["bytes"] / (50_000 * 7_777 + 20_000_000), 1, delta=error)
            self.assertAlmostEqual(at["objects"] / 50_200, 1, delta=2 * error + 0.001)
            self.assertGreaterEqual(report["temporary"]["bytes"], at["bytes"])
            text = self.heapgauge("report", "out" + interval, "--temporary")
            self.assertEqual((text.returncode, text.stderr), (0, ""))
            self.assertRegex(text.stdout, r"(?s)^Temporary allocations: .*objects +share +bytes +error +call site\n")
            self.assertRegex(text.stdout, r"100 % +\d+ MiB ")
            self.assertGreaterEqual(report["peak"]["live_bytes"], report["totals"]["live_bytes"])
        self.assertEqual(self.heapgauge("report", "out1", "--temporary", "--format", "json").returncode, 2)
        self.assertEqual(self.heapgauge("report", "out1", "--temporary", "--by", "peer").returncode, 2)

    def test_a_process_that_allocates_nothing_has_a_report_all_the_same(self):
        result = self.heapgauge("run", "true")
        self.assertRegex(self.last_line(result), r"^report: heapgauge\.true\.\d+/report\.txt$")

    def test_colour_only_on_a_terminal_and_never_with_no_color(self):
        self.run_growing()
        directory = self.directories()[0]

        def on_terminal(**more):
            pid, terminal = pty.fork()
            if pid == 0:
                os.chdir(self.here)
                os.execve(COMMAND, [COMMAND, "report", directory], clean_environment(TERM="xterm", **more))
            shown = b""
            try:
                while chunk := os.read(terminal, 65536):
                    shown += chunk
            except OSError:
                pass
            os.close(terminal)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
            return shown

        self.assertIn(b"\x1b[", on_terminal())
        self.assertNotIn(b"\x1b[", on_terminal(NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.heapgauge("report", directory).stdout)


class Directory(CommandTest):
    def test_a_pattern_is_expanded_and_survives_a_change_of_directory(self):
        script = f"import os; os.chdir('/'); {GROWING}"
        result = self.heapgauge("run", "--output", "out dir/%h/%e 100%%", "--", PYTHON, "-c", script)
        [path] = self.here.glob("out dir/*/python3* 100%/report.txt")
        self.assertEqual(self.last_line(result), f"report: {path.relative_to(self.here)}")

    def test_runs_one_after_the_other_have_each_their_own(self):
        """Within one second, by which files' times would not be told apart."""
        lines = [self.last_line(self.heapgauge("run", *options, "--", "true"))
                 for options in ((), (), ("--only", "nothing"), ("--output", "same"), ("--output", "same"))]
        self.assertEqual(len((self.here / "same/reports.jsonl").read_text().splitlines()), 2)
        self.assertRegex(lines[0], r"^report: heapgauge\.true\.\d+/report\.txt$")
        self.assertRegex(lines[1], r"^report: heapgauge\.true\.\d+/report\.txt$")
        self.assertNotEqual(lines[0], lines[1])
        self.assertTrue(lines[2].startswith("no report: "), lines)
        self.assertEqual(lines[3:], ["report: same/report.txt"] * 2)

    def test_the_variable_counts_where_there_is_no_option(self):
        self.heapgauge("run", "true", env=clean_environment(HEAPGAUGE_OUTPUT="elsewhere"))
        self.assertTrue((self.here / "elsewhere/report.txt").exists())

    def test_an_impossible_directory_means_tmpdir_and_one_line(self):
        (self.here / "file").write_text("")
        (self.here / "tmp").mkdir()
        result = self.heapgauge("run", "--output", "file/out.%e", "true", env=clean_environment(TMPDIR=f"{self.here}/tmp"))
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr.splitlines(),
                         [f"heapgauge: cannot make {self.here}/file/out.true: Not a directory; reports go to "
                          f"{self.here}/tmp/out.true", "heapgauge: report: tmp/out.true/report.txt"])

    def test_a_symbolic_link_is_never_followed(self):
        (self.here / "target").mkdir(mode=0o700)
        (self.here / "tmp").mkdir()
        (self.here / "link").symlink_to("target")
        result = self.heapgauge("run", "--output", "link", "true", env=clean_environment(TMPDIR=f"{self.here}/tmp"))
        self.assertIn("is a symbolic link", result.stderr)
        self.assertEqual(list((self.here / "target").iterdir()), [])
        self.assertTrue((self.here / "tmp/link/report.txt").exists())

    def test_where_nothing_can_be_made_the_program_runs_all_the_same(self):
        (self.here / "file").write_text("")
        result = self.heapgauge("run", "--output", "file/out", "echo", "hello",
                                env=clean_environment(TMPDIR=f"{self.here}/file"))
        self.assertEqual((result.returncode, result.stdout), (0, "hello\n"))
        self.assertEqual(self.last_line(result), "no report: no directory for it could be made")

    def test_children_are_counted(self):
        script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GROWING!r}]); {GROWING}"
        result = self.heapgauge("run", PYTHON, "-c", script)
        self.assertRegex(self.last_line(result), r"^report: \S+/report.txt \(with 1 short-lived child\)$")
        result = self.heapgauge("run", "--children", "full", "--output", "each.%e.%p", PYTHON, "-c", script)
        self.assertRegex(self.last_line(result), r"^report: \S+/report.txt \(and 1 more from child processes, e.g. \S+\)$")

    def test_a_program_that_becomes_another_is_found_under_its_new_name(self):
        result = self.heapgauge("run", "env", PYTHON, "-c", GROWING)
        [directory] = self.directories()  # the mark for env was taken away
        self.assertRegex(directory, r"^heapgauge\.python3")
        self.assertEqual(self.last_line(result), f"report: {directory}/report.txt")


class NoReport(CommandTest):
    def test_killed_before_the_first_report(self):
        result = self.heapgauge("run", "sh", "-c", "kill -KILL $$")
        self.assertEqual(result.returncode, -signal.SIGKILL)
        self.assertIn("no report: CMD was killed by signal 9 (Killed)", self.last_line(result))
        self.assertEqual(self.directories(), [])

    def test_killed_and_never_sampled(self):
        """No interval would have left a report: then none is blamed."""
        result = self.heapgauge("run", "--report-interval", "1s", "--sample-interval", "1TiB", "sh", "-c",
                                "sleep 1.5; kill -KILL $$")
        line = self.last_line(result)
        self.assertIn("no report: CMD was killed by signal 9 (Killed)", line)
        self.assertIn("only if an allocation was sampled", line)
        self.assertNotIn("would have", line)
        self.assertEqual(self.directories(), [])

    def test_a_static_program_runs_untracked_and_says_so(self):
        program = pathlib.Path(COMMAND).parent / "cli_static_program"
        result = self.heapgauge("run", program)
        self.assertEqual((result.returncode, result.stdout), (0, "static\n"))
        self.assertEqual(self.last_line(result), "no report: it is statically linked, so nothing can be preloaded")
        self.assertEqual(self.directories(), [])


class Installed(CommandTest):
    def test_a_prefix_with_spaces_and_colons_works(self):
        built = pathlib.Path(COMMAND).parent.parent
        prefix = self.here / "my tools: new"
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib").mkdir()
        shutil.copy2(COMMAND, prefix / "bin/heapgauge")
        for library in (built / "lib").glob("libheapgauge*.so*"):
            shutil.copy2(library, prefix / "lib")
        shutil.copytree(built / "libexec", prefix / "libexec")
        runtime = self.here / "run"
        runtime.mkdir(mode=0o700)
        result = self.heapgauge("run", "--", PYTHON, "-c", GROWING, command=prefix / "bin/heapgauge",
                                env=clean_environment(XDG_RUNTIME_DIR=str(runtime)))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(self.last_line(result), r"^report: heapgauge\.python3\S+/report\.txt$")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_a_missing_library_is_one_line_and_126(self):
        (self.here / "bin").mkdir()
        shutil.copy2(COMMAND, self.here / "bin/heapgauge")
        result = self.heapgauge("run", "true", command=self.here / "bin/heapgauge")
        self.assertEqual(result.returncode, 126)
        self.assertIn("libheapgauge.so is missing", self.one_line(result))


sys.stdout.flush()
main()
