"""`heapgauge report` on what is no file: pipes, devices, sockets, by name and in the place of a report directory's files.  It
answers with one line and status 2, and waits for nobody; a pipe that somebody writes to is read."""
import os
import pathlib
import socket
import subprocess
import sys
import threading

from support import COMMAND, CommandTest, clean_environment, main

REPORT = '{"schema":"heapgauge.report/1","sequence":7,"pid":1,"exe":"/bin/x","sites":[]}\n'


class Input(CommandTest):
    def refused(self, path, *words):
        for form in ("text", "json", "pprof"):
            result = self.heapgauge("report", path, "--format", form, "-o", "out")
            self.assertEqual(result.returncode, 2, path)
            line = self.one_line(result)
            for word in words:
                self.assertIn(word, line)

    def directory(self, name, make):
        path = self.here / f"{name}.{len(list(self.here.iterdir()))}"
        path.mkdir()
        make(path / name)
        return path

    def test_a_pipe_that_nobody_writes_to(self):
        os.mkfifo(self.here / "pipe")
        self.refused("pipe", "pipe", "nobody writes")
        os.symlink("pipe", self.here / "link")
        self.refused("link", "nobody writes")

    def test_a_pipe_whose_writer_says_nothing(self):
        os.mkfifo(self.here / "pipe")
        writer = os.open(self.here / "pipe", os.O_RDWR)
        self.addCleanup(os.close, writer)
        self.refused("pipe", "nobody writes")

    def test_a_pipe_that_is_written_to(self):
        os.mkfifo(self.here / "pipe")
        writer = threading.Thread(target=lambda: (self.here / "pipe").write_text(REPORT * 3))
        writer.start()
        result = self.heapgauge("report", "pipe", "--format", "json")
        writer.join()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn('"sequence":7', result.stdout)

    def test_standard_input(self):
        result = self.heapgauge("report", "/dev/stdin", input=REPORT)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("heapgauge report 7", result.stdout)
        result = self.heapgauge("report", "/dev/stdin", input="nonsense\n")
        self.assertEqual(result.returncode, 2)
        self.assertIn("no report in", self.one_line(result))
        shell = subprocess.run(["bash", "-c", '"$0" report <(sleep 0.2; printf %s "$1")', COMMAND, REPORT], check=False,
                               capture_output=True, text=True, env=clean_environment(), timeout=60)
        self.assertEqual((shell.returncode, shell.stderr), (0, ""))

    def test_in_the_place_of_a_directorys_files(self):
        for name in ("reports.jsonl", "reports.jsonl.1"):
            self.refused(self.directory(name, os.mkfifo), "pipe")
        self.refused(self.directory("reports.jsonl", lambda path: path.mkdir()), "is a directory")
        self.refused(self.directory("reports.jsonl", lambda path: path.symlink_to("/dev/zero")), "is a device")
        for name in ("report.txt", "heap.pb.gz", "children.jsonl", "reports.jsonl.1"):  # beside a sound file
            path = self.directory(name, os.mkfifo)
            (path / "reports.jsonl").write_text(REPORT)
            result = self.heapgauge("report", path)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_devices_and_sockets(self):
        for device in ("/dev/zero", "/dev/null", "/dev/full"):
            self.refused(device, "is a device")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.here / "socket"))
            self.refused("socket", "is a socket")
        self.refused(self.here / "none", "No such file")

    def test_the_kernels_views_of_itself(self):
        """They look like files; some keep a reader waiting for what is to come."""
        for view in ("/proc/kmsg", "/proc/self/status", "/proc/self/environ", "/sys/kernel/notes"):
            if os.path.exists(view):
                self.refused(view, "it is the kernel's, not a file")
        self.refused(self.directory("reports.jsonl", lambda path: path.symlink_to("/proc/kmsg")), "is the kernel's")
        result = self.heapgauge("diff", "/proc/kmsg", "/proc/kmsg")
        self.assertEqual(result.returncode, 2)
        self.assertIn("is the kernel's", self.one_line(result))

    def test_a_profile_that_is_a_pipe(self):
        os.mkfifo(self.here / "heap.pb.gz")
        self.refused("heap.pb.gz", "nobody writes")


assert pathlib.Path(COMMAND).exists()
sys.stdout.flush()
main()
