"""Debug information of every kind: lines and inlined functions are found in each, or one line says why not.

--what compressed: sections compressed by zlib (two ways) and zstd, in the program and in a file of its own.
--what shared: what dwz moves into a file for several programs.
--what split: .dwo files beside the objects.
--what symbols: the compressed symbol table that is all that some distributions leave (.gnu_debugdata).
--what hostile: sections that claim to hold more than any memory, or are damaged.
"""

import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "victims", "debug_kinds.cc")
SHF_COMPRESSED = 1 << 11


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            harness.skip(f"{tool} is not installed")


def tool(*argv, cwd):
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
    harness.check(done.returncode == 0, f"{' '.join(argv)}: {done.stdout.decode()}")


def works(*argv, cwd):
    """False where this machine's compiler does not know an option."""
    return subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          cwd=cwd).returncode == 0


def line_of(mark):
    with open(SOURCE, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if f"mark: {mark}" in line)


def run(rig, directory, program="program"):
    done = rig.run([os.path.join(directory, program)], "4KiB", directory=directory)
    harness.check(done.status == 0, f"{directory}: {done.status} {done.said}")
    report = harness.read_reports(harness.report_directories(directory)[0])[-1]
    sites = [s for s in report["sites"] if any(f["module"].endswith(program) for f in s["frames"])]
    harness.check(sites, f"{report['sites']}")
    return sites[0]["frames"], report["notes"]


def check_lines(rig, directory, what):
    frames, notes = run(rig, directory)
    found = [(f["function"], os.path.basename(f["file"] or ""), f["line"], f["inlined"]) for f in frames[:2]]
    inner, outer = ("KeepInner", line_of("inner"), True), ("shop::HandleRequest", line_of("outer"), False)
    for (function, file, line, inlined), wanted in zip(found, (inner, outer)):
        harness.check(function.startswith(wanted[0]) and (line, inlined) == wanted[1:] and file == "debug_kinds.cc",
                      f"{what}: {found}, notes {notes}")
    harness.check(notes == [], f"{what}: {notes}")


def check_names_and_note(rig, directory, what, note):
    frames, notes = run(rig, directory)
    harness.check(frames[0]["function"].startswith("shop::HandleRequest") and frames[0]["line"] is None,
                  f"{what}: {frames[0]}")
    harness.check(len(notes) == 1 and note in notes[0], f"{what}: {notes}")


def split_off(directory, *options):
    """The debug information in a file of its own, which the program links to."""
    tool("objcopy", "--only-keep-debug", *options, "program", "program.debug", cwd=directory)
    tool("objcopy", "--strip-all", "--add-gnu-debuglink=program.debug", "program", "stripped", cwd=directory)
    os.replace(os.path.join(directory, "stripped"), os.path.join(directory, "program"))


def compressed(rig):
    tried = 0
    for how in ("zlib", "zlib-gabi", "zlib-gnu", "zstd"):
        for version in ("-gdwarf-4", "-gdwarf-5"):
            for apart in (False, True):
                directory = rig.directory()
                if not works("g++", "-O2", version, SOURCE, f"-Wl,--compress-debug-sections={how}", "-o", "program",
                             cwd=directory):
                    continue
                if apart:
                    split_off(directory)
                check_lines(rig, directory, f"{how} {version}{' in a file of its own' if apart else ''}")
                tried += 1
    harness.check(tried > 0, "no compiler here compresses")


def shared(rig):
    need("dwz")
    for version in ("-gdwarf-4", "-gdwarf-5"):
        for zstd in (False, True):
            directory = rig.directory()
            for name in ("program", "other"):
                tool("g++", "-O2", version, SOURCE, "-o", name, cwd=directory)
                tool("objcopy", "--only-keep-debug", name, f"{name}.debug", cwd=directory)
                tool("objcopy", "--strip-all", f"--add-gnu-debuglink={name}.debug", name, cwd=directory)
            tool("dwz", "-m", "common.debug", "-M", os.path.join(directory, "common.debug"), "program.debug",
                 "other.debug", cwd=directory)
            if zstd and not all(works("objcopy", "--compress-debug-sections=zstd", name, cwd=directory)
                                for name in ("common.debug", "program.debug")):
                continue
            check_lines(rig, directory, f"dwz {version} {'zstd' if zstd else ''}")


def split(rig):
    for version in ("-gdwarf-4", "-gdwarf-5"):
        directory = rig.directory()
        tool("g++", "-O2", version, "-gsplit-dwarf", "-c", SOURCE, "-o", "object.o", cwd=directory)
        tool("g++", "object.o", "-o", "program", cwd=directory)
        check_lines(rig, directory, f"split {version}")


def symbols(rig):
    need("xz")
    directory = rig.directory()
    tool("g++", "-O2", SOURCE, "-o", "program", cwd=directory)
    tool("objcopy", "-S", "--keep-symbol=_ZN4shop13HandleRequestEi", "program", "symbols", cwd=directory)
    tool("xz", "-f", "symbols", cwd=directory)
    tool("objcopy", "--strip-all", "--add-section", ".gnu_debugdata=symbols.xz", "program", cwd=directory)
    frames, notes = run(rig, directory)
    harness.check(frames[0]["function"].startswith("shop::HandleRequest"), f"{frames[0]}")
    harness.check(notes == [], f"{notes}")


def patch_compressed(path, change):
    """Calls change(bytes, offset of the compression header, size of the section) for each compressed section."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    table, = struct.unpack_from("<Q", content, 0x28)
    size, count = struct.unpack_from("<HH", content, 0x3A)
    patched = 0
    for i in range(count):
        _, _, flags, _, offset, length = struct.unpack_from("<IIQQQQ", content, table + i * size)
        if flags & SHF_COMPRESSED:
            change(content, offset, length)
            patched += 1
    harness.check(patched > 0, f"{path}: nothing is compressed")
    with open(path, "wb") as file:
        file.write(content)


def hostile(rig):
    def bomb(content, offset, _):
        struct.pack_into("<Q", content, offset + 8, 1 << 42)

    def small(content, offset, _):
        struct.pack_into("<Q", content, offset + 8, 100)

    def noise(content, offset, length):
        content[offset + 24 + length // 3:offset + length] = bytes(range(256)) * length

    for what, change, note in (("bomb", bomb, "more memory than may be used"), ("too small", small, "damaged"),
                               ("noise", noise, "damaged")):
        directory = rig.directory()
        if not works("g++", "-O2", "-g", SOURCE, "-Wl,--compress-debug-sections=zstd", "-o", "program", cwd=directory):
            harness.skip("no compiler here compresses with zstd")

        def same_length(content, offset, length, by=change):
            before = len(content)
            section = bytearray(content[offset:offset + length])
            by(section, 0, length)
            content[offset:offset + length] = section[:length]
            harness.check(len(content) == before, "the file changed its length")

        patch_compressed(os.path.join(directory, "program"), same_length)
        check_names_and_note(rig, directory, what, note)


KINDS = {"compressed": compressed, "shared": shared, "split": split, "symbols": symbols, "hostile": hostile}


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", choices=KINDS))
    need("g++", "objcopy")
    with harness.Rig(options, timeout=120) as rig:
        KINDS[options.what](rig)


harness.main(body)
