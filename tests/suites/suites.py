"""How each suite is compiled: what a tree is asked for, and what the installed C library lacks of it."""

import concurrent.futures
import fnmatch
import glob
import os
import re
import subprocess
from dataclasses import dataclass, field


@dataclass
class Program:
    suite: str
    name: str
    command: list
    timeout_s: int = 60
    environment: dict = field(default_factory=dict)


def compiled(command, output):
    """Whether it worked; what the compiler said stands beside the program."""
    done = subprocess.run([*command, "-o", output], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    with open(output + ".log", "w", encoding="utf-8") as log:
        log.write(" ".join(command) + "\n" + done.stderr)
    return done.returncode == 0


def build_all(suite, sources, build, jobs, only):
    """`sources`: names and paths.  build(path, output): whether it worked."""
    chosen = {name: path for name, path in sources.items() if fnmatch.fnmatchcase(f"{suite}/{name}", only)}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        worked = list(pool.map(lambda item: build(item[1], item[0]), ((n, p) for n, p in chosen.items())))
    return ([name for name, good in zip(chosen, worked) if good], [name for name, good in zip(chosen, worked) if not good])


def archive(path, objects):
    if os.path.exists(path):
        os.unlink(path)
    subprocess.run(["ar", "rcs", path, *objects], check=True)
    return path


def compile_objects(paths, flags, where, jobs):
    os.makedirs(where, exist_ok=True)

    def one(path):
        output = os.path.join(where, os.path.basename(path) + ".o")
        return output if compiled(["gcc", "-w", "-O1", "-c", path, *flags], output) else None

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [output for output in pool.map(one, paths) if output is not None]


# What glibc's support library and tests use of the C library's own headers, in the words of an ordinary program.
GLIBC_WORDS = """
#ifndef SUITES_WORDS
#define SUITES_WORDS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#define attribute_hidden
#define libc_hidden_proto(...)
#define libc_hidden_def(...)
#define hidden_def(...)
#define attribute_tls_model_ie
#define __attribute_noinline__ __attribute__((noinline))
#define ASSERT_TYPE_SIZE(...) _Static_assert(1, "")
#define strong_alias(a, b)
#define weak_alias(a, b)
#define _Noreturn __attribute__((noreturn))
#include <limits.h>
#define TIMEOUTFACTOR 3
#define TEST_CC "gcc"
#define SYSCONFDIR_PATH "/etc"
#define SLIBDIR_PATH "/lib/x86_64-linux-gnu"
#define LIBDIR_PATH "/usr/lib/x86_64-linux-gnu"
#define BINDIR_PATH "/usr/bin"
#define SBINDIR_PATH "/usr/sbin"
#define ROOTSBINDIR_PATH "/sbin"
#define COMPLOCALEDIR_PATH "/usr/lib/locale"
#define OBJDIR_PATH "/tmp"
#define OBJDIR_ELF_LDSO_PATH "/lib64/ld-linux-x86-64.so.2"
#define SRCDIR_PATH "/tmp"
#define INSTDIR_PATH "/tmp"
#define PTHREAD_STACK_MIN_TEST 0
#define PTR_MANGLE(x) (void)(x)
#endif
"""
GLIBC_HEADERS = ("array_length.h", "libc-diag.h", "libc-pointer-arith.h", "intprops.h", "verify.h", "test-skeleton.c",
                 "ldsodefs.h", "pointer_guard.h", "tls.h", "first-versions.h", "stackinfo.h", "allocate_once.h", "scratch_buffer.h")
FORCED_HEADERS = {"libc-symbols.h": "", "kernel-features.h": "", "shlib-compat.h": "#define TEST_COMPAT(...) 0\n"
                  "#define compat_symbol_reference(...)\n", "config.h": "", "kernel-posix-cpu-timers.h": "",
                  "libc-internal.h": "", "atomic.h": """
#include <stdint.h>
#define atomic_load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_fetch_add_relaxed(p, v) __atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define atomic_fetch_add_acq_rel(p, v) __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define atomic_exchange_acq(p, v) __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define atomic_exchange_acquire(p, v) __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define atomic_increment(p) ((void)__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST))
#define atomic_decrement(p) ((void)__atomic_fetch_sub(p, 1, __ATOMIC_SEQ_CST))
#define atomic_increment_val(p) __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST)
#define atomic_full_barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
"""}


def glibc_environment(tree, folder):
    """NAME-ENV lines of the Makefile whose values are plain."""
    found = {}
    with open(os.path.join(tree, folder, "Makefile"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    for name, value in re.findall(r"^(tst-[\w-]+?)-ENV\s*[:+]?=\s*(.*)$", text, re.M):
        # Variables of make stand for directories of the build, but for the library of debugging aids.
        value = value.replace("$(objpfx)libc_malloc_debug.so", "libc_malloc_debug.so.0")
        if "$(" not in value:
            found.setdefault(name, {}).update(item.split("=", 1) for item in value.split() if "=" in item)
    return found


def glibc(tree, where, jobs, only):
    shim = os.path.join(where, "shim")
    os.makedirs(shim, exist_ok=True)
    with open(os.path.join(shim, "words.h"), "w", encoding="utf-8") as file:
        file.write(GLIBC_WORDS)
    for name, text in FORCED_HEADERS.items():
        with open(os.path.join(shim, name), "w", encoding="utf-8") as file:
            file.write(text)
    for name in GLIBC_HEADERS:
        for origin in (os.path.join(tree, "include", name), os.path.join(tree, name), os.path.join(tree, "sysdeps/nptl", name),
                       os.path.join(tree, "sysdeps/x86_64", name), os.path.join(tree, "sysdeps/generic", name)):
            if os.path.exists(origin) and not os.path.lexists(os.path.join(shim, name)):
                os.symlink(origin, os.path.join(shim, name))
    support = os.path.join(shim, "support")
    if not os.path.lexists(support):
        os.symlink(os.path.join(tree, "support"), support)
    flags = ["-std=gnu11", "-include", os.path.join(shim, "words.h"), "-iquote", support, "-I", shim, "-I", support,
             "-DMODULE_NAME=testsuite", "-U_FORTIFY_SOURCE", "-pthread"]
    sources = [path for path in glob.glob(os.path.join(tree, "support/*.c"))
               if not re.search(r"/(tst-|test-container|shell-|echo-|true-|links-|resolv_|test-run)", path)]
    sources += glob.glob(os.path.join(tree, "sysdeps/unix/sysv/linux/support_*.c"))
    library = archive(os.path.join(where, "support.a"), compile_objects(sources, flags, os.path.join(where, "support"), jobs))

    tests, folders = {}, {}
    for folder in ("malloc", "nptl", "sysdeps/pthread"):
        for path in sorted(glob.glob(os.path.join(tree, folder, "tst-*.c")) + glob.glob(os.path.join(tree, folder, "mallocbug.c"))):
            name = os.path.basename(path)[:-2]
            if "static" not in name and not re.search(r"(mod\w*|skeleton|-aux\w*)$", name):
                tests.setdefault(name, path)
                folders.setdefault(name, folder)

    def build(path, name):
        extra = []
        if name.startswith("tst-interpose"):
            extra = [os.path.join(tree, "malloc", f"tst-interpose-aux-{name.rsplit('-', 1)[1]}.c"), "-rdynamic"]
        exceptions = ["-fexceptions", "-fasynchronous-unwind-tables"] if "cancelx" in name or "cleanupx" in name else []
        return compiled(["gcc", "-w", "-O2", "-fno-builtin-malloc", "-fno-builtin-free", "-fno-builtin-calloc",
                         "-fno-builtin-realloc", *exceptions, path, *extra, *flags, "-I", os.path.dirname(path),
                         "-I", os.path.join(tree, "nptl"), "-I", os.path.join(tree, "sysdeps/pthread"),
                         library, library, "-lm", "-lrt", "-ldl"], os.path.join(where, name))

    built, not_built = build_all("glibc", tests, build, jobs, only)
    environment = {folder: glibc_environment(tree, folder) for folder in ("malloc", "nptl")}
    patience = {"TIMEOUTFACTOR": "10"}  # every allocation sampled is slow, and a machine may be busy
    return [Program("glibc", name, [os.path.join(where, name)], 400,
                    {**patience, **environment.get(folders[name], {}).get(name, {})}) for name in built], not_built


def jemalloc(tree, where, jobs, only):
    """The tree is configured and built in a copy; its own library is the allocator that is tested."""
    copy = os.path.join(where, "tree")
    if not os.path.exists(os.path.join(copy, "test/include/test/jemalloc_test.h")):
        subprocess.run(["cp", "-r", tree, copy], check=True)
        with open(os.path.join(where, "configure.log"), "wb") as log:
            subprocess.run(["./configure", "--with-jemalloc-prefix=", "--disable-doc"], cwd=copy, check=True, stdout=log,
                           stderr=subprocess.STDOUT)
            subprocess.run(["make", f"-j{jobs}", "build_lib_shared"], cwd=copy, check=True, stdout=log, stderr=subprocess.STDOUT)
    flags = ["-D_GNU_SOURCE", "-D_REENTRANT", "-I", os.path.join(copy, "test/include"),
             "-I", os.path.join(copy, "include"), "-fno-builtin", "-pthread"]
    names = ("test", "timer", "mq", "math", "thd", "mtx", "btalloc", "btalloc_0", "btalloc_1", "SFMT", "sleep", "nbits_rand")
    helpers = [path for name in names if os.path.exists(path := os.path.join(copy, "test/src", name + ".c"))]
    helpers += [os.path.join(copy, "src", name + ".c") for name in ("nstime", "malloc_io", "ticker")]
    objects = compile_objects(helpers, [*flags, "-DJEMALLOC_INTEGRATION_TEST"], os.path.join(where, "support"), jobs)
    library = archive(os.path.join(where, "support.a"), objects)
    real = os.path.join(copy, "lib")
    tests = {os.path.basename(path).rsplit(".", 1)[0]: path
             for path in sorted(glob.glob(os.path.join(copy, "test/integration/*.c")) +
                                glob.glob(os.path.join(copy, "test/integration/cpp/*.cpp")))}

    def build(path, name):
        compiler = (["g++", "-std=c++17", "-DJEMALLOC_INTEGRATION_CPP_TEST"] if path.endswith(".cpp") else
                    ["gcc", "-std=gnu11", "-DJEMALLOC_INTEGRATION_TEST"])
        return compiled([*compiler, "-w", "-O2", path, *flags, library, "-L", real, f"-Wl,-rpath,{real}", "-ljemalloc", "-lm"],
                        os.path.join(where, name))

    built, not_built = build_all("jemalloc", tests, build, jobs, only)
    programs = []
    for name in built:
        options = {}
        script = tests[name].rsplit(".", 1)[0] + ".sh"
        if os.path.exists(script):
            with open(script, encoding="utf-8") as file:
                found = re.search(r'MALLOC_CONF="([^"$]*)"', file.read())
            options = {"MALLOC_CONF": found.group(1)} if found else {}
        programs.append(Program("jemalloc", name, [os.path.join(where, name)], 120, options))
    return programs, not_built


def mimalloc(tree, where, jobs, only):
    """The tree's own library, shared, so that it stands behind us."""
    real = os.path.join(where, "libmimalloc.so")
    include = ["-I", os.path.join(tree, "include")]
    sources = [os.path.join(tree, "src/static.c")]  # which includes the others
    if not compiled(["gcc", "-w", "-O2", "-fPIC", "-shared", "-DMI_SHARED_LIB", "-DMI_SHARED_LIB_EXPORT", "-DMI_MALLOC_OVERRIDE",
                     "-ftls-model=initial-exec", "-fno-builtin-malloc", "-pthread", *sources, *include], real):
        raise SystemExit(f"mimalloc: {real}.log")
    names = ("test-api", "test-api-fill", "test-stress", "main-override", "main")
    tests = {name: os.path.join(tree, "test", name + ".c") for name in names
             if os.path.exists(os.path.join(tree, "test", name + ".c"))}
    tests["test-stress-malloc"] = os.path.join(tree, "test/test-stress.c")
    tests["main-override-c++"] = os.path.join(tree, "test/main-override.cpp")

    def build(path, name):
        compiler = ["g++", "-std=c++17"] if path.endswith(".cpp") else ["gcc", "-std=gnu11"]
        extra = ["-DUSE_STD_MALLOC"] if name == "test-stress-malloc" else []
        return compiled([*compiler, "-w", "-O2", *extra, path, *include, "-pthread", "-Wl,--no-as-needed", "-L", where,
                         f"-Wl,-rpath,{where}", "-lmimalloc"], os.path.join(where, name))

    built, not_built = build_all("mimalloc", tests, build, jobs, only)
    few = ["8", "10", "10"]  # threads, per cent of blocks that are kept, rounds: its own are for an idle machine
    return [Program("mimalloc", name, [os.path.join(where, name), *(few if "stress" in name else [])], 240)
            for name in built], not_built


def libcxx(tree, where, jobs, only):
    """Each test against libstdc++ and, where its headers are installed, against libc++."""
    root = next(path for path in (os.path.join(tree, "libcxx/test"), os.path.join(tree, "test")) if os.path.isdir(path))
    operators = os.path.join(root, "std/language.support/support.dynamic/new.delete")
    have_libcxx = os.path.exists("/usr/lib/llvm-14/include/c++/v1")
    tests = {}
    for path in sorted(glob.glob(os.path.join(operators, "**/*.pass.cpp"), recursive=True)):
        name = os.path.relpath(path, operators)[len("new.delete."):-len(".pass.cpp")].replace("/", ".")
        tests[name + ".libstdc++"] = path
        if have_libcxx:
            tests[name + ".libc++"] = path

    def build(path, name):
        stdlib = ["-stdlib=libc++"] if name.endswith(".libc++") else []
        before = "11" in name.split(".")[1]  # what C++11 calls
        standard = ["-std=c++11"] if before else ["-std=c++17", "-fsized-deallocation", "-faligned-allocation"]
        return compiled(["clang++", *standard, "-w", "-O1", *stdlib, path,
                         "-I", os.path.join(root, "support"), "-pthread"], os.path.join(where, name))

    built, not_built = build_all("libcxx", tests, build, jobs, only)
    return [Program("libcxx", name, [os.path.join(where, name)], 60) for name in built], not_built


def libc_test(tree, where, jobs, only):
    """musl's; what glibc does otherwise fails bare."""
    common = os.path.join(tree, "src/common")
    os.makedirs(os.path.join(where, "common"), exist_ok=True)
    with open(os.path.join(where, "common/options.h"), "w", encoding="utf-8") as file:
        file.write("".join(f"#define {name} 1\n" for name in ("POSIX_PRIORITIZED_THREAD", "_XOPEN_CRYPT")))
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-I", common, "-I", os.path.join(where, "common"),
             "-fno-builtin", "-U_FORTIFY_SOURCE", "-pthread"]
    helpers = [path for path in glob.glob(os.path.join(common, "*.c")) if not path.endswith("runtest.c")]
    library = archive(os.path.join(where, "support.a"), compile_objects(helpers, flags, os.path.join(where, "support"), jobs))
    tests = {}
    for folder in ("functional", "regression"):
        for path in sorted(glob.glob(os.path.join(tree, "src", folder, "*.c"))):
            name = f"{folder}.{os.path.basename(path)[:-2]}"
            if not name.endswith("_dso"):
                tests[name] = path

    def build(path, name):
        needs = []
        if os.path.exists(path[:-2] + ".mk"):
            dso = os.path.join(os.path.dirname(path), re.sub(r"(_dlopen)?$", "_dso", os.path.basename(path)[:-2]) + ".c")
            if os.path.exists(dso):
                target = os.path.join(where, os.path.basename(dso)[:-2] + ".so")
                if not compiled(["gcc", "-w", "-fPIC", "-shared", dso, *flags], target):
                    return False
                os.makedirs(os.path.join(where, "src", name.split(".")[0]), exist_ok=True)
                needs = [target, f"-Wl,-rpath,{where}"] if "dlopen" not in name and "new-dtv" not in name else []
        return compiled(["gcc", "-w", "-O1", path, *flags, *needs, library, "-lm", "-lrt", "-lcrypt", "-lresolv", "-ldl",
                         "-rdynamic"], os.path.join(where, name))

    built, not_built = build_all("libc-test", tests, build, jobs, only)
    return [Program("libc-test", name, [os.path.join(where, name), ""], 60) for name in built], not_built


def small(tree, where, jobs, only):
    """Tests of the same kinds in a folder of ours: one C or C++ file each."""
    tests = {os.path.basename(path).rsplit(".", 1)[0]: path
             for path in sorted(glob.glob(os.path.join(tree, "*.c")) + glob.glob(os.path.join(tree, "*.cc")))}

    def build(path, name):
        compiler = ["g++", "-std=c++17"] if path.endswith(".cc") else ["gcc", "-std=gnu11", "-fno-builtin"]
        return compiled([*compiler, "-O1", "-Wall", path, "-pthread", "-ldl"], os.path.join(where, name))

    built, not_built = build_all("small", tests, build, jobs, only)
    return [Program("small", name, [os.path.join(where, name)], 120) for name in built], not_built


TOOLS = {"jemalloc": ("gcc", "g++", "ar", "make"), "mimalloc": ("gcc", "g++"), "libcxx": ("clang++",),
         "small": ("gcc", "g++")}
SUITES = {"small": small, "glibc": glibc, "jemalloc": jemalloc, "mimalloc": mimalloc, "libcxx": libcxx, "libc-test": libc_test}
