"""A C++ plugin that throws, in a host that is C and had no C++ before: python3 loads it with ctypes, twice.  Exceptions
unwind as ever, over each allocator, and no symbol of heapgauge's own libraries gets in the way."""

import os
import sys

HOST = "host"


def host(path):
    import ctypes
    import ctypes.util
    import threading

    def used(library):
        print(library.plugin_catches(300), library.plugin_catches_in_threads(6, 40))
        seen = []
        callback = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: seen.append("x" * number))
        print(library.plugin_calls_back(callback, 200), len(seen))

    with open("/proc/self/maps", encoding="utf-8") as file:
        before = "libstdc++" in file.read()
    library = ctypes.CDLL(path)
    used(library)
    workers = [threading.Thread(target=library.plugin_catches, args=(200,)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    dlclose = ctypes.CDLL(None).dlclose
    dlclose.argtypes = [ctypes.c_void_p]
    print(dlclose(library._handle))
    used(ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL))
    # Not printed: with heapgauge its core has brought one.
    return before


def body():
    wanted = programs.options(__doc__, lambda parser: parser.add_argument("--plugin", required=True))
    with harness.Rig(wanted) as rig:
        argv = [programs.distribution_python(), "-B", os.path.abspath(__file__), HOST, wanted.plugin]
        env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names")
        bare = rig.run(argv, "bare", env)
        harness.check(bare.status == 0 and bare.stdout.startswith(b"900 720\n"), f"{bare.stdout!r} {bare.stderr!r}")
        for unwind in ("auto", "dwarf"):
            for mode in wanted.mode:
                run = rig.run(argv, mode, dict(env, HEAPGAUGE_UNWIND=unwind))
                programs.unharmed(run, bare)
                for report in harness.last_reports(run.directory).values():
                    programs.whole(run, report)
                    harness.check(mode != "exact" or os.path.basename(wanted.plugin) in programs.modules(report),
                                  f"{mode}: no stack has the plugin")


if sys.argv[1:2] == [HOST]:
    host(sys.argv[2])
else:
    import programs
    from programs import harness

    harness.main(body)
