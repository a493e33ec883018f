"""A core that is missing, damaged, foreign or of another version: one line, and the host runs as if alone."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

FOREIGN = "int something_else(void) { return 1; }\n"
# Of a version that never was: what a core does that is older or newer than its shim.
OTHER_VERSION = """
#include <unistd.h>
static const char line[] = "heapgauge: core of another version\\n";
const void* heapgauge_core_entry(const unsigned* shim) {
  /* The shim's version and size come first, whatever else it is. */
  if (shim[0] == 4711) return shim;
  if (write(2, line, sizeof(line) - 1) < 0) return 0;
  return 0;
}
"""
# Takes any shim, and has a table of its own.
OTHER_TABLE = """
#include <string.h>
static struct { unsigned version, bytes; void* functions[64]; } table;
const void* heapgauge_core_entry(const unsigned* shim) {
  table.version = shim[0] + VERSION_MORE;
  table.bytes = BYTES;
  return &table;
}
"""
# The real core, asked by a shim of another version, or by one whose table has another size.
OTHER_SHIM = """
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char** argv) {
  static unsigned shim[64];
  void* const core = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (core == NULL || argc < 4) return 1;
  const void* (*entry)(const unsigned*);
  *(void**)&entry = dlsym(core, "heapgauge_core_entry");
  shim[0] = (unsigned)atoi(argv[2]);
  shim[1] = (unsigned)atoi(argv[3]);
  return entry(shim) == NULL ? 0 : 2;
}
"""


def compile_library(rig, source, path, *flags):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        harness.skip("no C compiler")
    text = os.path.join(rig.top, "source.c")
    with open(text, "w", encoding="ascii") as file:
        file.write(source)
    subprocess.run([*compiler.split(), *(flags or ("-shared", "-fPIC")), "-o", path, text], check=True)


def body():
    options = harness.arguments(__doc__)
    with harness.Rig(options) as rig:
        victim = rig.victim("entry_points")
        bare = rig.run([victim], "bare")
        harness.check(bare.status == 0, "the victim fails without us")

        def tried(what, prepare, line):
            directory = os.path.join(rig.top, what)
            os.mkdir(directory)
            library = os.path.join(directory, "libheapgauge.so")
            shutil.copy(os.path.realpath(os.path.join(rig.lib, "libheapgauge.so")), library)
            prepare(os.path.join(directory, "libheapgauge-core.so"))
            for mode in harness.INTERVALS:
                run = rig.run([victim], mode, library=library)
                print(what, run.said)
                harness.same_behaviour(bare, run, [line])
                harness.check(not harness.report_directories(run.directory), f"{what}: it reported all the same")
                # The API says so too.
                steered = rig.run([rig.victim("stepped_aside")], mode, library=library)
                harness.check(steered.status == 0, f"{what}: {steered.stderr!r}")

        tried("missing", lambda path: None, "can't load")
        tried("directory", os.mkdir, "is damaged")
        tried("text", lambda path: shutil.copy(__file__, path), "is damaged")
        tried("truncated", truncated(rig), "is damaged")
        tried("foreign", lambda path: compile_library(rig, FOREIGN, path), "is not a heapgauge core")
        tried("version", lambda path: compile_library(rig, OTHER_VERSION, path), "another version")
        for what, more, size in (("newer_table", 1, 136), ("longer_table", 0, 4096), ("shorter_table", 0, 8)):
            text = OTHER_TABLE.replace("VERSION_MORE", str(more)).replace("BYTES", str(size))
            tried(what, lambda path, text=text: compile_library(rig, text, path), "another version")
        other_shims(rig)


def other_shims(rig):
    program = os.path.join(rig.top, "other_shim")
    compile_library(rig, OTHER_SHIM, program, "-ldl", "-Wno-error")
    core = os.path.join(rig.lib, "libheapgauge-core.so")
    for version, size in ((0, 48), (4711, 48), (1, 47), (1, 4096), (1, 0)):
        run = rig.run([program, core, str(version), str(size)], "bare")
        harness.check(run.status == 0, f"a shim of version {version}, {size} bytes: {run.status} {run.stderr!r}")
        harness.said_as_expected(run, ["tracking is off, reinstall heapgauge to mend it"])


def truncated(rig):
    def prepare(path):
        with open(os.path.join(rig.lib, "libheapgauge-core.so"), "rb") as whole, open(path, "wb") as half:
            half.write(whole.read(20000))

    return prepare


harness.main(body)
