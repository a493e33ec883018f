#!/usr/bin/env bash
# Builds and runs one consumer.
# Usage: consume.sh find_package|pkg_config|preload|add_subdirectory WORK_DIR SOURCE_DIR
set -euo pipefail
. "$(dirname "$0")/common.sh"
way=$1
work=$2
source=$3
prefix=$work/prefix
dir=$work/$way
rm -rf "$dir"
mkdir -p "$dir"

# run PROGRAM...: must succeed, say nothing on stderr, and leave a report
run() {
  HEAPGAUGE_OUTPUT=$dir/report "$@" 2>"$dir/stderr" || {
    cat "$dir/stderr" >&2
    fail "$* ended with status $?"
  }
  [ ! -s "$dir/stderr" ] || fail "$* said: $(cat "$dir/stderr")"
  [ -s "$dir/report/report.txt" ] || fail "$* left no report"
}

case $way in
  find_package)
    cmake -S "$source/examples/linked_library" -B "$dir/build" -DCMAKE_PREFIX_PATH="$prefix" \
      -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF >"$dir/configure.log" || fail "$(cat "$dir/configure.log")"
    cmake --build "$dir/build"
    run "$dir/build/linked_library"
    ;;
  pkg_config)
    export PKG_CONFIG_PATH
    PKG_CONFIG_PATH=$(library_dir "$prefix")/pkgconfig
    pkg-config --validate heapgauge
    # VPATH: the sources stay as they are, the program appears here.
    make -C "$dir" -f "$source/examples/plain_c/Makefile" VPATH="$source/examples/plain_c"
    run "$dir/plain_c"
    ;;
  preload)
    # A program that knows nothing of heapgauge: the library must find its core beside itself.
    run env HEAPGAUGE_SAMPLE_INTERVAL=4KiB LD_PRELOAD="$(library_dir "$prefix")/libheapgauge.so" \
      sort "$source/LICENSE" >"$dir/stdout"
    cmp "$dir/stdout" <(sort "$source/LICENSE") || fail "another answer with heapgauge loaded"
    rm -r "$dir/report"
    "$prefix/bin/heapgauge" --version
    "$prefix/bin/heapgauge" run --output "$dir/report" -- true
    [ -s "$dir/report/report.txt" ] || fail "heapgauge run left no report"
    ;;
  add_subdirectory)
    cmake -S "$source/tests/install/add_subdirectory" -B "$dir/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_C_FLAGS_DEBUG=-O0 \
      -DHEAPGAUGE_SOURCE_DIR="$source" \
      >"$dir/configure.log" || fail "$(cat "$dir/configure.log")"
    cmake --build "$dir/build" --target consumer
    run "$dir/build/consumer"
    # What we install is ours alone: the foreign project's prefix must stay clean.
    cmake --install "$dir/build" --prefix "$dir/prefix" >/dev/null
    [ -z "$(find "$dir/prefix" -type f 2>/dev/null)" ] || fail "we install into a foreign project's prefix"
    ;;
  *)
    fail "no such way: $way"
    ;;
esac
echo "consumed by $way"
