#!/usr/bin/env bash
# systemd understands the drop-in that is shipped, and takes its settings for a service's.
# Usage: systemd.sh DROP_IN WORK_DIR
set -euo pipefail
drop_in=$1
work=$2
fail() { echo "FAIL: $*" >&2; exit 1; }
command -v systemd-analyze >/dev/null || { echo "SKIP: no systemd-analyze"; exit 77; }
rm -rf "$work"
mkdir -p "$work/shop.service.d"
printf '[Unit]\nDescription=shop\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n' >"$work/shop.service"
cp "$drop_in" "$work/shop.service.d/heapgauge.conf"
verify() { SYSTEMD_UNIT_PATH="$work:" SYSTEMD_LOG_LEVEL=info systemd-analyze verify --man=no "$work/shop.service" 2>&1 || true; }
said=$(verify | grep -e shop.service.d -e heapgauge || true)
[ -z "$said" ] || fail "systemd says: $said"
# That it would say something:
sed -i 's/^LogsDirectoryMode=.*/LogsDirectoryMode=rwx/; s/^Environment=LD_PRELOAD/Enviroment=LD_PRELOAD/' "$work/shop.service.d/heapgauge.conf"
said=$(verify | grep -c shop.service.d || true)
[ "$said" -ge 2 ] || fail "two mistakes in the drop-in are not found: $(verify)"
