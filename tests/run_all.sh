#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: unit and race tests under the sanitizers first, then all of
# them on the release build.  Ends with ctest's closing lines; exit status 0 when all passed.  Tests that passed at the
# second try only are listed above these lines and in build/second_tries.txt.
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
presets=(release)
[ -n "$quick" ] || presets=(asan-ubsan tsan release)
status=0
mkdir -p build
: >build/second_tries.txt
for preset in "${presets[@]}"; do
  echo "== $preset: build"
  log=$(mktemp)
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs"; } >"$log" 2>&1; then
    tail -n 50 "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  echo "== $preset: test"
  ctest --preset "$preset" -j "$jobs" --repeat until-pass:2 |
    awk -v "preset=$preset" -v file=build/second_tries.txt -f tests/support/second_tries.awk || status=1
done
exit "$status"
