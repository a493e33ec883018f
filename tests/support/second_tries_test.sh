#!/usr/bin/env bash
# second_tries.awk lists those that failed and then passed, and no others.  $1: a directory to write to.
set -euo pipefail
file=$1/second_tries
printf 'tsan: race.an earlier run\n' >"$file"
list=$(awk -v preset=release -v "file=$file" -f "$(dirname "$0")/second_tries.awk" <<'LINES'
1/5 Test #2: good .............................   Passed    0.00 sec
2/5 Test #1: unit.a:it flaps, now and then ....***Failed    0.01 sec
2/5 Test #3: bad ..............................***Failed    0.01 sec
    Test #1: unit.a:it flaps, now and then ....   Passed    0.01 sec
    Test #3: bad ..............................***Failed    0.01 sec
4/5 Test #4: skip .............................***Skipped   0.00 sec
5/5 Test #5: crash ............................***Exception: SegFault  0.01 sec
    Test #5: crash ............................   Passed    0.00 sec
6/6 Test  #6: slow ............................***Timeout   5.00 sec
    Test  #6: slow ............................   Passed    0.00 sec

80% tests passed, 1 tests failed out of 5
LINES
)
wanted='tsan: race.an earlier run
release: unit.a:it flaps, now and then
release: crash
release: slow'
[ "$(cat "$file")" = "$wanted" ] || { echo "the file says:"; cat "$file"; exit 1; }
for line in "$wanted" "80% tests passed"; do
  grep -qF "$(head -n 1 <<<"$line")" <<<"$list" || { echo "not printed: $line"; exit 1; }
done
