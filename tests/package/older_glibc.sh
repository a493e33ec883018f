#!/usr/bin/env bash
# The library in front of the programs of an older system, whose root directory is given: Debian 11 has glibc 2.31, whose
# threads and dlopen() are in libraries of their own.  Needs root.
# Usage: older_glibc.sh LIBRARY_DIR ROOT
#   debootstrap --variant=minbase --include=python3-minimal bullseye ROOT http://deb.debian.org/debian
set -euo pipefail
libraries=$1
root=${2:-}
[ -n "$root" ] && [ -x "$root/bin/bash" ] || { echo "SKIP: no root of an older system (HEAPGAUGE_OLDER_ROOT)"; exit 77; }
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
fail() { echo "FAIL: $*" >&2; exit 1; }
place=$(mktemp -d "$root/tmp/heapgauge.XXXXXX")
trap 'rm -rf "$place"' EXIT
cp "$libraries"/libheapgauge.so "$libraries"/libheapgauge-core.so "$place"
inside=/tmp/$(basename "$place")
run() {
  unshare -mpf chroot "$root" /usr/bin/env HEAPGAUGE_OUTPUT="$inside/%e" HEAPGAUGE_SAMPLE_INTERVAL=1KiB \
    LD_PRELOAD="$inside/libheapgauge.so" "$@" 2>"$place/err" || fail "$*: status $?: $(cat "$place/err")"
  [ ! -s "$place/err" ] || fail "$*: $(cat "$place/err")"
}
chroot "$root" ldd --version | head -1
run /bin/true
run /bin/bash -c 'for i in 1 2 3; do (echo $i; ls / >/dev/null); done' >/dev/null
run /usr/bin/perl -e '@kept = map { "x" x 1000 } 1 .. 20000; if ($pid = fork) { waitpid $pid, 0 } else { exit 0 } print "$#kept\n"'
grep -q 'Perl_' "$place/perl/report.txt" || fail "no call site in perl's report"
if [ -x "$root/usr/bin/python3" ]; then
  run /usr/bin/python3 -c 'import threading
threads = [threading.Thread(target=lambda: [{str(i): i} for i in range(20000)]) for _ in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]'
  [ -s "$place"/python3*/report.txt ] || fail "no report of python's"
fi
