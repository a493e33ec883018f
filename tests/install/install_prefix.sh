#!/usr/bin/env bash
# Installs a build into a prefix, checks what is in it, and moves it: what follows consumes a prefix that no longer
# lies where it was installed.
# Usage: install_prefix.sh BUILD_DIR WORK_DIR VERSION
set -euo pipefail
. "$(dirname "$0")/common.sh"
build=$1
work=$2
version=$3

rm -rf "$work/prefix" "$work/made"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/made" >/dev/null

libdir=$(library_dir "$work/made")
for file in \
  bin/heapgauge share/man/man1/heapgauge{,-run,-report}.1 share/bash-completion/completions/heapgauge \
  share/zsh/site-functions/_heapgauge include/heapgauge/heapgauge.h include/heapgauge/heapgauge.hpp \
  "${libdir#"$work/made/"}"/{libheapgauge.so,"libheapgauge.so.$version",libheapgauge-core.so} \
  "${libdir#"$work/made/"}"/{pkgconfig/heapgauge.pc,cmake/heapgauge/heapgaugeConfig.cmake}; do
  [ -e "$work/made/$file" ] || fail "$file is not installed"
done

# Nothing that is only of use in our own build: static layers, tests, examples.
stray=$(find "$work/made" ! -type d \( -name '*.a' -o -name 'unit_*' -o -name 'checkout_*' \))
[ -z "$stray" ] || fail "installed, but nobody's business: $stray"

# No path of this machine in what the loader reads or a consumer's build reads.
for binary in "$work/made/bin/heapgauge" "$libdir"/libheapgauge*.so; do
  run_path=$(readelf -d "$binary" | grep -E 'R(UN)?PATH' || true)
  [[ $run_path != *"$build"* && $run_path != *"$work"* ]] || fail "$binary: $run_path"
done
named=$(grep -rlF -e "$work" -e "$build" "$libdir/pkgconfig" "$libdir/cmake" "$work/made/include" || true)
[ -z "$named" ] || fail "names the directory it was built or installed in: $named"

mv "$work/made" "$work/prefix"
echo "installed and moved: $work/prefix"
