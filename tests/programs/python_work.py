"""python3 at real work (its own json, re, threads, subprocess and ctypes): the same output, and a report with the
interpreter's frames.  The work is what this file does when it is called with "work"."""

import os
import sys

WORK = "work"


def work():
    import collections
    import ctypes
    import hashlib
    import json
    import re
    import subprocess
    import tempfile
    import threading
    import zlib

    totals = collections.Counter()
    lock = threading.Lock()

    def thread(seed):
        rows = [{"id": i, "name": f"name {i * seed % 977}", "tags": [str(i % k) for k in range(1, 9)],
                 "price": i * seed / 7} for i in range(2500)]
        text = json.dumps(rows, sort_keys=True)
        again = json.loads(text)
        words = re.findall(r"name (\d+)", text)
        packed = zlib.compress(text.encode(), 3)
        assert zlib.decompress(packed).decode() == text and again == rows
        with lock:
            totals[seed] += len(words) + len(packed)

    threads = [threading.Thread(target=thread, args=(seed,)) for seed in range(1, 9)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(sorted(totals.items()))

    code = "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    children = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for _ in range(4)]
    for number, child in enumerate(children):
        print(child.communicate(bytes([number]) * 100000)[0].decode().strip(), child.returncode)
    sys.stdout.flush()
    forked = []
    for number in range(4):
        forked.append(os.fork())
        if forked[-1] == 0:
            kept = [json.dumps(list(range(n))) for n in range(200)]
            os._exit(len(kept) % 100 + number)
    print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in forked])

    # A callback from C into Python, and blocks that cross the border.
    libc = ctypes.CDLL(None)
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 2000)(*[i * 7919 % 2003 for i in range(2000)])
    libc.qsort(numbers, len(numbers), 4, compare_type(lambda a, b: a[0] - b[0]))
    print(hashlib.sha256(bytes(numbers)).hexdigest())
    libc.strdup.restype = ctypes.c_void_p
    libc.realloc.restype = ctypes.c_void_p
    libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    for size in range(10, 200000, 3571):
        block = libc.realloc(libc.strdup(b"heap" * 50), size)
        print(ctypes.string_at(block, 8), end=" ")
        libc.free(block)
    with tempfile.TemporaryFile() as file:
        file.write(os.urandom(10))
        print(file.tell())
    raise SystemExit(7)


def body():
    wanted = programs.options(__doc__)
    with harness.Rig(wanted) as rig:
        argv = [programs.distribution_python(), "-B", os.path.abspath(__file__), WORK]
        for way in ({}, {"PYTHONMALLOC": "malloc"}):
            # PYTHONHASHSEED: the same dictionaries every time.
            env = dict(programs.ROOMY, PYTHONHASHSEED="1", HEAPGAUGE_SYMBOLIZE="names", **way)
            bare = rig.run(argv, "bare", env)
            harness.check(bare.status == 7, f"the work itself fails: {bare.stderr.decode(errors='replace')}")
            for mode in wanted.mode:
                run = rig.run(argv, mode, env)
                programs.unharmed(run, bare)
                reports = harness.last_reports(run.directory)
                complete = [report for report in reports.values() if report["final"]]
                for report in complete:
                    programs.whole(run, report)
                print(f"{mode}, {way}: {len(complete)} final reports")
                if mode == "default" and not way:
                    continue  # python's own allocator asks the system for arenas, and malloc for little
                harness.check(len(complete) >= (5 if mode == "exact" else 1), f"{mode}: reports of {sorted(reports)}")
                largest = max(complete, key=lambda report: report["totals"]["allocated_bytes"])
                seen = programs.modules(largest)
                harness.check(any("python" in name for name in seen), f"{mode}: stacks with {sorted(seen)}")


if sys.argv[1:] == [WORK]:
    work()
else:
    import programs
    from programs import harness

    harness.main(body)
