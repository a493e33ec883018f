"""What the bench scripts share: running a command under a configuration and reading its cost."""
import dataclasses
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One way to run a program: variables added to its environment, and words put before it."""
    name: str
    environment: dict = dataclasses.field(default_factory=dict)
    prefix: tuple = ()
    base: str = "bare"  # the configuration whose cost its own is divided by


@dataclasses.dataclass
class Cost:
    wall: float
    user: float
    cpu: float  # user and system
    peak_kib: int
    written: int  # bytes in the report directory


def clean_environment():
    """Ours, without anything that a developer has set for heapgauge or another profiler."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("HEAPGAUGE_", "LD_PRELOAD", "MALLOC_", "HEAPPROFILE", "TCMALLOC_"))} | {"LC_ALL": "C"}


def heapgauge_configurations(build, names):
    library = f"{build}/lib/libheapgauge.so"
    environment = {
        "default": {},
        "dwarf": {"HEAPGAUGE_UNWIND": "dwarf"},
        "fp": {"HEAPGAUGE_UNWIND": "fp"},
        "exact": {"HEAPGAUGE_SAMPLE_INTERVAL": "1", "HEAPGAUGE_MEMORY_LIMIT": "4GiB"},
        "names": {"HEAPGAUGE_SYMBOLIZE": "names"},
        "off": {"HEAPGAUGE_START": "off"},
    }
    known = {"bare": Configuration("bare"),
             "forward": Configuration("forward", {"LD_PRELOAD": f"{build}/lib/libforward_shim.so"})}
    for name, more in environment.items():
        known[name] = Configuration(name, {"LD_PRELOAD": library} | more)
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown configuration {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names]


def substitute(configuration, directory):
    """The configuration with DIRECTORY, where it is named, replaced by an existing directory."""
    environment = {name: value.replace("DIRECTORY", directory)
                   for name, value in ({"HEAPGAUGE_OUTPUT": "DIRECTORY/%e.%p"} | configuration.environment).items()}
    return environment, [word.replace("DIRECTORY", directory) for word in configuration.prefix]


def bytes_in(directory):
    total = 0
    for folder, _, names in os.walk(directory):
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return total


def run_once(build, configuration, command):
    """Wall, CPU and peak RSS of one run; ends the script when the program fails, for then it has measured nothing."""
    with tempfile.TemporaryDirectory() as directory:
        environment, prefix = substitute(configuration, directory)
        variables = [f"{name}={value}" for name, value in environment.items()]
        done = subprocess.run([f"{build}/bin/process_cost", *variables, "--", *prefix, *command], env=clean_environment(),
                              capture_output=True, text=True, check=False)
        fields = done.stdout.split()
        if done.returncode != 0 or len(fields) != 5 or fields[0] != "0":
            sys.exit(f"{configuration.name}: {' '.join(command)} failed: {done.stdout}{done.stderr}")
        wall, user, system = map(float, fields[1:4])
        return Cost(wall, user, user + system, int(fields[4]), bytes_in(directory))


def in_turn(configurations, rounds, run, report=lambda: None):
    """{configuration name: [what run(configuration) returns]}: in each round every configuration once, so that a slow
    minute meets them all."""
    costs = {configuration.name: [] for configuration in configurations}
    for configuration in configurations:
        run(configuration)  # warm caches; not counted
    for number in range(rounds):
        # Every other round backwards: nobody always runs behind the same neighbour.
        for configuration in configurations if number % 2 == 0 else reversed(configurations):
            costs[configuration.name].append(run(configuration))
        report()
    return costs


def interleaved(build, configurations, command, rounds, report=lambda: None):
    """{configuration name: [Cost]} of a command."""
    return in_turn(configurations, rounds, lambda configuration: run_once(build, configuration, command), report)


def perf_counts_instructions():
    if shutil.which("perf") is None:
        return False
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stderr.split(",")[0].isdigit()


@dataclasses.dataclass
class Instructions:
    """User-mode instructions of one run."""
    program: int  # in the processes that the command itself starts
    helper: int   # in the process that looks up source lines for the report

    @property
    def total(self):
        return self.program + self.helper


def count_with_perf(configuration, command, directory):
    environment, prefix = substitute(configuration, directory)
    # `env` after perf: the profiler must not see perf itself.
    words = [f"{name}={value}" for name, value in environment.items()]
    done = subprocess.run(["perf", "stat", "-x,", "-o", f"{directory}/perf", "-e", "instructions:u", "env", *words, *prefix,
                           *command], env=clean_environment(), stdout=subprocess.DEVNULL, check=False)
    with open(f"{directory}/perf", encoding="utf-8") as lines:
        counts = [int(line.split(",")[0]) for line in lines if "instructions" in line]
    if done.returncode != 0 or not counts:
        sys.exit(f"{configuration.name}: {' '.join(command)} failed under perf")
    return Instructions(counts[0], 0)


def count_with_callgrind(configuration, command, directory):
    environment, prefix = substitute(configuration, directory)
    log = f"{directory}/log"
    done = subprocess.run(["valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null",
                           f"--log-file={log}.%p", *prefix, *command], env=clean_environment() | environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    result = Instructions(0, 0)
    for name in os.listdir(directory):
        if not name.startswith("log."):
            continue
        with open(f"{directory}/{name}", encoding="utf-8", errors="replace") as lines:
            text = lines.read()
        started = re.search(r"Command: (.*)", text)
        collected = re.search(r"Collected : (\d+)", text)
        # A process that was forked and never executed anything repeats its parent's count and adds next to nothing; it
        # has no line on how to control it.
        if started is None or collected is None or "For interactive control" not in text:
            continue
        if os.path.basename(started.group(1).split()[0]) == "heapgauge-symbolize":
            result.helper += int(collected.group(1))
        else:
            result.program += int(collected.group(1))
    if done.returncode != 0 or result.program == 0:
        sys.exit(f"{configuration.name}: {' '.join(command)} failed under callgrind:\n{done.stderr}")
    return result


def count_instructions(configuration, command, with_perf):
    with tempfile.TemporaryDirectory() as directory:
        count = count_with_perf if with_perf else count_with_callgrind
        return count(configuration, command, directory)


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def ratios(costs, bases, figure):
    """Round by round, so that both runs of a ratio met the same machine."""
    return [figure(cost) / max(figure(base), 1e-9) for cost, base in zip(costs, bases)]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """The median of the rounds, with the lowest and the highest of them."""
    median: float
    low: float
    high: float

    def __str__(self):
        median, low, high = (f"{value:.2f}" if value < 10 else f"{value:.1f}" for value in (self.median, self.low, self.high))
        return median if low == high else f"{median} [{low}..{high}]"


def ratio(costs, bases, figure):
    rounds = ratios(costs, bases, figure)
    return Ratio(statistics.median(rounds), min(rounds), max(rounds))


def write_json(path, **figures):
    """Every figure of a run, where a path is given."""
    if path:
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"machine": machine()} | figures, out, indent=1, default=dataclasses.asdict)


def machine():
    """One line for the head of a table."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} x {model}, {os.uname().sysname} {os.uname().release}, glibc {os.confstr('CS_GNU_LIBC_VERSION').split()[1]}"
