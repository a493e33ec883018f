#!/usr/bin/env bash
# From a fresh clone to a leak report: installs what is missing, builds, runs the checkout service with its coupon leak
# under heapgauge for a minute, and shows which line grows, how fast, and how sure the report is.
#
#   examples/try.sh [options of checkout_service/run_leak.sh]
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/setup
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building (two to five minutes on two cores) ..." >&2
if ! { cmake --preset release -DHEAPGAUGE_BUILD_TESTS=OFF -DHEAPGAUGE_BUILD_BENCH=OFF &&
  cmake --build --preset release -j "$(nproc)"; } >"$log" 2>&1; then
  tail -n 50 "$log" >&2
  exit 1
fi
examples/checkout_service/run_leak.sh "$@" build/release
