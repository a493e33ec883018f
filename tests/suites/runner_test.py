"""run.py over small suites of our own: what passes in front of the library, what it tells apart, what does not count, and
what is skipped where there are no sources or tools."""

import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ONLY_PRELOADED = '#include <stdlib.h>\nint main(void) { return getenv("LD_PRELOAD") != NULL ? 3 : 0; }\n'
ONLY_EXACT = ('#include <stdlib.h>\n#include <string.h>\nint main(void) { const char* i = getenv("HEAPGAUGE_SAMPLE_INTERVAL");'
              ' if (i != NULL && strcmp(i, "1") == 0) abort(); return 0; }\n')


def run(options, work, *arguments, path=None):
    environment = dict(os.environ, **({"PATH": path} if path is not None else {}))
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "run.py"), "--library", options.library, "--work", work,
                           *arguments], env=environment, capture_output=True, text=True, check=False)
    print(done.stdout + done.stderr, flush=True)
    return done.returncode, done.stdout


def expect(good, what):
    if not good:
        sys.exit(f"not so: {what}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heapgauge-suites.") as work:
        status, text = run(options, work, "--all", "small=" + os.path.join(HERE, "small"))
        expect(status == 0 and "small: 1 known, 3 passes; 0 not built" in text, "our own small tests pass")
        expect("one of the process's keys" in text, "a known difference is shown with its reason")

        tree = os.path.join(work, "tree")
        os.mkdir(tree)
        sources = {"good": "int main(void) { return 0; }\n", "bad": "int main(void) { return 1; }\n", "torn": "int main(\n",
                   "unlike": ONLY_PRELOADED, "exact": ONLY_EXACT, "never": "int main(void) { return 77; }\n"}
        for name, source in sources.items():
            with open(os.path.join(tree, name + ".c"), "w", encoding="utf-8") as file:
                file.write(source)
        status, text = run(options, work, "small=" + tree)
        expect(status == 1, "a difference without a reason is an error")
        expect("small: 2 FAILS, 1 fails bare, 1 passes, 1 unsupported; 1 not built" in text, "each is judged")
        expect("signal 6" in text, "a crash is told by its signal")

        known = os.path.join(work, "known.txt")
        with open(known, "w", encoding="utf-8") as file:
            file.write("# nothing\nsmall/un*  it looks at its environment\n")
        status, text = run(options, work, "--known", known, "small=" + tree)
        expect(status == 1 and "small: 1 FAILS, 1 fails bare, 1 known" in text, "a reason is for its own tests alone")
        status, text = run(options, work, "--known", known, "--only", "small/unlike", "small=" + tree)
        expect(status == 0 and "it looks at its environment" in text, "all differences have reasons")

        status, text = run(options, work, "libc-test", "glibc=" + os.path.join(work, "nowhere"))
        expect(status == 0 and "libc-test: skipped: no package has it" in text, "no sources: skipped")
        expect("glibc: skipped: " in text and "nowhere is no directory" in text, "no tree: skipped")
        status, text = run(options, work, "libcxx", path=tree)
        expect(status == 0 and "libcxx: skipped: there is no clang++" in text, "no tools: skipped")


main()
