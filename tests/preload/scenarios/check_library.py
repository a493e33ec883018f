"""What the two shared objects need, export and how they use thread-local storage.

--what needed:        libheapgauge.so needs libc alone.
--what imports:       and of that no function: those are found without the loader (library_calls.h).
--what exports:       it exports the malloc family, operator new and delete, the calls of id_hooks.h and root_hooks.h,
                      and heapgauge_*.
--what tls:           neither it nor the core uses dynamic thread-local storage, whose first use in a thread allocates.
--what core_exports:  the core exports its one entry.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

MALLOC = {"malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign",
          "valloc", "pvalloc", "malloc_usable_size", "free_sized", "free_aligned_sized"}
# What changes every thread of a process, or is refused to one with two.
STEPS_OUT = {"setuid", "seteuid", "setreuid", "setresuid", "setgid", "setegid", "setregid", "setresgid", "setgroups",
             "initgroups", "capset", "unshare", "setns"}
OPERATOR = re.compile(r"_Z(n[wa]|d[la])")


def tool(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def exports(path):
    symbols = set()
    for line in tool("nm", "-D", "--defined-only", path).splitlines():
        _, kind, name = line.split()[-3:]
        if kind != "A":  # that is the name of a version
            symbols.add(name.split("@")[0])
    return symbols


def versions(path):
    """The version of each exported name; "" without."""
    found = {}
    for line in tool("nm", "-D", "--defined-only", path).splitlines():
        _, kind, name = line.split()[-3:]
        if kind != "A":
            found[name.split("@")[0]] = name.rpartition("@")[2] if "@" in name else ""
    return found


def needed(shim, _core):
    names = re.findall(r"\(NEEDED\).*\[(.*)\]", tool("readelf", "-d", "-W", shim))
    harness.check(names == ["libc.so.6"], f"libheapgauge.so needs {names}")


def imports(shim, _core):
    found = {line.split()[-1].split("@")[0] for line in tool("nm", "-D", "--undefined-only", shim).splitlines()}
    # Variables, and what the compiler has every library call.
    others = found - {"environ", "_environ", "__environ", "__libc_stack_end", "__cxa_finalize"}
    harness.check(found and not others, f"missing in lib/shim/library_calls.inc: {sorted(others)}")


def shim_exports(shim, _core):
    found = exports(shim)
    harness.check(MALLOC <= found, f"not exported: {sorted(MALLOC - found)}")
    operators = {name for name in found if OPERATOR.match(name)}
    harness.check(len(operators) == 20, f"{len(operators)} operators are exported, not 20: {sorted(operators)}")
    harness.check({"heapgauge_version", "heapgauge_take_snapshot"} <= found, "the C API is not exported")
    others = {name for name in found - MALLOC - operators if not name.startswith("heapgauge_")}
    others -= {"chroot"} | STEPS_OUT
    harness.check(not others, f"exported by mistake: {sorted(others)}")
    # The C API has versions; what is interposed must have none, or references to malloc@GLIBC_2.2.5 pass it by.
    of = versions(shim)
    harness.check(all(of[name].startswith("HEAPGAUGE_") for name in found if name.startswith("heapgauge_")), of)
    harness.check(not any(of[name] for name in found if not name.startswith("heapgauge_")), of)


def tls(shim, core):
    for path in (shim, core):
        relocations = tool("readelf", "-r", "-W", path)
        dynamic = re.findall(r"\S*(?:DTPMOD|DTPOFF|TLSDESC)\S*", relocations)
        harness.check(not dynamic, f"{path} uses dynamic thread-local storage: {sorted(set(dynamic))}")
        harness.check("__tls_get_addr" not in tool("nm", "-D", path), f"{path} calls __tls_get_addr")
    initial = re.search("TPOFF64|TLS_TPREL", tool("readelf", "-r", "-W", shim))
    harness.check(initial is not None, "the shim's thread state is not initial-exec")


def core_exports(_shim, core):
    found = exports(core)
    harness.check(found == {"heapgauge_core_entry"}, f"the core exports {sorted(found)}")


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", required=True))
    checks = {"needed": needed, "imports": imports, "exports": shim_exports, "tls": tls, "core_exports": core_exports}
    checks[options.what](os.path.join(options.lib, "libheapgauge.so"),
                         os.path.join(options.lib, "libheapgauge-core.so"))


harness.main(body)
