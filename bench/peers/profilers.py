"""heapgauge and its peers: how each is run, and which of them this machine can run."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "measure"))
import measuring  # noqa: E402
from measuring import Configuration  # noqa: E402

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
TCMALLOC = f"{LIBRARIES}/libtcmalloc.so.4"
JEMALLOC = f"{LIBRARIES}/libjemalloc.so.2"
HEAPTRACK = "/usr/lib/heaptrack/libheaptrack_preload.so"
# The newest compiler's; it looks for leaks when a program ends, as `heapgauge check` does.
LSAN = max(glob.glob("/usr/lib/gcc/*/*/liblsan.so"), default="liblsan.so")
PACKAGES = {LSAN: "of gcc", TCMALLOC: "libgoogle-perftools4", JEMALLOC: "libjemalloc2", HEAPTRACK: "heaptrack", "valgrind": "valgrind"}
# Every call is recorded, or the program itself interpreted: these take minutes where others take seconds.
SLOW = {"tcmalloc_heapprofile", "massif", "dhat"}
# Those, and what can't be run under callgrind.
UNCOUNTED = SLOW | {"lsan"}


def known(build):
    """[(what it needs, Configuration)], the bare program first."""
    ours = f"{build}/lib/libheapgauge.so"
    exact = {"HEAPGAUGE_SAMPLE_INTERVAL": "1", "HEAPGAUGE_MEMORY_LIMIT": "4GiB"}
    return [
        (None, Configuration("bare")),
        (None, Configuration("forward", {"LD_PRELOAD": f"{build}/lib/libforward_shim.so"})),
        (None, Configuration("heapgauge", {"LD_PRELOAD": ours})),
        (None, Configuration("heapgauge_fp", {"LD_PRELOAD": ours, "HEAPGAUGE_UNWIND": "fp"})),
        (None, Configuration("heapgauge_names", {"LD_PRELOAD": ours, "HEAPGAUGE_SYMBOLIZE": "names"})),
        (None, Configuration("heapgauge_exact", {"LD_PRELOAD": ours} | exact)),
        (HEAPTRACK, Configuration("heaptrack_raw", {}, ("heaptrack", "--raw", "-o", "DIRECTORY/raw"))),
        (HEAPTRACK, Configuration("heaptrack", {}, ("heaptrack", "-o", "DIRECTORY/out"))),
        (TCMALLOC, Configuration("tcmalloc", {"LD_PRELOAD": TCMALLOC})),
        (TCMALLOC, Configuration("tcmalloc_sampling", {"LD_PRELOAD": TCMALLOC, "TCMALLOC_SAMPLE_PARAMETER": "524288"},
                                 base="tcmalloc")),
        (TCMALLOC, Configuration("tcmalloc_heapprofile", {"LD_PRELOAD": TCMALLOC, "HEAPPROFILE": "DIRECTORY/heap"},
                                 base="tcmalloc")),
        (TCMALLOC, Configuration("heapgauge_tcmalloc", {"LD_PRELOAD": f"{ours}:{TCMALLOC}"}, base="tcmalloc")),
        (JEMALLOC, Configuration("jemalloc", {"LD_PRELOAD": JEMALLOC})),
        (JEMALLOC, Configuration("jemalloc_prof", {"LD_PRELOAD": JEMALLOC, "MALLOC_CONF":
                                                   "prof:true,lg_prof_sample:19,prof_final:true,prof_prefix:DIRECTORY/je"},
                                 base="jemalloc")),
        (JEMALLOC, Configuration("heapgauge_jemalloc", {"LD_PRELOAD": f"{ours}:{JEMALLOC}"}, base="jemalloc")),
        (None, Configuration("heapgauge_check", {}, (f"{build}/bin/heapgauge", "check", "--error-exitcode", "0", "--"))),
        (LSAN, Configuration("lsan", {"LD_PRELOAD": LSAN, "LSAN_OPTIONS": "exitcode=0"})),
        ("valgrind", Configuration("massif", {}, ("valgrind", "--tool=massif", "--massif-out-file=DIRECTORY/massif"))),
        ("valgrind", Configuration("dhat", {}, ("valgrind", "--tool=dhat", "--dhat-out-file=DIRECTORY/dhat"))),
    ]


def objection(needs, configuration):
    """Why this machine can't run the configuration; nothing when it can."""
    if needs is not None and not (os.path.exists(needs) or shutil.which(needs)):
        return f"package {PACKAGES[needs]} is not installed"
    if "MALLOC_CONF" not in configuration.environment:
        return None
    # jemalloc may be built without its profiler; then it says so and goes on without.
    with tempfile.TemporaryDirectory() as directory:
        environment, _ = measuring.substitute(configuration, directory)
        said = subprocess.run([shutil.which("true")], env=measuring.clean_environment() | environment, capture_output=True,
                              text=True, check=False).stderr
    return next((line for line in said.splitlines() if "Invalid conf" in line), None)


def chosen(build, wanted):
    """The configurations of these names and the bare program; ends the script where a name or a comparison makes no sense."""
    all_of_them = known(build)
    names = {configuration.name for _, configuration in all_of_them}
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit(f"unknown peer {unknown[0]}; there are {', '.join(sorted(names))}")
    result = []
    for needs, configuration in all_of_them:
        if configuration.name != "bare" and configuration.name not in wanted:
            continue
        why_not = objection(needs, configuration)
        if why_not:
            print(f"left out: {configuration.name}: {why_not}")
            continue
        result.append(configuration)
    for configuration in result:
        if configuration.base not in [other.name for other in result]:
            sys.exit(f"{configuration.name} is compared with {configuration.base}: add that to --peers")
    return result


def add_arguments(parser, usual):
    """What every script about peers is asked for."""
    parser.add_argument("build", help="build directory")
    others = ", ".join(configuration.name for _, configuration in known("") if configuration.name not in usual.split(","))
    parser.add_argument("--peers", default=usual, help=f"default {usual}; also {others}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write every figure to this file")
