#!/usr/bin/env bash
# The service and its load together: the truth the service tells must be exact, wrong calls must be refused.
# Usage: end_to_end.sh CHECKOUT_SERVICE CHECKOUT_LOAD
set -euo pipefail
service=$1
load=$2
work=$(mktemp -d)
service_pid=

cleanup() {
  [ -z "$service_pid" ] || kill "$service_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# start OPTIONS...: starts the service, sets service_pid and port
start() {
  : >"$work/service.out" # read below, perhaps before the background job has opened it
  "$service" --port 0 --pid-file "$work/pid" "$@" >"$work/service.out" 2>&1 &
  service_pid=$!
  for _ in $(seq 100); do
    port=$(sed -n 's/^listening on 127\.0\.0\.1://p' "$work/service.out")
    [ -z "$port" ] || break
    sleep 0.1
  done
  [ -n "$port" ] || fail "the service did not come up: $(cat "$work/service.out")"
  [ "$(cat "$work/pid")" -eq "$service_pid" ] || fail "the pid file holds $(cat "$work/pid")"
}

# stop: ends the service in an orderly way, sets truth to its last line
stop() {
  kill -TERM "$service_pid"
  wait "$service_pid" || fail "the service ended with status $?"
  service_pid=
  [ ! -e "$work/pid" ] || fail "the pid file is still there"
  truth=$(tail -n 1 "$work/service.out")
}

# refused STATUS TEXT COMMAND...: the command ends with STATUS and one line that contains TEXT
refused() {
  local want=$1 text=$2 status=0
  shift 2
  timeout 10 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ "$status" -eq "$want" ] || fail "$* ended with status $status instead of $want"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "$* said: $(cat "$work/err")"
  grep -qF -- "$text" "$work/err" || fail "$* said: $(cat "$work/err")"
}

echo "== no defect: nothing leaks, although coupons are refused"
start --coupon-bytes 2KiB --session-ttl 1s
"$load" --port "$port" --phases 1s@100,1s@100..300,1s@300 --coupon-share 1 || fail "the load saw errors"
refused 1 "can't listen on 127.0.0.1:$port" "$service" --port "$port"
stop
[[ $truth == "checkout_service: leaked 0 bytes in 0 coupons "* ]] || fail "the truth is: $truth"

echo "== the defect switched on and off under load: exactly the refused coupons of that time"
start --coupon-bytes 2KiB
"$load" --port "$port" --quiet --coupon-share 1 --phases 1s@200,2s@300+defect,1s@200-defect ||
  fail "the load saw errors"
stop
read -r bytes coupons < <(sed -n \
  's/^checkout_service: leaked \([0-9]*\) bytes in \([0-9]*\) coupons over .* s (.* bytes\/s)$/\1 \2/p' \
  <<<"$truth") || fail "the truth is: $truth"
[ "$coupons" -gt 10 ] && [ "$bytes" -eq $((coupons * 2048)) ] || fail "the truth is: $truth"
echo "$truth"

echo "== wrong calls"
refused 1 "no service answers" "$load" --port "$port"
refused 2 "phase 2 ('5@3'): expected a duration" "$load" --port "$port" --phases 1s@5,5@3
refused 2 "--coupon-share" "$load" --port "$port" --coupon-share 2
refused 2 "--port is required" "$load"
refused 2 "--session-ttl" "$service" --session-ttl 5
refused 2 "--coupon-bytes" "$service" --coupon-bytes 5
refused 1 "can't write $work/none/pid" "$service" --pid-file "$work/none/pid"
refused 2 "--nonsense" "$service" --nonsense
echo "== good"
