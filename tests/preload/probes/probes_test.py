"""The USDT probes as a watcher finds them: named in the notes, silent while nobody watches, and their weights add up.

The watcher here is a debugger's: it raises the semaphores and puts a breakpoint on each probe, as uprobes do it in the kernel.

usage: probes_test.py LIBRARY CORE VICTIM [unittest options]
"""
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

LIBRARY, CORE, VICTIM = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_CONT, PTRACE_GETREGS, PTRACE_ATTACH, PTRACE_DETACH = 2, 5, 7, 12, 16, 17
RDX, RSI, RDI, RIP, REGISTERS = 12, 13, 14, 16, 27
BREAKPOINT = 0xCC
ALLOCATIONS = 2000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def notes():
    """(provider, name): location, semaphore, arguments."""
    text = subprocess.run(["readelf", "-nW", CORE], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout
    found = re.finditer(r"Provider: (\S+)\s+Name: (\S+)\s+Location: (\S+), Base: \S+, Semaphore: (\S+)\s+Arguments: (.*)", text)
    return {(m[1], m[2]): (int(m[3], 16), int(m[4], 16), m[5].strip()) for m in found}


class Watcher:
    """The one thread of a process, stopped."""

    def __init__(self, pid):
        self.pid = pid
        self.ask(PTRACE_ATTACH)
        os.waitpid(pid, 0)
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            self.base = min(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(CORE))

    def ask(self, request, address=0, data=0):
        value = LIBC.ptrace(request, self.pid, ctypes.c_void_p(address), ctypes.c_void_p(data) if isinstance(data, int) else data)
        if value == -1 and request != PTRACE_PEEKDATA:
            raise OSError(ctypes.get_errno(), "ptrace")
        return value

    def set(self, address, value, size):
        """`size` bytes of memory, whoever may write there."""
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(value.to_bytes(size, "little"))

    def watch(self, location, semaphore):
        self.set(self.base + semaphore, 1, 2)
        self.set(self.base + location, BREAKPOINT, 1)

    def follow(self, seen):
        """Runs the process to its end; `seen(address, registers)` at each breakpoint."""
        registers = (ctypes.c_ulonglong * REGISTERS)()
        deliver = 0
        while True:
            self.ask(PTRACE_CONT, 0, deliver)
            _, status = os.waitpid(self.pid, 0)
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                return status
            deliver = os.WSTOPSIG(status)
            if deliver == signal.SIGTRAP:
                self.ask(PTRACE_GETREGS, 0, ctypes.cast(registers, ctypes.c_void_p))
                seen(registers[RIP] - 1 - self.base, registers)
                deliver = 0
            elif deliver == signal.SIGSTOP:
                deliver = 0


class Probes(unittest.TestCase):
    def start(self, interval):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEAPGAUGE_")}
        process = subprocess.Popen([VICTIM, str(ALLOCATIONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory.name,
                                   env={**kept, "LD_PRELOAD": LIBRARY, "HEAPGAUGE_SAMPLE_INTERVAL": str(interval), "HEAPGAUGE_CPU_BUDGET": "100%",
                                        "HEAPGAUGE_OUTPUT": "out", "HEAPGAUGE_SYMBOLIZE": "off"})
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        while CORE not in open(f"/proc/{process.pid}/maps", encoding="utf-8").read() and process.poll() is None:
            pass
        return process

    def test_notes(self):
        probes = notes()
        self.assertEqual(probes["otel_memory", "alloc"][2], "8@%rdi 8@%rsi 8@%rdx")
        self.assertEqual(probes["otel_memory", "free"][2], "8@%rdi")
        for name in ("alloc", "free"):
            self.assertNotEqual(probes["otel_memory", name][1], 0, "a semaphore")

    def test_weights_add_up(self):
        probes = notes()
        alloc, free = probes["otel_memory", "alloc"], probes["otel_memory", "free"]
        process = self.start(32768)
        watcher = Watcher(process.pid)
        watcher.watch(*alloc[:2])
        watcher.watch(*free[:2])
        live, sums, strange = {}, {"weighted": 0, "samples": 0}, []

        def seen(address, registers):
            if address == alloc[0]:
                sums["weighted"] += registers[RDX]
                sums["samples"] += 1
                if registers[RDI] in live or not 1 <= registers[RSI] <= registers[RDX]:
                    strange.append(list(registers))
                live[registers[RDI]] = registers[RSI]
            elif address == free[0]:
                live.pop(registers[RDI], None)  # one from before the watch is not known
            else:
                strange.append(hex(address))
        process.stdin.write(b"\n")
        process.stdin.flush()
        status = watcher.follow(seen)
        process.returncode = status
        self.assertEqual(status, 0)
        truth = int(process.stdout.read())
        self.assertEqual(strange, [])
        self.assertGreater(sums["samples"], 50000)
        # Four standard errors of so many samples.
        self.assertAlmostEqual(sums["weighted"] / truth, 1, delta=4 / sums["samples"] ** 0.5, msg=str(sums))
        self.assertLess(len(live), 70)  # what is kept to the end, and little else


unittest.main(verbosity=2)
