"""Names that somebody chose to do harm: of the program, of its functions, of the report directory.

--what program:    the executable's file name, its argv[0] and what it calls itself; nothing leaves the directory that was
                   asked for, and no terminal obeys what is shown of it.
--what functions:  function names and source files with a terminal's commands in them.
--what symbols:    functions whose symbols hold a shell's commands, brackets and spaces: shown whole, and run by nobody.
--what directory:  HEAPGAUGE_OUTPUT in every wrong form.
--what swapped:    the report directory is changed for a symbolic link and back while reports are written.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness

# What a terminal obeys: all controls but the newline, and U+0080 to U+009F.
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
PROGRAMS = ("..", "...", "a\x1b]0;stolen\x07b", "two\nlines", "-rf", "%p%p%h%%", "\u009b31mred", "x" * 255, "a b;c&d|e`f`",
            "\udcff\udcfe\udc80", "reports.jsonl")


def body():
    def extra(parser):
        parser.add_argument("--what", required=True)
        parser.add_argument("--command", required=True)

    options = harness.arguments(__doc__, extra)
    with harness.Rig(options, settings=harness.NAMES_ONLY) as rig:
        globals()[options.what](rig, options.command)


def harmless(content, what):
    found = CONTROLS.search(content)
    harness.check(found is None, f"{what}: {content[max(0, found.start() - 40):found.end() + 40]!r}" if found else "")


def shown_harmlessly(command, path, what):
    """Everything of a report that people see."""
    with open(os.path.join(path, "report.txt"), "rb") as file:
        harmless(file.read(), f"{what}: report.txt")
    for form in ("text", "json", "folded"):
        shown = subprocess.run([command, "report", path, "--format", form], check=False, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, timeout=60)
        harness.check(shown.returncode == 0, f"{what}: heapgauge report: {shown}")
        harmless(shown.stdout + shown.stderr, f"{what}: heapgauge report --format {form}")
    failed = subprocess.run([command, "report", path + "/none\x1b[2J"], check=False, stderr=subprocess.PIPE, timeout=60)
    harmless(failed.stderr, f"{what}: an error message")


def tree(top):
    found = []
    for place, directories, files in os.walk(top):
        found += [os.path.relpath(os.path.join(place, name), top) for name in directories + files]
    return sorted(found)


def program(rig, command):
    for name in PROGRAMS:
        place = rig.directory()
        inner = os.path.join(place, "inner")
        os.mkdir(inner)
        executable = os.path.join(place, "bin")
        if name.strip("."):
            os.mkdir(executable)
            executable = os.path.join(executable, name)
            shutil.copy(rig.victim("reporting"), executable)
            argv = [executable]
        else:  # no file can have this name: then as what it was called by
            shutil.copy(rig.victim("reporting"), executable)
            argv = [name]
        before = tree(place)
        run = rig.run([*argv, "plain"], "exact", {"HEAPGAUGE_OUTPUT": os.path.join(inner, "%e")}, place,
                      executable=executable)
        harness.check(run.status == 0, f"{name!r}: {run.status} {run.stderr!r}")
        for line in run.said:
            harmless(line.encode(errors="surrogateescape"), f"{name!r}: stderr")
        new = [path for path in tree(place) if path not in before and path not in ("stdout", "stderr")]
        harness.check(all(path.startswith("inner/") for path in new), f"{name!r}: it made {new}")
        made = os.listdir(inner)
        harness.check(len(made) == 1 and not run.said, f"{name!r}: {made} {run.said}")
        shown_harmlessly(command, os.path.join(inner, made[0]), repr(name))


def compiled(source, program_path, *flags):
    """The bytes of a program that was built from `source`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        harness.skip("no C compiler")
    subprocess.run([compiler, "-g", "-fno-builtin", *flags, "-o", program_path, source], check=True)
    with open(program_path, "rb") as file:
        return file.read()


def reported(rig, program_path):
    """Runs it with names and with lines: which, the run, the report's directory and the reports in it."""
    for symbolize in ("names", "lines"):
        run = rig.run([program_path], "exact", {"HEAPGAUGE_SYMBOLIZE": symbolize})
        harness.check(run.status == 0 and not run.said, f"{run.status} {run.said}")
        (path,) = harness.report_directories(run.directory)
        yield symbolize, run, path, harness.read_reports(path)


def functions(rig, command):
    """The bytes are put into a finished program: symbol table, debug information, whatever has the names."""
    place = rig.directory()
    source = os.path.join(place, "FILEFILEFILE.c")
    with open(source, "w", encoding="ascii") as file:
        file.write("#include <stdlib.h>\n__attribute__((noinline)) void* NAMENAMENAME(void) { return malloc(100); }\n"
                   "int main(void) { for (int i = 0; i < 50; ++i) if (!NAMENAMENAME()) return 1; return 0; }\n")
    program_path = os.path.join(place, "hostile")
    content = compiled(source, program_path, "-O1", "-rdynamic")
    harness.check(content.count(b"NAMENAMENAME") >= 2, "the name is not in the program")
    content = content.replace(b"NAMENAMENAME", b"\x1b]0;X\x07\x1b[2J\xc2\x9b"[:12]).replace(b"FILEFILEFILE", b"\x1b[31m\nrm -rf"[:12])
    with open(program_path, "wb") as file:
        file.write(content)
    for symbolize, _, path, reports in reported(rig, program_path):
        harness.check(any("\x1b" in (frame["function"] or "") for site in reports[-1]["sites"]
                          for frame in site["frames"]), "the hostile name did not get into the report")
        shown_harmlessly(command, path, symbolize)


SYMBOLS = ('q"; touch x #$(touch y)', "$(touch y)", "rm -rf x", "a(b)c", "x(y); z", "-[A b:]", "main.(*T).f", "<a>b",
           "`id`(int)", "two words", "a\\b|c", "{x y}(z)", "f(int) oops", "a@b; c",
           "a(b)", "x<y>", "f(int) const", "n::f(a)")


def symbols(rig, command):
    """The names are put into a finished program, as an assembler would have put them there for asm labels."""
    place = rig.directory()
    source, program_path = os.path.join(place, "symbols.c"), os.path.join(place, "symbols")
    stand_ins = [chr(ord("A") + n) + "q" * (len(name) - 1) for n, name in enumerate(SYMBOLS)]
    with open(source, "w", encoding="ascii") as file:
        file.write("#include <stdlib.h>\n")
        for name in stand_ins:
            file.write(f"__attribute__((noinline)) void* {name}(size_t n) {{ return malloc(n); }}\n")
        calls = " ".join(f"if (!{name}({n} + 1000)) return 1;" for n, name in enumerate(stand_ins))
        file.write(f"int main(void) {{ {calls} return 0; }}\n")
    content = compiled(source, program_path, "-O0")
    for name, stand_in in zip(SYMBOLS, stand_ins):
        # No zero is asked for before it: it may be the first string of its section.
        harness.check(content.count(b"%s\0" % stand_in.encode()) >= 1, f"{stand_in} is not in the program")
        content = content.replace(b"%s\0" % stand_in.encode(), b"%s\0" % name.encode())
    with open(program_path, "wb") as file:
        file.write(content)
    for symbolize, run, path, reports in reported(rig, program_path):
        known = {frame["function"] for site in reports[-1]["sites"] for frame in site["frames"]}
        shown = subprocess.run([command, "report", path, "--top", "99"], check=True, stdout=subprocess.PIPE, timeout=60)
        text = shown.stdout.decode()
        for name in SYMBOLS:
            harness.check(name in known, f"{symbolize}: {name!r} is not in {sorted(map(str, known))}")
            # As the call site's title, and in a stack.
            for line in (rf"#\d+ .* {re.escape(name)}  ", rf" => +{re.escape(name)} "):
                harness.check(re.search(line, text), f"{symbolize}: {name!r} is not shown whole:\n{text}")
        shown_harmlessly(command, path, symbolize)
        harness.check(set(os.listdir(run.directory)) & {"x", "y"} == set(), "a shell has read a symbol")


def directory(rig, _):
    victim = rig.victim("reporting")
    for pattern in ("%", "%%", "%z%q", "/", "//", "/dev/null", "/dev/null/x", "/proc/self/fd", "\x1b[2J%e", "a\nb", "-", "~",
                    ".", "..", "x" * 300, "y/" * 3000, "%e" * 500, "$(touch stolen)", "`id`", "/dev/full"):
        place = rig.directory()
        inner = os.path.join(place, "inner")
        os.mkdir(inner)
        os.chmod(inner, 0o700)
        run = rig.run([victim, "plain"], "exact", {"HEAPGAUGE_OUTPUT": pattern, "TMPDIR": inner}, place, cwd=inner)
        harness.check(run.status == 0 and run.stderr == b"", f"{pattern[:20]!r}: {run.status} {run.stderr!r}")
        for line in run.said:
            harmless(line.encode(errors="surrogateescape"), f"{pattern[:20]!r}: stderr")
        harness.check(len(run.said) <= 3, f"{pattern[:20]!r}: it says {run.said}")
        harness.check(not os.path.exists(os.path.join(inner, "stolen")), "a shell has read HEAPGAUGE_OUTPUT")
        new = [path for path in tree(place) if path.split("/")[0] not in ("stdout", "stderr", "inner")]
        harness.check(not new or pattern == "..", f"{pattern[:20]!r}: it made {new}")


def swapped(rig, _):
    place = rig.directory()
    output, aside, elsewhere = (os.path.join(place, name) for name in ("output", "aside", "elsewhere"))
    os.mkdir(elsewhere, 0o700)
    over = threading.Event()
    swaps = []

    def swap():
        while not over.is_set():
            with contextlib.suppress(OSError):
                os.rename(output, aside)
                os.symlink(elsewhere, output)
                os.unlink(output)
                os.rename(aside, output)
                swaps.append(1)
            if os.path.exists(aside) and os.path.exists(output):  # made again meanwhile
                shutil.rmtree(aside, ignore_errors=True)

    def during(process):
        attacker = threading.Thread(target=swap)
        attacker.start()
        for _ in range(150):
            process.stdin.write(b"1")
            process.stdin.flush()
            process.stdout.readline()
        over.set()
        attacker.join()
        process.stdin.write(b"0")
        process.stdin.close()

    run = rig.run([rig.victim("reporting"), "asked"], "exact", {"HEAPGAUGE_OUTPUT": output}, during=during,
                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(f"{len(swaps)} swaps, it said {len(run.said)} lines")
    harness.check(run.status == 0 and len(swaps) > 100, f"{run.status}, {len(swaps)} swaps")
    harness.check(os.listdir(elsewhere) == [], f"written through a link: {os.listdir(elsewhere)}")


harness.main(body)
