"""`heapgauge run`: the exit status is CMD's, what can't be run says so, and CMD sees and shows what it would alone."""
import signal
import subprocess

from support import COMMAND, PYTHON, TIMEOUT_S, CommandTest, clean_environment, main


class ExitStatus(CommandTest):
    def test_the_exit_status_is_the_commands(self):
        for status in (0, 1, 2, 7, 126, 127, 255):
            self.assertEqual(self.heapgauge("run", "--", "sh", "-c", f"exit {status}").returncode, status)

    def test_a_fatal_signal_is_passed_on(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1, signal.SIGPIPE):
            result = self.heapgauge("run", "sh", "-c", f"kill -{int(number)} $$")
            self.assertEqual(result.returncode, -number)

    def test_a_shell_sees_128_plus_the_signal(self):
        result = subprocess.run(["sh", "-c", '"$0" run -- sh -c "kill -TERM \\$\\$"; echo $?', COMMAND], cwd=self.here,
                                env=clean_environment(), capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(result.stdout, "143\n")

    def test_no_second_core_file(self):
        self.heapgauge("run", "sh", "-c", "ulimit -c 0; kill -ABRT $$")
        self.assertEqual([p.name for p in self.here.iterdir() if p.name.startswith("core")], [])


class CannotRun(CommandTest):
    def refused(self, status, *arguments):
        result = self.heapgauge(*arguments)
        self.assertEqual(result.returncode, status)
        self.assertEqual(self.directories(), [])  # nothing left behind
        return self.one_line(result)

    def test_not_found_is_127(self):
        self.assertEqual(self.refused(127, "run", "no-such-program"), "cannot run no-such-program: not found in PATH")
        self.assertEqual(self.refused(127, "run", "./none"), "cannot run ./none: no such file")

    def test_not_runnable_is_126(self):
        self.assertIn("it is a directory", self.refused(126, "run", "/"))
        self.assertIn("not executable", self.refused(126, "run", "/etc/passwd"))
        script = self.here / "script"
        script.write_text("#!/no/such/shell\n")
        script.chmod(0o755)
        self.assertIn("/no/such/shell, which does not exist", self.refused(126, "run", script))
        binary = self.here / "binary"
        binary.write_bytes(b"\0\1\2\3")
        binary.chmod(0o755)
        self.assertIn("Exec format error", self.refused(126, "run", binary))

    def test_wrong_options_are_2_and_nothing_runs(self):
        marker = self.here / "ran"
        for bad in (["--sample-interval", "lots"], ["--report-interval", "-1"], ["--follow", "me"], ["--nonsense"],
                    ["--max-frames", "1e9"], ["--cpu-budget", "101%"], ["--http", "everywhere"]):
            line = self.refused(2, "run", *bad, "--", "touch", marker)
            self.assertIn(bad[0], line)
        self.assertFalse(marker.exists())
        self.assertIn("no command to run", self.refused(2, "run"))


class Transparency(CommandTest):
    def test_input_and_output_pass_untouched(self):
        data = "line\n\tÄ\x1b[1m no newline at the end"
        result = self.heapgauge("run", "cat", input=data)
        self.assertEqual(result.stdout, data)

    def test_arguments_arrive_as_given(self):
        arguments = ["", " ", "--output", "--", "-x", "a b", "ü", "$HOME", "*"]
        result = self.heapgauge("run", "--", PYTHON, "-c", "import sys; print(sys.argv[1:])", *arguments)
        self.assertEqual(result.stdout, f"{arguments}\n")

    def test_a_path_with_spaces_runs(self):
        program = self.here / "my program"
        program.write_text("#!/bin/sh\necho \"$0\"\n")
        program.chmod(0o755)
        self.assertEqual(self.heapgauge("run", "./my program").stdout, "./my program\n")

    def test_a_script_without_first_line_runs_as_shells_do(self):
        program = self.here / "plain"
        program.write_text("echo $1-$#\n")
        program.chmod(0o755)
        self.assertEqual(self.heapgauge("run", program, "x", "y").stdout, "x-2\n")

    def test_options_reach_the_command_as_variables(self):
        result = self.heapgauge("run", "--sample-interval", "64KiB", "--output", "a %p", "--follow=none", "env")
        variables = dict(line.split("=", 1) for line in result.stdout.splitlines())
        self.assertEqual(variables["HEAPGAUGE_SAMPLE_INTERVAL"], "64KiB")
        self.assertEqual(variables["HEAPGAUGE_FOLLOW"], "none")
        self.assertEqual(variables["HEAPGAUGE_OUTPUT"], f"{self.here}/a %p")
        self.assertNotIn("HEAPGAUGE_UNWIND", variables)

    def test_our_library_is_first_and_the_users_stay(self):
        env = clean_environment(LD_PRELOAD="libm.so.6 libdl.so.2")
        result = self.heapgauge("run", "env", env=env)
        value = [line for line in result.stdout.splitlines() if line.startswith("LD_PRELOAD=")][0]
        first, *rest = value[len("LD_PRELOAD="):].split(":")
        self.assertTrue(first.endswith("/libheapgauge.so"), value)
        self.assertEqual(rest, ["libm.so.6", "libdl.so.2"])


main()
