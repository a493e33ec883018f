"""A host with functions of its own under every name that our libraries call: none of them is ever called by us.

The names are taken from the libraries as they are built, and from the list of what is no import.  Each becomes a function that says its name and ends the
process.  --what is where they are:
  program:   in the program, exported with -rdynamic.
  quiet:     in the program, where the linker exports those that libc has, too.
  fixed:     in a program at a fixed address.
  chosen:    in the program, chosen by the processor (IFUNC), which the loader cannot ask before the program is ready.
  variables: in the program, and no functions: who calls one dies.
  library:   in a library that comes before libc.
  symbolic:  in a library linked with -Bsymbolic, bound at the start (-z now).
"""

import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CALLS = os.path.join(HERE, "..", "..", "lib", "shim", "library_calls.inc")
TRAPPED = 99
# The allocator that the program brings is the one that is tracked.
MALLOC = {"malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign",
          "valloc", "pvalloc", "malloc_usable_size"}
# Called by every program and library from what the compiler adds to it, or by libc itself: without us, too.
START_AND_END = {"__cxa_finalize", "__gmon_start__", "_ITM_registerTMCloneTable", "_ITM_deregisterTMCloneTable",
                 "__tls_get_addr"}
# In the way of a program that has them at all.
LINKED = ("-o", "host", "-pthread")
KINDS = {
    "program": (["-rdynamic"], None),
    "quiet": ([], None),
    "chosen": (["-rdynamic"], None),
    "fixed": (["-rdynamic", "-no-pie", "-fno-pie"], None),
    "variables": (["-rdynamic"], None),
    "library": ([], []),
    "symbolic": ([], ["-Wl,-Bsymbolic", "-Wl,-z,now"]),
}


def tool(*argv, cwd=None):
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=cwd)
    harness.check(done.returncode == 0, f"{' '.join(argv)}: {done.stderr}")
    return done.stdout


def loaded_by(path):
    return {line.split("=>")[1].split()[0] for line in tool("ldd", path).splitlines() if "=> /" in line}


def imports(path):
    found = set()
    for line in tool("nm", "-D", "--undefined-only", path).splitlines():
        kind, name = line.split()[-2:]
        if kind in "UwW":
            found.add(name.split("@")[0])
    return found


def called_without_imports():
    with open(CALLS, encoding="ascii") as file:
        found = set(re.findall(r"^HG_LIBRARY_CALL(?:_SINCE)?\((\w+)", file.read(), flags=re.M))
    harness.check({"fnmatch", "dlvsym", "__cxa_at_quick_exit"} <= found, f"the list of calls lacks names: {sorted(found)}")
    return found


def variables(path):
    """Names that the file defines as something else than functions."""
    return {line.split()[-1].split("@")[0] for line in tool("nm", "-D", "--defined-only", path).splitlines()
            if line.split()[-2] in "BbDdRrVvuA"}


def names(options):
    shim, core = (os.path.join(options.lib, f"libheapgauge{part}.so") for part in ("", "-core"))
    libraries = loaded_by(core)
    loader = re.search(r"\s(/\S*ld-linux\S*)", tool("ldd", core)).group(1)
    found = imports(shim) | imports(core) | called_without_imports()
    for path in libraries - loaded_by(shim):
        found |= imports(path)
    found -= MALLOC | START_AND_END
    for path in libraries | {loader}:
        found -= variables(path)
    harness.check({"open", "read", "dlsym", "syscall", "memcpy"} <= found, f"the list lacks names: {sorted(found)}")
    return sorted(found)


def write_traps(path, wanted, kind):
    """Not in C, where each of them has a type."""
    with open(path, "w", encoding="ascii") as file:
        if kind == "variables":
            file.write(".data\n")
            for name in wanted:
                file.write(f".globl {name}\n.type {name}, @object\n{name}: .quad 0\n.size {name}, 8\n")
            file.write('.section .note.GNU-stack,"",@progbits\n')
            return
        file.write(".text\n")
        for number, name in enumerate(wanted):
            text = f"called: {name}\\n"
            if kind == "chosen":
                file.write(f""".globl {name}
.type {name}, @gnu_indirect_function
{name}:
  leaq .Lbody{number}(%rip), %rax
  ret
.size {name}, . - {name}
.Lbody{number}:
""")
            else:
                file.write(f""".globl {name}
.type {name}, @function
{name}:
""")
            file.write(f"""  leaq .Ltext{number}(%rip), %rsi
  movl ${len(name) + 9}, %edx
  jmp .Ltrap
.section .rodata
.Ltext{number}: .ascii "{text}"
.text
""")
        file.write(f""".Ltrap:
  movl $1, %eax
  movl $2, %edi
  syscall
  movl $231, %eax
  movl ${TRAPPED}, %edi
  syscall
.section .note.GNU-stack,"",@progbits
""")


def build(directory, kind, wanted):
    program, library = KINDS[kind]
    write_traps(os.path.join(directory, "traps.S"), wanted, kind)
    source = os.path.join(HERE, "victims", "own_names.c")
    common = ["gcc", "-O1", "-g", "-fno-builtin"]
    if library is None:
        tool(*common, *program, source, "traps.S", *LINKED, cwd=directory)
    else:
        tool(*common, "-shared", "-fPIC", "traps.S", *library, "-o", "libtraps.so", cwd=directory)
        tool(*common, *program, source, "-L.", "-Wl,--no-as-needed", "-ltraps", f"-Wl,-rpath,{directory}", *LINKED,
             cwd=directory)
    return os.path.join(directory, "host")


def reports_in(directory):
    found = []
    for path in harness.report_directories(directory):
        with open(os.path.join(path, "reports.jsonl"), "rb") as file:
            found += [line for line in file.read().splitlines() if line]
    return found


def has_alert(directory):
    return any(os.path.exists(os.path.join(path, "alerts.jsonl")) for path in harness.report_directories(directory))


def stop_when(directory, enough):
    def wait(process):
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline and not enough(directory):
            time.sleep(0.05)
        with open(os.path.join(directory, "stop"), "wb"):
            pass
    return wait


def whole(run, processes):
    directories = harness.report_directories(run.directory)
    harness.check(len(directories) == processes, f"{processes} report directories expected: {directories}")
    for directory in directories:
        reports = harness.read_reports(directory)
        harness.check(reports and reports[-1]["final"], f"{directory}: no final report")
        harness.check(os.path.exists(os.path.join(directory, "heap.pb.gz")), f"{directory}: no profile")
        functions = {frame["function"] for site in reports[-1]["sites"] for frame in site["frames"]}
        harness.check("answer" in functions or "keep_one" in functions, f"{directory}: functions {functions}")


def traps(rig, options, kind):
    if os.uname().machine != "x86_64" or shutil.which("gcc") is None:
        harness.skip("needs gcc on x86-64")
    place = rig.directory()
    host = build(place, kind, names(options))
    bare_place = rig.directory()
    bare = rig.run([host], "bare", directory=bare_place, during=stop_when(bare_place, lambda _: True))
    harness.check(bare.status == 23, f"bare: status {bare.status}: {bare.stderr!r}")
    alert_wanted = kind == "program"
    for mode, extra in (("4KiB", {}), ("4KiB", {"HEAPGAUGE_UNWIND": "dwarf"}), ("exact", {"LD_BIND_NOW": "1"}),
                        ("default", {"HEAPGAUGE_SAMPLE_INTERVAL": "16KiB"})):
        where = rig.directory()
        want = 3

        def enough(directory, alert=alert_wanted and mode == "default"):
            return len(reports_in(directory)) >= want and (not alert or has_alert(directory))

        run = rig.run([host], mode, dict(extra, HEAPGAUGE_REPORT_INTERVAL="300ms"), directory=where,
                      during=stop_when(where, enough))
        harness.check(run.status == 23, f"{mode} {extra}: status {run.status}: {run.stderr!r} {run.said}")
        harness.check(run.stdout == bare.stdout and run.stderr == bare.stderr, f"{run.stdout!r} {run.stderr!r}")
        harness.check(len(reports_in(where)) >= want, "too few reports")
        if alert_wanted and mode == "default":
            harness.check(has_alert(where), "no alert")
        else:
            # On a busy machine it lives long enough for its leak to be called.
            said = [line for line in run.said if " leaks at " not in line]
            harness.check(not said, f"said: {said}")
        whole(run, 2)


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    with harness.Rig(options, timeout=120) as rig:
        traps(rig, options, options.what)


harness.main(body)
