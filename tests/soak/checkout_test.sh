#!/usr/bin/env bash
# The checkout service through the gate, twice: with its coupon leak, and without.
#
#   checkout_test.sh COMMAND SERVICE LOAD
set -euo pipefail
heapgauge=$1 service=$2 load=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# The caches fill and the sessions expire within the warm-up.
gate() {
  local name=$1
  shift
  "$heapgauge" soak --reports "$name" --duration 30s --warm-up 8s --wait-port "$port" \
    --load "$load --port $port --phases 10s@300 --coupon-share 0.5 --quiet" -- \
    "$service" --port "$port" --session-ttl 2s --cache-entries 128 --receipts 200 "$@"
}

status=0
gate leaks --leak-coupons --coupon-bytes 8KiB >leaks.txt || status=$?
cat leaks.txt
[ "$status" -eq 1 ] || { echo "with the defect: status $status"; exit 1; }
grep -q 'LEAK  checkout::CouponBook::RejectCoupon  coupon.cc:[0-9]*$' leaks.txt
grep -q 'requests in the judged part' leaks.txt

gate sound >sound.txt || { cat sound.txt; echo "without the defect: status $?"; exit 1; }
cat sound.txt
grep -q '^NO LEAK$' sound.txt
