#!/usr/bin/env bash
# libheapgauge.so for AArch64 in front of victims of tests/preload, run by qemu, with no core beside it: each behaves as it
# does bare, and hears one line.
#
#   alone.sh BUILD DIRECTORY VICTIM...     BUILD: of .ci/cross; DIRECTORY: made anew
set -euo pipefail
build=$1 work=$2
shift 2
[ -e "$build/lib/libheapgauge.so" ] || {
  echo "SKIP: no $build/lib/libheapgauge.so (.ci/cross build)"
  exit 77
}
rm -rf "$work"
mkdir -p "$work"
cp "$build/lib/libheapgauge.so" "$work"
export VICTIM_TRUTH=$work/truth

# run NAME VICTIM [OPTION...]: what it printed and its status, in $work/NAME
run() {
  local name=$1 victim=$2 status=0
  shift 2
  qemu-aarch64-static -L "$build/root" "$@" "$build/tests/preload/bin/$victim" >"$work/$name" 2>&1 || status=$?
  echo "status $status" >>"$work/$name"
}

for victim in "$@"; do
  run bare "$victim"
  # Exact mode: every block would be a sample.
  run front "$victim" -E LD_PRELOAD="$work/libheapgauge.so" -E HEAPGAUGE_SAMPLE_INTERVAL=1
  [ "$(grep -c "^heapgauge: can't load .*libheapgauge-core.so" "$work/front")" = 1 ] || {
    echo "FAIL: $victim: not one line of heapgauge's:"
    cat "$work/front"
    exit 1
  }
  grep -v '^heapgauge: ' "$work/front" | diff "$work/bare" - || {
    echo "FAIL: $victim behaves otherwise behind the library"
    exit 1
  }
  echo "$victim: $(tail -n 1 "$work/bare")"
done
