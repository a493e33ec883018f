"""`heapgauge attach` to a process whose modules lie: answered by one line, without waiting, within bounds."""
import os
import resource
import struct
import subprocess

from support import PYTHON, CommandTest, clean_environment, main

# Maps the files it is given, each from its first byte, and waits.
MAPS = """
import mmap, os, sys
kept = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        kept.append(mmap.mmap(file.fileno(), min(os.fstat(file.fileno()).st_size, 1 << 27), prot=mmap.PROT_READ))
print("ready", flush=True)
sys.stdin.read()
"""


def module(dynamic_bytes, symbols=0, names=0):
    """An ELF file whose dynamic section names `symbols` functions, all with the same name, `names` bytes long."""
    at = 4096
    strings = at + 24 * symbols
    entries = struct.pack("<6Q", 6, at, 5, strings, 10, names) + bytes(16)
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, strings + names, strings + names, 4096)
    dynamic = struct.pack("<IIQQQQQQ", 2, 4, 1024, 1024, 1024, len(entries), dynamic_bytes, 8)
    start = (header + load + dynamic).ljust(1024, b"\0") + entries
    symbol = struct.pack("<IBBHQQ", 0, 2, 0, 1, 0, 0)
    return start.ljust(at, b"\0") + symbol * symbols + b"n" * names


class Hostile(CommandTest):
    def attach(self, *paths, before=lambda: None):
        victim = subprocess.Popen([PYTHON, "-c", MAPS, *map(str, paths)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True, env=clean_environment(), cwd=self.here)
        self.addCleanup(victim.wait)
        self.addCleanup(victim.stdout.close)
        self.addCleanup(victim.stdin.close)
        self.assertEqual(victim.stdout.readline(), "ready\n")
        before()
        limit = 6 << 30
        result = self.heapgauge("attach", victim.pid,
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertIn(result.returncode, (0, 2))
        line = self.one_line(result)
        self.assertNotIn("bad_alloc", line)
        self.assertIsNone(victim.poll())
        return result.returncode

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
