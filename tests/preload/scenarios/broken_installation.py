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


def compile_library(rig, source, path):
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        harness.skip("no C compiler")
    text = os.path.join(rig.top, "source.c")
    with open(text, "w", encoding="ascii") as file:
        file.write(source)
    subprocess.run([*compiler.split(), "-shared", "-fPIC", "-o", path, text], check=True)


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


def truncated(rig):
    def prepare(path):
        with open(os.path.join(rig.lib, "libheapgauge-core.so"), "rb") as whole, open(path, "wb") as half:
            half.write(whole.read(20000))

    return prepare


harness.main(body)
