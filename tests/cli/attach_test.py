"""`heapgauge attach`: what a process allocates from then on is known to the byte, what it had before passes through,
and whatever happens to the command, the process goes on as if nothing had been."""
import ctypes
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

import support  # takes the command off the arguments
from support import COMMAND, CommandTest, clean_environment, main, wait_for

VICTIM, MODULE, STATIC = (os.path.realpath(sys.argv.pop(1)) for _ in range(3))
ALLOCATORS = [path for path in ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
                                "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4",
                                "/usr/lib/x86_64-linux-gnu/libmimalloc.so.2") if os.path.exists(path)]
LIBRARY = os.path.join(os.path.dirname(os.path.dirname(COMMAND)), "lib", "libheapgauge.so")


class Victim:
    """The victim and a conversation with it."""

    def __init__(self, test, *arguments, **variables):
        self.process = subprocess.Popen([VICTIM, *map(str, arguments)], cwd=test.here, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=clean_environment(**variables))
        test.addCleanup(self.process.stderr.close)
        test.addCleanup(self.process.stdout.close)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        test.addCleanup(self.process.stdin.close)
        self.pid = self.process.pid
        test.assertEqual(self.process.stdout.readline(), "ready\n")

    def begin(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().strip()

    def say(self, *words):
        self.begin(*words)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(60)
        return status, self.process.stderr.read()

    def status(self, field, thread=None):
        place = f"/proc/{self.pid}/task/{thread}" if thread else f"/proc/{self.pid}"
        with open(f"{place}/status", encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)[field]

    def blocks_signals(self):
        """True when a thread of its own does; ours may end while we look."""
        for task in self.threads():
            try:
                own = not self.status("Name", task).startswith("heapgauge")
                if own and int(self.status("SigBlk", task), 16) != 0:
                    return True
            except (FileNotFoundError, ProcessLookupError):
                pass
        return False

    def threads(self):
        return [int(task) for task in os.listdir(f"/proc/{self.pid}/task")]

    def is_loaded(self):
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as file:
            return "libheapgauge" in file.read()


class AttachTest(CommandTest):
    def attach(self, victim, *options):
        """Returns the directory that the command's one line names."""
        result = self.heapgauge("attach", *options, victim.pid)
        self.assertEqual(result.returncode, 0, result.stderr)
        line = self.one_line(result)
        before, _, after = line.partition("; report: ")
        self.assertIn(f"({victim.pid})", before)
        self.assertTrue(after.endswith("/report.txt"), line)
        self.assertTrue(os.path.exists(after), line)
        return os.path.dirname(after)

    def reports(self, directory):
        with open(os.path.join(directory, "reports.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]  # whole ones: more may be being written

    def live(self, report, module):
        """(bytes, blocks) of the sites whose leaf lies in `module`."""
        sites = [site for site in report["sites"] if site["frames"] and site["frames"][0]["module"] == module]
        return sum(site["live_bytes"] for site in sites), sum(site["live_objects"] for site in sites)

    def final(self, victim, directory):
        self.assertEqual(victim.end(), (17, ""))
        report = self.reports(directory)[-1]
        self.assertTrue(report["final"])
        self.assertEqual(report["pid"], victim.pid)
        return report

    def refused(self, *arguments, **options):
        result = self.heapgauge("attach", *arguments, **options)
        self.assertEqual(result.returncode, 2, result.stderr)
        return self.one_line(result)


class Account(AttachTest):
    def test_what_is_allocated_from_now_on_is_known_to_the_byte(self):
        for preload in [None, *ALLOCATORS]:
            with self.subTest(preload=preload):
                victim = Victim(self, 2, **({"LD_PRELOAD": preload} if preload else {}))
                victim.say("hold", 50, 2000)
                directory = self.attach(victim, "--sample-interval", 1, "--report-interval", "1h")
                self.assertEqual(directory, str(self.here / f"heapgauge.attach_victim.{victim.pid}"))
                victim.say("hold", 100, 1000)
                victim.say("release", 120)  # 20 of them from before
                victim.say("hold", 7, 100_000)
                victim.say("thread", 11, 333)
                victim.say("release", 1)
                report = self.final(victim, directory)
                self.assertEqual(self.live(report, VICTIM), (7 * 100_000 + 10 * 333, 17))
                self.assertEqual(report["sampling"]["coverage"], 1, report["sampling"])
                self.assertLess(report["uptime_s"], 60)

    def test_sampled_it_is_near(self):
        victim = Victim(self)
        victim.say("hold", 1000, 3000)
        directory = self.attach(victim, "--sample-interval", "4KiB")
        victim.say("hold", 10_000, 1000)
        live, _ = self.live(self.final(victim, directory), VICTIM)
        # Six standard deviations of the Poisson process.
        self.assertLess(abs(live - 10e6), 6 * (10e6 * 4096) ** 0.5)

    def test_a_block_from_before_may_grow_and_die(self):
        victim = Victim(self)
        victim.say("hold", 20, 500)
        directory = self.attach(victim, "--sample-interval", 1)
        victim.say("grow", 10, 50_000)
        victim.say("release", 4)
        self.assertEqual(self.live(self.final(victim, directory), VICTIM), (6 * 50_000, 6))

    def test_a_module_that_comes_later_is_followed(self):
        victim = Victim(self)
        directory = self.attach(victim, "--sample-interval", 1)
        self.assertEqual(victim.say("load", MODULE), "ok")
        time.sleep(2)  # the report thread looks for modules every quarter of a second
        victim.say("module", 40, 777)
        self.assertEqual(self.live(self.final(victim, directory), MODULE), (40 * 777, 40))

    def test_stop_and_start_again(self):
        victim = Victim(self)
        directory = self.attach(victim, "--sample-interval", 1)
        victim.say("hold", 10, 1000)
        stopped = self.heapgauge("attach", "--stop", victim.pid)
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertIn(f"no longer tracking attach_victim ({victim.pid}); report: {directory}", self.one_line(stopped))
        victim.say("hold", 5, 5000)
        victim.say("release", 8)  # three that are known among them
        self.assertEqual(self.attach(victim), directory)
        victim.say("hold", 2, 70)
        self.assertEqual(self.live(self.final(victim, directory), VICTIM), (7 * 1000 + 2 * 70, 9))

    def test_one_that_was_preloaded_and_idle_is_started(self):
        victim = Victim(self, LD_PRELOAD=LIBRARY, HEAPGAUGE_START="off", HEAPGAUGE_SAMPLE_INTERVAL="1")
        victim.say("hold", 3, 3000)
        directory = self.attach(victim)
        victim.say("hold", 4, 4000)
        self.assertEqual(self.live(self.final(victim, directory), VICTIM), (16_000, 4))

    def test_options_are_those_of_run(self):
        victim = Victim(self)
        directory = self.attach(victim, "--sample-interval", "64KiB", "--output", self.here / "to.%e.%h",
                                "--unwind", "dwarf")
        self.assertTrue(os.path.basename(directory).startswith("to.attach_victim."))
        sampling = self.final(victim, directory)["sampling"]
        self.assertEqual((sampling["interval_bytes"], sampling["unwind"]), (65536, "dwarf"))


class Untouched(AttachTest):
    def test_a_sleep_is_as_long_as_it_was_meant(self):
        for words in (["sleep", 1500], ["vectors", 1500]):
            victim = Victim(self)
            victim.begin(*words)
            time.sleep(0.7)
            directory = self.attach(victim)
            answer = victim.answer()
            if words[0] == "sleep":
                self.assertTrue(answer.endswith(": ok"), answer)
                # Begun anew it would take 2200.
                self.assertTrue(1490 <= int(answer.split()[1]) < 2100, answer)
            else:
                self.assertEqual(answer, "ok")
            self.final(victim, directory)

    def test_a_thread_inside_malloc_is_left_alone(self):
        """The call that makes our thread takes malloc's lock: borrowed there, the thread would wait for itself."""
        for _ in range(6):
            victim = Victim(self)
            victim.begin("mallocs", 700)
            time.sleep(0.1)
            before = time.monotonic()
            directory = self.attach(victim, "--sample-interval", 1)
            self.assertLess(time.monotonic() - before, 20)
            self.assertEqual(victim.answer(), "ok")
            victim.say("hold", 5, 55)
            self.assertEqual(self.live(self.final(victim, directory), VICTIM), (275, 5))

    def test_five_hundred_threads(self):
        victim = Victim(self, 500)
        directory = self.attach(victim, "--sample-interval", 1)
        time.sleep(0.2)
        victim.say("thread", 9, 900)
        report = self.final(victim, directory)
        self.assertEqual(self.live(report, VICTIM), (8100, 9))
        self.assertGreater(report["totals"]["allocated_objects"], 500)

    def test_nothing_is_left_when_the_command_is_ended_in_the_midst(self):
        """By signals that it may prepare for, and by SIGKILL: the kernel then lets the thread go on."""
        chance = random.Random(7)
        victim = Victim(self, 2)
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGKILL] * 8:
            command = self.start("attach", "--sample-interval", "64KiB", victim.pid)
            time.sleep(chance.uniform(0, 0.03))
            command.send_signal(number)
            command.wait(60)
            self.assertEqual(victim.say("hold", 10, 100), "ok")
            self.assertNotIn(victim.status("State")[0], "TtZ")
            wait_for(lambda: not victim.blocks_signals(), "signal masks")
            if victim.is_loaded():
                self.assertEqual(victim.end()[0], 17)
                victim = Victim(self, 2)
        self.assertEqual(victim.end()[0], 17)

    def test_its_memory_is_taken_away_again(self):
        victim = Victim(self)
        for _ in range(3):
            self.attach(victim)
        def strangers():
            with open(f"/proc/{victim.pid}/maps", encoding="utf-8") as file:
                return [line for line in file if len(line.split()) == 5 and "r-xp" in line]
        wait_for(lambda: not strangers(), "the command's code to go")
        wait_for(lambda: len(victim.threads()) == 3, "the command's thread to go")  # the report thread stays
        self.assertEqual(victim.end()[0], 17)


class Refused(AttachTest):
    def test_wrong_usage(self):
        self.assertIn("no process", self.refused())
        self.assertIn("frob: not the number", self.refused("frob"))
        self.assertIn("-3", self.refused("--", "-3"))
        self.assertIn("--sample-interval", self.refused("--sample-interval", "lots", "1"))
        self.assertIn("takes no other options", self.refused("--stop", "--output", "x", "1"))

    def test_what_is_not_there_or_has_ended(self):
        self.assertIn("there is no such process", self.refused(2 ** 22 + 1))
        zombie = subprocess.Popen(["true"])
        self.addCleanup(zombie.wait)
        wait_for(lambda: os.path.exists(f"/proc/{zombie.pid}/exe") is False, "the zombie")
        self.assertIn("it has ended", self.refused(zombie.pid))

    def test_a_thread_names_its_process(self):
        victim = Victim(self)
        other = next(task for task in victim.threads() if task != victim.pid)
        self.assertIn(f"it is a thread; its process is {victim.pid}", self.refused(other))

    def test_a_stopped_one_stays_stopped(self):
        victim = Victim(self)
        os.kill(victim.pid, signal.SIGSTOP)
        wait_for(lambda: victim.status("State").startswith("T"), "the stop")
        self.assertIn(f"kill -CONT {victim.pid}", self.refused(victim.pid))
        self.assertTrue(victim.status("State").startswith("T"))
        os.kill(victim.pid, signal.SIGCONT)
        self.assertEqual(victim.say("hold", 1, 1), "ok")

    def test_one_that_is_traced(self):
        victim = Victim(self)
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace_seize, ptrace_interrupt, ptrace_detach = 0x4206, 0x4207, 17
        if ptrace(ptrace_seize, victim.pid, None, None) != 0:
            self.skipTest("tracing is not permitted")
        self.assertIn(f"process {os.getpid()} (a debugger?) traces it already", self.refused(victim.pid))
        ptrace(ptrace_interrupt, victim.pid, None, None)
        os.waitpid(victim.pid, 0)
        ptrace(ptrace_detach, victim.pid, None, None)
        self.assertEqual(victim.say("hold", 1, 1), "ok")

    def test_a_static_program(self):
        program = subprocess.Popen([STATIC, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.stdin.close)
        program.stdout.readline()
        self.assertIn("statically linked", self.refused(program.pid))

    def test_not_tracked_can_not_be_stopped(self):
        victim = Victim(self)
        self.assertIn("heapgauge is not in it", self.refused("--stop", victim.pid))

    def test_a_seccomp_filter(self):
        code = ("import ctypes,sys; libc = ctypes.CDLL(None); libc.prctl(38, 1, 0, 0, 0);"
                "allow = (ctypes.c_uint64 * 1)(0x7fff000000000006);"
                "program = (ctypes.c_uint64 * 2)(1, ctypes.addressof(allow));"
                "print(libc.prctl(22, 2, program), flush=True); sys.stdin.read()")
        program = subprocess.Popen([support.PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   cwd=self.here)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.stdin.close)
        if program.stdout.readline() != b"0\n":
            self.skipTest("no seccomp filters here")
        self.assertIn("--allow-seccomp", self.refused(program.pid))
        result = self.heapgauge("attach", "--allow-seccomp", program.pid)
        self.assertEqual(result.returncode, 0, result.stderr)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_another_users(self):
        victim = Victim(self)
        self.here.chmod(0o755)
        result = subprocess.run([COMMAND, "attach", str(victim.pid)], cwd="/", user=65534, env=clean_environment(),
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("ask as that user or as root", result.stderr)
        self.assertFalse(victim.is_loaded())

    @unittest.skipIf(os.geteuid() != 0 or not glob.glob("/lib/x86_64-linux-gnu/libc.so.6"), "needs root")
    def test_where_the_library_is_not(self):
        """Another root, as containers have."""
        victim = self.here / "root"
        for path in (VICTIM, "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"):
            to = victim / path.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
        process = subprocess.Popen([VICTIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=lambda: os.chroot(victim))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.assertIn("does not exist where it runs", self.refused(process.pid))

    def test_a_program_with_an_allocator_in_it(self):
        own = os.path.join(os.path.dirname(VICTIM), "attach_own_allocator")
        process = subprocess.Popen([own], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        line = self.refused(process.pid)
        self.assertIn("it has an allocator of its own linked in", line)
        process.stdin.close()
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(process.stderr.read(), b"")


main()
