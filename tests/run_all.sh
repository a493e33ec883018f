#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.  Tests that wait most of their time run many at once, while the
# sanitizer builds are made; then come unit and race tests under the sanitizers, and the release build's other tests.  Ends
# with ctest's closing lines; exit status 0 when all passed.  Tests that passed at the second try only are listed above
# these lines and in build/second_tries.txt.
#
#   tests/run_all.sh [--quick]     --quick leaves the sanitizer builds out
set -euo pipefail
cd "$(dirname "$0")/.."

quick=
case "${1:-}" in
  --quick) quick=yes ;;
  "") ;;
  *)
    echo "usage: tests/run_all.sh [--quick]" >&2
    exit 2
    ;;
esac

.ci/setup
jobs=$(nproc)
# A tenth of a core each, or less: services under a light load, reports that come every second.
waiting='^(verdict|soak|alerts|calls|circle|examples|holders)\.'
waiting+='|^preload\.(filters|freed_past_us|modules_change|near_limit|no_counter|unclear_stacks)'
status=0
mkdir -p build
: >build/second_tries.txt

# build PRESET [COMMAND...]: COMMAND is what the compiler runs under.
build() {
  local preset=$1 log
  shift
  echo "== $preset: build"
  log=$(mktemp)
  if ! { cmake --preset "$preset" && "$@" cmake --build --preset "$preset" -j "$jobs"; } >"$log" 2>&1; then
    tail -n 50 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# run_tests PRESET JOBS [OPTION...]: of ctest.
run_tests() {
  local preset=$1 at_once=$2
  shift 2
  ctest --preset "$preset" -j "$at_once" --repeat until-pass:2 "$@" |
    awk -v "preset=$preset" -v file=build/second_tries.txt -f tests/support/second_tries.awk
}

build release
log=$(mktemp)
set -m # a process group of its own, to be ended as one
run_tests release "$((4 * jobs))" -R "$waiting" >"$log" 2>&1 &
tests=$!
set +m
trap 'kill -- "-$tests" 2>/dev/null || true; rm -f "$log"' EXIT
if [ -z "$quick" ]; then
  # The tests come first: some have a time by which something must have happened.
  build asan-ubsan nice -n 10
  build tsan nice -n 10
fi
echo "== release: tests that wait"
wait "$tests" || status=1
cat "$log"
if [ -z "$quick" ]; then
  for preset in asan-ubsan tsan; do
    echo "== $preset: test"
    run_tests "$preset" "$jobs" || status=1
  done
fi
echo "== release: test"
# These need a third of a core each, on the average.
run_tests release "$((2 * jobs))" -E "$waiting" || status=1
exit "$status"
