#!/usr/bin/env python3
"""What is loaded into other people's processes starts with every glibc from 2.28 on, and speaks on musl.

  symbol_versions.py DIRECTORY_OF_LIBRARIES

A loader refuses a library that asks for a version of a symbol that its C library does not have, so no import of
libheapgauge.so and libheapgauge-core.so may be of a later version than 2.28; nor may it be of a C++ library's.  A loader
before 2.30 wants each in the very file that its version is of, so what moved into libc from libpthread, libdl and the like
has no version at all (lib/reporter/older_libraries.c).  musl's
loader ends the program for any import that it does not have and for relocations that it does not know.
"""
import os
import re
import subprocess
import sys

OLDEST = (2, 28)
# What musl 1.2.3 has of what the shim may call: an import that is none of these has to be weak.
CALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "shim", "library_calls.inc")
MUSL = "/lib/ld-musl-x86_64.so.1"
# Relocations that musl knows, of those that gcc's shared objects have.
KNOWN = {"R_X86_64_RELATIVE", "R_X86_64_GLOB_DAT", "R_X86_64_JUMP_SLOT", "R_X86_64_64", "R_X86_64_TPOFF64",
         "R_AARCH64_RELATIVE", "R_AARCH64_GLOB_DAT", "R_AARCH64_JUMP_SLOT", "R_AARCH64_ABS64", "R_AARCH64_TLS_TPREL64",
         "R_AARCH64_TLS_TPREL"}

# What libc itself had in 2.28 of calls that are named like those of libpthread, libdl, librt and libutil.
NAMED_LIKE_OTHERS = re.compile(r"_*(pthread|sem|thrd|mtx|cnd|tss|call_once|dl|timer|shm|mq|aio|lio|getaddrinfo_a|openpty|forkpty)")
IN_LIBC = set("""dl_iterate_phdr pthread_attr_destroy pthread_attr_getdetachstate pthread_attr_getinheritsched
pthread_attr_getschedparam pthread_attr_getschedpolicy pthread_attr_getscope pthread_attr_init pthread_attr_setdetachstate
pthread_attr_setinheritsched pthread_attr_setschedparam pthread_attr_setschedpolicy pthread_attr_setscope
pthread_cond_broadcast pthread_cond_destroy pthread_cond_init pthread_cond_signal pthread_cond_timedwait pthread_cond_wait
pthread_condattr_destroy pthread_condattr_init pthread_equal pthread_exit pthread_getschedparam pthread_mutex_destroy
pthread_mutex_init pthread_mutex_lock pthread_mutex_unlock pthread_self pthread_setcancelstate pthread_setcanceltype
pthread_setschedparam""".split())

problems = []


def tool(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def imports(path):
    """(name, version or "", whether weak) of each."""
    for line in tool("readelf", "--dyn-syms", "-W", path).splitlines():
        words = line.split()
        if len(words) < 8 or words[6] != "UND":
            continue
        name, _, version = words[7].partition("@")
        yield name, version, words[4] == "WEAK"


def calls_without_imports():
    """What the shim finds by itself (library_calls.inc), as imports() has it."""
    with open(CALLS, encoding="ascii") as file:
        for name, version in re.findall(r'^HG_LIBRARY_CALL(?:_SINCE)?\((\w+)(?:, "(\S+)")?\)', file.read(), flags=re.M):
            yield name, version, True


def check_versions(path, more=()):
    seen = 0
    for found_by_itself, (name, version, _) in [*((False, one) for one in imports(path)), *((True, one) for one in more)]:
        if not version:
            continue
        seen += 1
        if not found_by_itself and NAMED_LIKE_OTHERS.match(name) and name not in IN_LIBC:
            problems.append(f"{path} asks for {name} with a version: before 2.34 it is in no libc (older_libraries.c)")
        found = re.fullmatch(r"GLIBC_([0-9.]+)", version)
        if found is None:
            problems.append(f"{path} asks for {name} of {version}, which is not the C library's")
        elif tuple(int(part) for part in found.group(1).split(".")) > OLDEST:
            problems.append(f"{path} asks for {name} of {version}: glibc 2.28 has none")
    if seen < 10:
        problems.append(f"{path}: only {seen} imports with versions were found")


def check_musl(path):
    kinds = set(re.findall(r"\bR_[A-Z0-9_]+\b", tool("readelf", "-r", "-W", path)))
    if not kinds or kinds - KNOWN:
        problems.append(f"{path} has relocations that musl does not know: {sorted(kinds - KNOWN)}")
    if not os.path.exists(MUSL):
        return
    has = set(re.findall(r" (?:FUNC|OBJECT|NOTYPE|TLS) .* ([\w.]+)$", tool("readelf", "--dyn-syms", "-W", MUSL), flags=re.M))
    for name, _, weak in imports(path):
        if name and not weak and name not in has:
            problems.append(f"{path} asks for {name}, which musl does not have")


def check_needs(path):
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", tool("readelf", "-d", "-W", path)))
    if not needed or any(not re.match(r"(libc|libm)\.so\.6$|ld-linux", name) for name in needed):
        problems.append(f"{path} needs {sorted(needed)}")


directory = sys.argv[1]
check_versions(os.path.join(directory, "libheapgauge.so"), calls_without_imports())
check_versions(os.path.join(directory, "libheapgauge-core.so"))
check_needs(os.path.join(directory, "libheapgauge.so"))
check_needs(os.path.join(directory, "libheapgauge-core.so"))
check_musl(os.path.join(directory, "libheapgauge.so"))
print("\n".join(problems) if problems else "all imports are of glibc 2.28 or before")
sys.exit(1 if problems else 0)
