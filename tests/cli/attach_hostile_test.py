"""`heapgauge attach` to a process whose modules lie: answered by one line, without waiting, within bounds."""
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys

from support import PYTHON, CommandTest, clean_environment, main

VICTIM = os.path.realpath(sys.argv.pop(1))

# Maps the files it is given, each from its first byte, and waits.
MAPS = """
import mmap, os, sys
kept = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        kept.append(mmap.mmap(file.fileno(), min(os.fstat(file.fileno()).st_size, 1 << 27),
                              prot=mmap.PROT_READ | mmap.PROT_EXEC))
print("ready", flush=True)
sys.stdin.read()
"""


def module(dynamic_bytes, symbols=0, names=0, unwinding=0):
    """An ELF file whose dynamic section names `symbols` functions, all with the same name, `names` bytes long.
    `unwinding`: so much of it is said to be unwind tables."""
    at = 4096
    strings = at + 24 * symbols
    entries = struct.pack("<6Q", 6, at, 5, strings, 10, names) + bytes(16)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 64, 0, 0, 64, 56, 3, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, strings + names, strings + names, 4096)
    dynamic = struct.pack("<IIQQQQQQ", 2, 4, 1024, 1024, 1024, len(entries), dynamic_bytes, 8)
    tables = struct.pack("<IIQQQQQQ", 0x6474E550 if unwinding else 0, 4, at, at, at, unwinding, unwinding, 4)
    start = (header + load + dynamic + tables).ljust(1024, b"\0") + entries
    symbol = struct.pack("<IBBHQQ", 0, 2, 0, 1, 0, 0)
    return start.ljust(at, b"\0") + symbol * symbols + b"n" * names


class Hostile(CommandTest):
    def start_victim(self, *command, **options):
        victim = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env=clean_environment(), cwd=self.here, **options)
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        self.addCleanup(victim.stdout.close)
        self.addCleanup(victim.stdin.close)
        said = victim.stdout.readline()
        if said.startswith("skip"):
            self.skipTest(said.strip())
        self.assertEqual(said, "ready\n")
        return victim

    def attach_to(self, pid):
        """The command's one line, which comes in time and costs no more memory than it is allowed to."""
        limit = 6 << 30
        result = self.heapgauge("attach", pid, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertIn(result.returncode, (0, 2), result.stderr)
        line = self.one_line(result)
        self.assertTrue(line.isprintable(), line)
        self.assertNotIn("bad_alloc", line)
        self.assertNotIn("glibc 2", line)
        self.assertEqual(line.startswith("tracking "), result.returncode == 0, line)
        self.assertTrue(result.returncode == 0 or line.startswith(f"cannot attach to {pid}: "), line)
        return line

    def attach(self, *paths, before=lambda: None):
        victim = self.start_victim(PYTHON, "-c", MAPS, *paths)
        before()
        line = self.attach_to(victim.pid)
        self.assertIsNone(victim.poll())
        return line

    def lie(self, *words, **options):
        """To a liar, who lives on."""
        victim = self.start_victim(VICTIM, *words, **options)
        line = self.attach_to(victim.pid)
        self.lives(victim)
        return line

    def lives(self, victim, pid=None):
        victim.stdin.write("are you?\n")
        victim.stdin.flush()
        self.assertEqual(victim.stdout.readline(), "alive\n")
        with open(f"/proc/{pid or victim.pid}/status", encoding="utf-8") as file:
            self.assertIn("TracerPid:\t0\n", file.read())
        victim.stdin.close()
        self.assertEqual(victim.wait(60), 17)


class Headers(Hostile):
    """Of a module in the victim's memory: sizes and places that lie."""

    def lies(self, module):
        for what in ("memsz", "filesz", "offset", "vaddr", "vaddr_far", "align", "types", "phnum", "phnum_none",
                     "phentsize", "phoff", "class", "magic", "all"):
            with self.subTest(what):
                self.lie("header", module, what)

    def test_the_programs(self):
        self.lies("program")

    def test_the_c_librarys(self):
        self.lies("libc")

    def test_the_loaders(self):
        self.lies("loader")

    def test_what_the_kernel_said_at_the_start(self):
        for what in ("vdso", "loader", "program", "name", "none"):
            with self.subTest(what):
                self.lie("auxv", what)

    def test_a_name_for_terminals(self):
        self.lie("name")


class Lists(Hostile):
    """The list of modules in which the loader looks first: it would be in there for ever, or die in the victim."""

    def test_what_the_loader_would_not_come_back_from(self):
        for what in ("circle", "ring", "itself", "back", "nowhere", "name", "endless_name", "section", "place",
                     "names", "own_name"):
            with self.subTest(what):
                self.assertIn("its loader's list of modules is damaged", self.lie("list", what))

    def test_segments_that_are_not_where_the_loader_has_noted(self):
        for place in ("nowhere", "kernels", "odd", "forbidden"):
            with self.subTest(place):
                self.assertTrue(self.lie("segments", place).startswith("tracking "))

    def test_a_million_modules(self):
        self.assertIn("its loader has more modules than can be looked at", self.lie("list", "million"))


class Many(Hostile):
    def test_sixty_thousand_mappings(self):
        self.assertTrue(self.lie("many", 60_000).startswith("tracking "))

    def test_sixty_thousand_elf_files(self):
        """Mapped for their contents, as search engines map their indexes."""
        self.assertTrue(self.lie("modules", 60_000).startswith("tracking "))

    def test_sixty_thousand_modules(self):
        self.assertIn("more modules than can be looked at", self.lie("modules", 60_000, "code"))


class Moving(Hostile):
    def test_modules_that_come_and_go(self):
        victim = self.start_victim(VICTIM, "churns")
        for _ in range(5):
            self.attach_to(victim.pid)
        self.lives(victim)

    def test_pages_that_are_never_filled_in(self):
        self.assertIn("was not done in", self.lie("waits"))

    def test_one_that_is_stopped_and_goes_on_all_the_time(self):
        victim = self.start_victim(VICTIM, "stops")
        for _ in range(5):
            self.attach_to(victim.pid)
        self.lives(victim)

    def test_a_stopped_one(self):
        victim = self.start_victim(VICTIM, "idle")
        victim.send_signal(signal.SIGSTOP)
        os.waitpid(victim.pid, os.WUNTRACED)
        self.assertIn("it is stopped; continue it first", self.attach_to(victim.pid))
        victim.send_signal(signal.SIGCONT)
        self.lives(victim)

    def test_a_module_that_is_cut_short_all_the_time(self):
        path = self.here / "short.so"
        path.write_bytes(module(64, symbols=1 << 16, names=1 << 22, unwinding=1 << 20))
        victim = self.start_victim(PYTHON, "-c", MAPS, path)
        size = os.path.getsize(path)
        cutter = subprocess.Popen([PYTHON, "-c", f"import os\nwhile True:\n    os.truncate({str(path)!r}, 4096)\n"
                                                 f"    os.truncate({str(path)!r}, {size})"])
        self.addCleanup(cutter.wait)
        self.addCleanup(cutter.kill)
        for _ in range(10):
            self.attach_to(victim.pid)
        self.assertIsNone(victim.poll())


class Places(Hostile):
    def test_an_executable_that_is_gone(self):
        own = shutil.copy(VICTIM, self.here / "own")
        victim = self.start_victim(own, "idle")
        os.unlink(own)
        self.assertTrue(self.attach_to(victim.pid).startswith("tracking "))
        self.lives(victim)

    def test_something_else_in_the_place_of_the_executable(self):
        for what, make in (("pipe", os.mkfifo), ("device", lambda name: os.symlink("/dev/zero", name)),
                           ("directory", os.mkdir), ("terminal", lambda name: os.symlink("/dev/ptmx", name))):
            for suffix in ("", " (deleted)"):
                with self.subTest(what + suffix):
                    own = self.here / what
                    shutil.copy(VICTIM, own)
                    victim = self.start_victim(own, "idle")
                    os.unlink(own)
                    make(f"{own}{suffix}")
                    self.attach_to(victim.pid)
                    self.lives(victim)
                    subprocess.run(["rm", "-rf", f"{own}{suffix}"], check=True)

    def in_another_namespace(self):
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespaces here")
        return self.start_victim("unshare", "--mount", VICTIM, "idle")

    def test_another_mount_namespace(self):
        victim = self.in_another_namespace()
        self.assertTrue(self.attach_to(victim.pid).startswith("tracking "))
        self.lives(victim)

    def test_another_mount_namespace_with_a_pipe_for_a_c_library(self):
        victim = self.in_another_namespace()
        with open(f"/proc/{victim.pid}/maps", encoding="utf-8") as file:
            library = next(line.split()[-1] for line in file if "/libc." in line)
        os.mkfifo(self.here / "pipe")
        subprocess.run(["nsenter", "--mount", "--target", str(victim.pid), "mount", "--bind", str(self.here / "pipe"), library],
                       check=True)
        self.attach_to(victim.pid)
        self.lives(victim)


class Files(Hostile):
    """Modules that are files of the victim's own."""

    def test_a_dynamic_section_of_16_gib(self):
        path = self.here / "lies.so"
        path.write_bytes(module(16 << 30).ljust(8192, b"\0"))
        self.attach(path)

    def test_a_million_names_that_are_one(self):
        path = self.here / "names.so"
        path.write_bytes(module(64, symbols=1 << 19, names=32 << 20))
        self.attach(path)

    def test_a_pipe_in_the_place_of_a_module(self):
        path = self.here / "gone.so"
        path.write_bytes(module(64).ljust(8192, b"\0"))

        def replace():
            path.unlink()
            os.mkfifo(f"{path} (deleted)")

        self.attach(path, before=replace)

    def test_a_sparse_module(self):
        path = self.here / "sparse.so"
        path.write_bytes(module(64).ljust(8192, b"\0"))
        os.truncate(path, 512 << 30)
        self.attach(path)


main()
