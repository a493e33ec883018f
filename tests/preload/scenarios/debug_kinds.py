"""Debug information of every kind: lines and inlined functions are found in each, or one line says why not.

--what compressed: sections compressed by zlib (two ways) and zstd, in the program and in a file of its own.
--what shared: what dwz moves into a file for several programs.
--what split: .dwo files beside the objects.
--what symbols: the compressed symbol table that is all that some distributions leave (.gnu_debugdata).
--what server: debug files that a debuginfod server has, by way of the client's cache; servers that have another
    file, none, or never answer.
--what hostile: sections that claim to hold more than any memory, or are damaged.
"""

import contextlib
import http.server
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import harness

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "victims", "debug_kinds.cc")
SHF_COMPRESSED = 1 << 11
ATTEMPTS = 10


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


def run(rig, directory, program="program", env=None):
    done = rig.run([os.path.join(directory, program)], "4KiB", env, directory=directory)
    harness.check(done.status == 0, f"{directory}: {done.status} {done.said}")
    report = harness.read_reports(harness.report_directories(directory)[0])[-1]
    sites = [s for s in report["sites"] if any(f["module"].endswith(program) for f in s["frames"])]
    harness.check(sites, f"{report['sites']}")
    return sites[0]["frames"], report["notes"]


def check_lines(rig, directory, what, env=None):
    frames, notes = run(rig, directory, env=env)
    check_frames(frames, notes, what)


def check_frames(frames, notes, what):
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
        check_lines(rig, compile_split(rig, version), f"split {version}")
        # The skeleton still has lines; what was inlined is not known, and the report says so.
        for package, said in ((False, "object.dwo is not there"), (True, "in its .dwp")):
            directory = compile_split(rig, version)
            os.remove(os.path.join(directory, "object.dwo"))
            if package:
                with open(os.path.join(directory, "program.dwp"), "wb"):
                    pass
            frames, notes = run(rig, directory)
            harness.check(frames[0]["function"].startswith("shop::HandleRequest") and frames[0]["line"] is not None,
                          f"split {version}: {frames[0]}")
            harness.check(len(notes) == 1 and said in notes[0], f"split {version}: {notes}")


def compile_split(rig, version):
    directory = rig.directory()
    tool("g++", "-O2", version, "-gsplit-dwarf", "-c", SOURCE, "-o", "object.o", cwd=directory)
    tool("g++", "object.o", "-o", "program", cwd=directory)
    return directory


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


@contextlib.contextmanager
def files_server(files):
    """Serves path -> bytes on a port of its own; yields its address and the paths that were asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # the library's name for it
            asked.append(self.path)
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def build_id(path):
    text = subprocess.run(["readelf", "-n", path], check=True, stdout=subprocess.PIPE).stdout.decode()
    return text.split("Build ID:")[1].split()[0]


def stripped(rig, source=SOURCE):
    """A directory with a stripped program; its debug file's bytes, and its build-id."""
    directory = rig.directory()
    tool("g++", "-O2", "-g", source, "-Wl,--build-id=sha1", "-o", "program", cwd=directory)
    path = os.path.join(directory, "program")
    tool("objcopy", "--only-keep-debug", path, "elsewhere", cwd=directory)
    tool("objcopy", "--strip-all", path, cwd=directory)
    with open(os.path.join(directory, "elsewhere"), "rb") as file:
        content = file.read()
    os.remove(os.path.join(directory, "elsewhere"))
    return directory, content, build_id(path)


def again(rig, directory):
    """The same program in a directory of its own, for another run."""
    fresh = rig.directory()
    shutil.copy(os.path.join(directory, "program"), fresh)
    return fresh


def check_no_lines(rig, directory, what, env):
    frames, _ = run(rig, directory, env=env)
    harness.check(all(frame["line"] is None for frame in frames), f"{what}: {frames}")


def skip_when_busy():
    if os.getloadavg()[0] > 3 * os.cpu_count():
        harness.skip("the machine is too busy for a helper that waits for a server")


def check_lines_come(rig, directory, what, env):
    """The helper has the lowest priority and waits three seconds for a server: on a busy machine not in every run."""
    for attempt in range(ATTEMPTS):
        fresh = again(rig, directory)
        frames, notes = run(rig, fresh, env=env)
        if frames[0]["line"] is not None:
            break
        print(f"{what}: attempt {attempt}: {frames[0]}, {notes}")
    else:
        skip_when_busy()
    check_frames(frames, notes, what)


def server(rig):
    need("readelf")
    harness.skip_without_library("libdebuginfod.so.1")
    directory, content, name = stripped(rig)
    cache = rig.directory()
    path = f"/buildid/{name}/debuginfo"
    settings = {"DEBUGINFOD_CACHE_PATH": cache}
    with files_server({path: content}) as (address, asked):
        check_no_lines(rig, again(rig, directory), "no variable", {**settings, "DEBUGINFOD_URLS": None})
        check_no_lines(rig, again(rig, directory), "an empty one", {**settings, "DEBUGINFOD_URLS": ""})
        harness.check(asked == [], f"asked without being told to: {asked}")
        check_lines_come(rig, directory, "a server", {**settings, "DEBUGINFOD_URLS": address})
        harness.check(path in asked, f"asked for {asked}")
    # It is gone: what it gave is still there.
    check_lines_come(rig, directory, "the cache", {**settings, "DEBUGINFOD_URLS": address})
    with files_server({}) as (address, asked):
        for _ in range(ATTEMPTS):
            check_no_lines(rig, again(rig, directory), "a server without it",
                           {"DEBUGINFOD_CACHE_PATH": rig.directory(), "DEBUGINFOD_URLS": address})
            if asked:
                break
        else:
            skip_when_busy()
        harness.check(path in asked, f"asked for {asked}")
    with files_server({path: b"no ELF file at all"}) as (address, _):
        check_no_lines(rig, again(rig, directory), "a server that lies",
                       {"DEBUGINFOD_CACHE_PATH": rig.directory(), "DEBUGINFOD_URLS": address})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        check_no_lines(rig, again(rig, directory), "a server that never answers",
                       {"DEBUGINFOD_CACHE_PATH": rig.directory(),
                        "DEBUGINFOD_URLS": f"http://127.0.0.1:{silent.getsockname()[1]}"})


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


KINDS = {"compressed": compressed, "shared": shared, "split": split, "symbols": symbols, "server": server, "hostile": hostile}


def body():
    options = harness.arguments(__doc__, lambda parser: parser.add_argument("--what", choices=KINDS))
    need("g++", "objcopy")
    with harness.Rig(options, timeout=120) as rig:
        KINDS[options.what](rig)


harness.main(body)
