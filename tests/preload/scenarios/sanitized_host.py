"""Hosts built with a sanitizer keep their own allocator: heapgauge steps aside with one line, and what the sanitizer
finds it still finds."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char** argv) {
  char* block = malloc(100);
  memset(block, argc, 100);
  free(block);
  if (argc > 1) putchar(block[argc] ? 'x' : 'y'); /* use after free */
  puts("clean");
  return 12;
}
"""


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        source = os.path.join(rig.top, "host.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(SOURCE)
        tried = 0
        # Linked statically the run-time is part of the program; gcc's does not export its name, only its malloc.  As
        # a library, gcc's default, it insists on coming first and ends the program itself when it does not, whatever
        # is preloaded.
        for compiler, flags, name in (("gcc", ["-fsanitize=address", "-static-libasan"], "malloc of its own"),
                                      ("clang", ["-fsanitize=address"], "AddressSanitizer"),
                                      ("gcc", ["-fsanitize=thread"], "ThreadSanitizer"),
                                      ("clang", ["-fsanitize=thread"], "ThreadSanitizer"),
                                      ("clang", ["-fsanitize=memory"], "MemorySanitizer"),
                                      ("gcc", ["-fsanitize=undefined"], None)):
            program = os.path.join(rig.top, f"host{tried}")
            if not built(compiler, [*flags, "-g", "-o", program, source]):
                continue
            bare = rig.run([program], "bare")
            if bare.status != 12:
                print(f"{compiler} {flags}: does not run here even bare ({bare.status})")
                continue
            tried += 1
            for mode in harness.INTERVALS:
                run = rig.run([program], mode)
                harness.same_behaviour(bare, run, [name] if name else [])
                reported = bool(harness.report_directories(run.directory))
                harness.check(name is None or not reported, f"{compiler} {flags}, {mode}: it reported all the same")
                harness.check(name is not None or mode != "exact" or reported, f"{compiler} {flags}: no report")
            if "-fsanitize=address" in flags:
                found = rig.run([program, "use"], "exact")
                harness.check(found.status == 1 and re.search(rb"heap-use-after-free", found.stderr),
                              f"{compiler} {flags}: the error is not found any more: {found.status}")
        if tried == 0:
            harness.skip("no compiler with sanitizers")
        # The library that insists on coming first may come first.
        program = os.path.join(rig.top, "dynamic")
        runtime = asan_runtime()
        if runtime and built("gcc", ["-fsanitize=address", "-g", "-o", program, source]):
            bare = rig.run([program], "bare")
            run = rig.run([program], "exact", {"LD_PRELOAD": f"{runtime}:{rig.preload('exact')}"})
            harness.same_behaviour(bare, run, ["AddressSanitizer"])


def built(compiler, arguments):
    if shutil.which(compiler) is None:
        return False
    return subprocess.run([compiler, *arguments], check=False, stderr=subprocess.DEVNULL).returncode == 0


def asan_runtime():
    if shutil.which("gcc") is None:
        return None
    path = subprocess.run(["gcc", "-print-file-name=libasan.so"], check=True, stdout=subprocess.PIPE,
                          encoding="utf-8").stdout.strip()
    return os.path.realpath(path) if os.path.isabs(path) else None


harness.main(body)
