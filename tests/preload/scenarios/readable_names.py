"""Names that only the helper can read, and standard libraries that are never the call site.

Each function of the program has a symbol that a compiler gave to another one: C++ names of 600 to 5000 letters and
Rust's in both forms.  Built without debug information, so that the symbol table is all there is.
"""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import harness


def long_name(head, letters, tail):
    parameter = "St6vectorIiSaIiEE"
    return head + parameter * (letters // len(parameter)) + tail


# Symbol of what allocates, symbol of who asked, and the name of the latter for people.
PAIRS = (
    (long_name("_ZNSt6vectorI", 600, "E7reserveEm"), "_ZN4shop10LEAK_indexEi", "shop::LEAK_index(int)"),
    (long_name("_ZNSt6vectorI", 1500, "E7reserveEm"), "_ZN4shop10LEAK_tableEi", "shop::LEAK_table(int)"),
    (long_name("_ZN9__gnu_cxx13new_allocatorI", 700, "E8allocateEm"), "LEAK_plain", "LEAK_plain"),
    (long_name("_ZNKSt8functionIFv", 5000, "EEclEv"), long_name("_ZN4shop9LEAK_longI", 700, "EEvv"), "shop::LEAK_long<"),
    ("_ZN5alloc7raw_vec19RawVec$LT$T$C$A$GT$8grow_one17h0123456789abcdefE",
     "_ZN4shop11LEAK_legacy17h00112233445566ffE", "shop::LEAK_legacy"),
    ("_RNvMs_NtCs5l0EXMQXRMU_5alloc7raw_vecINtB4_6RawVechE4growCs_5crate", "_RNvNtCs1234_4shop4cart7LEAK_v0",
     "shop::cart::LEAK_v0"),
)


def write_source(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("#include <stdlib.h>\nvoid* volatile kept;\n")
        for number, (machinery, asker, _) in enumerate(PAIRS):
            file.write(f'__attribute__((noipa)) void* take{number}(size_t) __asm__("{machinery}");\n'
                       f'__attribute__((noipa)) void ask{number}(void) __asm__("{asker}");\n'
                       f"void* take{number}(size_t n) {{ char* p = malloc(n); *p = 1; return p; }}\n"
                       f'void ask{number}(void) {{ kept = take{number}({1000 + number}); __asm__(""); }}\n')
        file.write("int main(void) {\n  for (int i = 0; i < 300; i++) {\n")
        file.writelines(f"    ask{number}();\n" for number in range(len(PAIRS)))
        file.write("  }\n}\n")


def body():
    options = harness.arguments(__doc__)
    if shutil.which("gcc") is None:
        harness.skip("needs gcc")
    with harness.Rig(options) as rig:
        place = rig.directory()
        write_source(os.path.join(place, "program.c"))
        subprocess.run(["gcc", "-O1", "-g0", "program.c", "-o", "program"], check=True, cwd=place)
        for how in ("lines", "names"):
            run = rig.run([os.path.join(place, "program")], "exact", {"HEAPGAUGE_SYMBOLIZE": how})
            harness.check(run.status == 0 and not run.said, f"{how}: {run.status} {run.stderr!r} {run.said}")
            (report,) = harness.last_reports(run.directory).values()
            for number, (machinery, asker, name) in enumerate(PAIRS):
                one_pair(how, report, 300 * (1000 + number), machinery, asker, name)
            if how == "lines":
                (directory,) = harness.report_directories(run.directory)
                with open(os.path.join(directory, "report.txt"), encoding="utf-8") as file:
                    text = file.read()
                harness.check("_ZN" not in text and "_RN" not in text, f"mangled names are shown:\n{text}")


def one_pair(how, report, live, machinery, asker, name):
    """The site of so many bytes: the asker is its call site, and who can read names has read them."""
    (site,) = [site for site in report["sites"] if site["live_bytes"] == live]
    functions = [frame["function"] for frame in site["frames"]]
    harness.check(len(functions) >= 2, f"{how}: {functions}")
    read = how == "lines"
    unread = asker if asker.startswith("_R") or len(asker) > 512 else name
    harness.check((name if read else unread) in functions[1], f"{how}: {functions[1]}, not {name}")
    harness.check(not read or functions[0] != machinery, f"{how}: {functions[0]}")
    # A C++ name tells by its beginning what it belongs to.
    if read or not machinery.startswith("_R"):
        harness.check(site["callsite"] == 1, f"{how}: frame {site['callsite']} of {functions} is the call site")


harness.main(body)
