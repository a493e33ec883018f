#!/usr/bin/env bash
# The leak of checkout_service as heapgauge reports it, beside the truth that the service knows.
#
# Starts the service with the defect on under `heapgauge run`, sends customers for a while, stops it, shows the
# report, and compares the growth that heapgauge estimated with the leak rate that the service counted.
#
# Exit status 0 when everything ran, the top site is the line in coupon.cc that allocates refused coupons, and the
# estimate is within --max-deviation of the truth.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: run_leak.sh [options] BUILD_DIR
  BUILD_DIR              where checkout_service and checkout_load were built (BUILD_DIR/bin)
  --prefix DIR           heapgauge from this installed prefix; default: BUILD_DIR
  --seconds N            how long customers come; default 60
  --rate N               requests a second; default 600
  --coupon-bytes SIZE    weight of a refused coupon; default 32KiB
  --sample-interval SIZE default 64KiB
  --output DIR           report directory; default: a temporary one, removed at the end
  --max-deviation N      largest deviation from the truth [%]; default 20
USAGE
}

say() { echo "run_leak: $*"; }
die() {
  echo "run_leak: $*" >&2
  exit 1
}
usage_error() {
  echo "run_leak: $*; see --help" >&2
  exit 2
}

build=
prefix=
output=
seconds=60
rate=600
coupon_bytes=32KiB
sample_interval=64KiB
max_deviation=20
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage
      exit 0
      ;;
    --prefix | --seconds | --rate | --coupon-bytes | --sample-interval | --output | --max-deviation)
      [ $# -ge 2 ] || usage_error "$1 needs a value"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift 2
      ;;
    -*) usage_error "unknown option $1" ;;
    *)
      [ -z "$build" ] || usage_error "more than one BUILD_DIR"
      build=$1
      shift
      ;;
  esac
done
[ -n "$build" ] || usage_error "BUILD_DIR is missing"
for number in "$seconds" "$rate" "$max_deviation"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || usage_error "'$number' is not a whole number above 0"
done
heapgauge=${prefix:-$build}/bin/heapgauge
service=$build/bin/checkout_service
load=$build/bin/checkout_load
for program in "$heapgauge" "$service" "$load"; do
  [ -x "$program" ] || die "$program is not there; build first"
done
command -v python3 >/dev/null || die "python3 is needed to read the report"

work=$(mktemp -d)
output=${output:-$work/report}
run_pid=
signal_service() {
  if [ -s "$work/pid" ]; then kill "$1" "$(cat "$work/pid")" 2>/dev/null || true; fi
}
cleanup() {
  if [ -n "$run_pid" ]; then
    # The service first: `heapgauge run` ends when it does.  Again and again, for it may just be starting.
    for _ in $(seq 50); do
      kill -0 "$run_pid" 2>/dev/null || break
      signal_service -TERM
      sleep 0.1
    done
    signal_service -KILL
    kill -KILL "$run_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

: >"$work/out" # read below, perhaps before the background job has opened them
: >"$work/err"
# The sessions expire and the caches fill within a few seconds, so that what still grows afterwards is the leak.
"$heapgauge" run --report-interval 1s --sample-interval "$sample_interval" --output "$output" -- \
  "$service" --port 0 --pid-file "$work/pid" --leak-coupons --coupon-bytes "$coupon_bytes" \
  --session-ttl 2s --cache-entries 128 --receipts 200 \
  >"$work/out" 2>"$work/err" &
run_pid=$!

port=
for _ in $(seq 100); do
  port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$work/out")
  [ -z "$port" ] || break
  kill -0 "$run_pid" 2>/dev/null || break
  sleep 0.1
done
[ -n "$port" ] || die "the service did not come up: $(cat "$work/out" "$work/err")"

say "customers for $seconds s at $rate requests/s, each checkout with a coupon that is refused"
"$load" --port "$port" --phases "${seconds}s@$rate" --coupon-share 1 --quiet ||
  die "the load failed: $(cat "$work/err")"

kill -TERM "$(cat "$work/pid")"
status=0
wait "$run_pid" || status=$?
run_pid=
[ "$status" -eq 0 ] || die "the service ended with status $status: $(cat "$work/out" "$work/err")"
cat "$work/err" >&2
truth=$(grep '^checkout_service: leaked ' "$work/out") || die "the service did not tell the truth"

echo
"$heapgauge" report "$output" --top 3
echo
"$heapgauge" report "$output" --format json --top 1 -o "$work/report.json"
echo "$truth"
python3 - "$work/report.json" "$truth" "$max_deviation" <<'PYTHON'
import json
import re
import sys

path, truth, max_deviation = sys.argv[1], sys.argv[2], float(sys.argv[3])
true_bytes, true_rate = map(float, re.search(r"leaked (\d+) bytes .*\((\d+) bytes/s\)", truth).groups())
with open(path) as file:
    report = json.load(file)
if not report["sites"]:
    sys.exit("run_leak: the report names no site")
site = report["sites"][0]

frames = [f for f in site["frames"] if "RejectCoupon" in (f["function"] or "")]
where = frames[0] if frames else site["frames"][0]
place = "%s  %s:%s" % (where["function"], where["file"], where["line"])


def deviation(estimate, true):
    return 100 * (estimate - true) / true if true else float("inf")


rate = site["growth_bytes_per_s"]
rate_off = deviation(rate, true_rate)
print("heapgauge:        top site  %s" % place)
print("heapgauge:        verdict %s, confidence %s" % (site["verdict"], site["confidence"]))
print("heapgauge:        growth %.0f bytes/s [%.0f, %.0f], off by %+.1f %%"
      % (rate, site["growth_low"], site["growth_high"], rate_off))
print("heapgauge:        live   %.0f bytes +- %.0f, off by %+.1f %%"
      % (site["live_bytes"], site["live_bytes_stderr"], deviation(site["live_bytes"], true_bytes)))

if not frames or not (where["file"] or "").endswith("coupon.cc"):
    sys.exit("run_leak: the top site is not the coupon line")
if abs(rate_off) > max_deviation:
    sys.exit("run_leak: the growth is off by more than %g %%" % max_deviation)
PYTHON
