#!/usr/bin/env bash
# Programs of another C library, musl, run with libheapgauge.so in front as they do without, and one line says that nothing
# is tracked; a program whose name HEAPGAUGE_ONLY does not match says nothing at all.
# Usage: musl.sh LIBRARY WORK_DIR VICTIM.c...
set -euo pipefail
library=$1
work=$2
shift 2
command -v musl-gcc >/dev/null || { echo "SKIP: no musl-gcc"; exit 77; }
rm -rf "$work"
mkdir -p "$work"
fail() { echo "FAIL: $*" >&2; exit 1; }

for source in "$@"; do
  program=$work/$(basename "$source" .c)
  musl-gcc -O1 -pthread -o "$program" "$source"
  readelf -l "$program" | grep -q ld-musl || fail "$program is no program of musl's"
  bare=0
  "$program" >"$work/bare" 2>"$work/bare.err" || bare=$?
  status=0
  (cd "$work" && LD_PRELOAD=$library "$program" >"$work/out" 2>"$work/err") || status=$?
  [ "$status" -eq "$bare" ] || fail "$program: status $status, bare $bare: $(cat "$work/err")"
  cmp "$work/bare" "$work/out" || fail "$program wrote something else"
  [ "$(grep -c '^heapgauge: ' "$work/err")" -eq 1 ] && grep -q 'another C library' "$work/err" ||
    fail "$program: not one line: $(cat "$work/err")"
  [ "$(wc -l <"$work/err")" -eq $(($(wc -l <"$work/bare.err") + 1)) ] || fail "$program: $(cat "$work/err")"
  (cd "$work" && HEAPGAUGE_ONLY=nobody LD_PRELOAD=$library "$program" >"$work/out" 2>"$work/err") || status=$?
  cmp "$work/bare.err" "$work/err" || fail "$program: speaks although it is not meant: $(cat "$work/err")"
done
