"""bash runs gcc and g++, which run cpp, cc1, as, collect2 and ld: dozens of short-lived processes, most of which exec,
make the same objects, the same program and the same messages as bare."""

import hashlib
import os

import programs
from programs import harness

SCRIPT = r"""
set -u
mkdir -p made && cd made
cat >plain.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int twice(int);
int main(int argc, char** argv) {
  char* p = strdup(argv[0]);
  printf("%d %d\n", twice(argc), p != NULL);
  free(p);
  return 3;
}
END
cat >face.cc <<'END'
#include <map>
#include <stdexcept>
#include <string>
#include <vector>
extern "C" int twice(int x) {
  std::map<std::string, std::vector<int>> m;
  for (int i = 0; i < 100; ++i) m[std::to_string(i % 7)].push_back(i);
  try { return 2 * x + m.at("none").at(0); } catch (const std::out_of_range&) { return 2 * x; }
}
END
gcc -O2 -g -ffile-prefix-map="$PWD"=. -Wall -c plain.c -o plain.o || echo "gcc: $?"
g++ -O1 -pipe -c face.cc -o face.o || echo "g++: $?"
g++ plain.o face.o -o both || echo "ld: $?"
./both; echo "both: $?"
gcc -c missing.c; echo "missing: $?"
echo 'int f( {' | gcc -x c -c - -o /dev/null; echo "wrong: $?"
sum=0
for i in $(seq 30); do sum=$((sum + $(echo "$i" | tr -d '\n' | wc -c))); done
echo "sum $sum"
(exec bash -c 'exit 9'); echo "sub $?"
printf '%s\n' c a b | sort | (read -r first; echo "first $first")
bash -c 'kill -TERM $$'; echo "killed $?"
exit 5
"""


def hashes(directory):
    found = {}
    for name in ("plain.o", "face.o", "both"):
        with open(os.path.join(directory, "made", name), "rb") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


def body():
    wanted = programs.options(__doc__)
    programs.program("gcc")
    programs.program("g++")
    with harness.Rig(wanted) as rig:
        argv = [programs.program("bash"), "-c", SCRIPT]
        # Names: a helper for each of some hundred processes would take most of the time.
        env = dict(programs.ROOMY, HEAPGAUGE_SYMBOLIZE="names", LC_ALL="C")
        bare = rig.run(argv, "bare", env)
        harness.check(bare.status == 5 and b"both: 3" in bare.stdout, f"{bare.stdout!r} {bare.stderr!r}")
        for mode in wanted.mode:
            run = rig.run(argv, mode, env)
            programs.unharmed(run, bare)
            harness.check(hashes(run.directory) == hashes(bare.directory), f"{mode}: other objects than bare")
            reports = harness.last_reports(run.directory)
            executables = {report["exe"] for report in reports.values()}
            print(f"{mode}: {len(reports)} reports of {sorted(executables)}")
            for report in reports.values():
                programs.whole(run, report)
            names = {os.path.basename(name) for name in executables}
            harness.check({"cc1", "cc1plus"} <= names, f"{mode}: reports of {sorted(names)}")


harness.main(body)
