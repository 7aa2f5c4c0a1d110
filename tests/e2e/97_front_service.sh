#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# contrib/systemd: systemd understands every word of the units, thinks well
# of the sandbox, and fugu starts with the sockets that fugu.socket opens and
# tells what fugu.service waits for.  Only the path of fugu, the user and the
# places of the sockets are changed.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
UNITS=$HERE/../../contrib/systemd
N=1

# value NAME FILE: what a unit sets NAME to, each on a line.
value() {
	sed -n "s/^$1=//p" "$UNITS/$2"
}

verified() {
	if ! command -v systemd-analyze >/dev/null; then
		echo "SKIP units_are_understood: no systemd-analyze"
		return
	fi
	mkdir "$WORK/units"
	sed "s|^ExecStart=/usr/local/bin/fugu |ExecStart=$FUGU |" \
	    "$UNITS/fugu.service" >"$WORK/units/fugu.service"
	cp "$UNITS/fugu.socket" "$WORK/units/"
	# It looks for units in the working directory, too; what it says of
	# the system's own is not about these.
	equal units_are_understood "" "$(cd "$WORK/units" &&
	    SYSTEMD_LOG_LEVEL=info systemd-analyze verify --man=no \
	    ./fugu.service ./fugu.socket 2>&1 | grep -i fugu)"
	check sandbox_is_tight systemd-analyze security --offline=true \
	    --threshold=20 --no-pager "$WORK/units/fugu.service"
}

# The time-outs of the unit and of the server fit.
waits() {
	"$FUGU" defaultconfig -d >"$WORK/defaults"
	drain=$(sed -n '/"shutdown"/,/}/s/.*"timeout": "\([0-9]*\)s".*/\1/p' \
	    "$WORK/defaults")
	stop=$(value TimeoutStopSec fugu.service)
	check there_is_time_to_stop test "${stop%s}" -gt "$drain"
	for status in 64 66 73 77 78; do
		like "no_restart_after_$status" "* $status *" \
		    " $(value RestartPreventExitStatus fugu.service) "
	done
}

# What fugu.socket opens, at other places.
activated() {
	PORT=$(freeport)
	set -- $(value ListenStream fugu.socket)
	equal two_sockets "2 /run/fugu.sock 127.0.0.1:9000" "$# $1 $2"
	config '{"health":{"enabled":true}}'
	rm -f "$WORK/told"
	python3 "$HERE/sockets.py" notify "$WORK/notify" "$WORK/told" &
	helper=$!
	until_true test -S "$WORK/notify"
	SERIAL=$((SERIAL + 1))
	LOG=$WORK/log.$SERIAL
	NOTIFY_SOCKET=$WORK/notify python3 "$HERE/sockets.py" activate \
	    fugu.socket:fugu.socket "$WORK/fugu.sock" "$PORT" -- \
	    "$FUGU" -c "$CONF" --workers=1 >"$LOG" 2>&1 </dev/null &
	PID=$!
	wait_ready
	until_true test -s "$WORK/told"
	like service_is_ready 'READY=1*' "$(cat "$WORK/told")"
	equal clients_on_the_first 400 "$(curl -s -o /dev/null -w \
	    '%{http_code}' --unix-socket "$WORK/fugu.sock" \
	    http://x/connection/websocket)"
	equal no_api_on_the_first 404 "$(curl -s -o /dev/null -w \
	    '%{http_code}' --unix-socket "$WORK/fugu.sock" http://x/health)"
	stop
	kill "$helper"
}

verified
waits
activated
done_testing
