#!/usr/bin/env bash
# The library in front of programs that are built and run with an older C library, whose installed tree is given (glibc 2.28
# by `make install DESTDIR=TREE`, CONTRIBUTING.md).
# Usage: glibc_alone.sh LIBRARY_DIR WORK_DIR PROGRAM.c TREE
set -euo pipefail
libraries=$1 work=$2 source=$3 tree=${4:-}
[ -n "$tree" ] && [ -e "$tree/usr/lib64/crt1.o" ] || { echo "SKIP: no older C library (HEAPGAUGE_OLDER_GLIBC)"; exit 77; }
fail() { echo "FAIL: $*" >&2; exit 1; }
rm -rf "$work"
mkdir -p "$work"
compiler=${CC:-cc}
loader=$(find "$tree/lib64" -name 'ld-linux*.so.*' | head -n 1)

# build NAME [DEFINE LIBRARY...]: what its headers and start files make of the program
build() {
  local name=$1 define=${2:-}
  shift $(($# < 2 ? $# : 2))
  "$compiler" -g -O1 -no-pie $define -nostdinc -isystem "$tree/usr/include" -isystem /usr/include \
    -isystem "$("$compiler" -print-file-name=include)" -c -o "$work/$name.o" "$source"
  "$compiler" -nostdlib -no-pie -o "$work/$name" "$tree/usr/lib64/crt1.o" "$tree/usr/lib64/crti.o" \
    "$("$compiler" -print-file-name=crtbegin.o)" "$work/$name.o" -Wl,--allow-shlib-undefined "$@" "$tree/lib64/libc.so.6" \
    "$tree/usr/lib64/libc_nonshared.a" "$loader" "$("$compiler" -print-file-name=crtend.o)" "$tree/usr/lib64/crtn.o"
}

# run NAME: bare, and in front of it
run() {
  local name=$1 bare=0 status=0
  "$loader" --library-path "$tree/lib64" "$work/$name" >"$work/bare" || bare=$?
  [ "$bare" -eq 7 ] || fail "$name: status $bare without the library"
  HEAPGAUGE_SAMPLE_INTERVAL=1KiB HEAPGAUGE_OUTPUT="$work/report.$name" LD_PRELOAD="$libraries/libheapgauge.so" \
    "$loader" --library-path "$tree/lib64" "$work/$name" >"$work/out" 2>"$work/err" || status=$?
  [ "$status" -eq "$bare" ] || fail "$name: status $status: $(cat "$work/err")"
  cmp "$work/bare" "$work/out" || fail "$name wrote something else"
  [ ! -s "$work/err" ] || fail "$name: $(cat "$work/err")"
  grep -q 'KeepSome' "$work/report.$name/report.txt" || fail "$name: no call site: $(cat "$work/report.$name/report.txt")"
  echo "$name, glibc $(head -n 1 "$work/out"): as without"
}

build plain
run plain
build threads -DTHREADS "$tree/lib64/libpthread.so.0" "$tree/lib64/libdl.so.2"
run threads
