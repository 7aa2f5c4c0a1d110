#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Certificates by themselves on a machine of its own: a network namespace with
# an authority, a name server and the real ports, and the shortest
# configuration that there is. And a disk that is full. Needs root, and is
# left out where namespaces are not allowed.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
if [ -z "${INSIDE-}" ]; then
	if ! unshare -n -m true 2>/dev/null; then
		pass "no namespaces here: left out"
		done_testing
	fi
	INSIDE=1 exec unshare -n -m sh "$0"
fi
. "$HERE/acme.sh"

ip link set lo up
mkdir -p "$WORK"
printf 'nameserver 127.0.0.1\noptions timeout:1\n' >"$WORK/resolv.conf"
mount --bind "$WORK/resolv.conf" /etc/resolv.conf

certs
PORT=443 HTTP_PORT=80 DNS_PORT=53
NO_PROXY='*'
export NO_PROXY
pebble_up
# The system's authorities are here those that ours is of.
SSL_CERT_FILE=$WORK/root.pem
export SSL_CERT_FILE

# Four lines, and a port to see how it is.
CACHE=$WORK/cache
four() {
	cat >"$CONF" <<-END
	{"http_server": {"port": 443, "tls_autocert": {"enabled": true,
	"host_whitelist": ["a.example"], "cache_dir": "$CACHE",
	"directory": "https://ca.example:$CA_PORT/dir"$1}},
	"client": {"allow_anonymous_connect_without_token": true}}
	END
}

four ''
launch -c "$CONF"
check four_lines_wss_in_10_s wss a.example 10
logged four_lines_by_alpn 'answering the tls-alpn-01 challenge'
acme check
equal check_0 0 "$STATUS"
like check_finds_the_port '*ok   port 443: open*' "$OUT"
stop

rm -rf "$CACHE"
four ', "http": true'
acme check
like check_alone_port_80 '*ok   port 80: leads here*' "$OUT"
launch -c "$CONF"
check http_wss_in_10_s wss a.example 10
logged http_by_http 'answering the http-01 challenge'
acme check
equal http_check_0 0 "$STATUS"
like http_check_port_80 '*ok   port 80: leads here*' "$OUT"
stop

# A disk with room for nothing: it does not even start.
mkdir -p "$WORK/cache2"
mount -t tmpfs -o size=64k,mode=700 none "$WORK/cache2"
head -c 100000 /dev/zero >"$WORK/cache2/full" 2>/dev/null
CACHE=$WORK/cache2
four ', "http": true'
got=0
timeout 20 "$FUGU" -c "$CONF" >"$WORK/out" 2>&1 || got=$?
equal full_disk_73 73 $got
check full_disk_says_so grep -q 'No space left' "$WORK/out"

# Full while it runs: nothing is asked of the authority that could not be
# remembered.
rm "$WORK/cache2/full"
before=$(orders)
kill -STOP $PEBBLE
launch -c "$CONF"
within 60 listening 443
head -c 100000 /dev/zero >"$WORK/cache2/full" 2>/dev/null
kill -CONT $PEBBLE
within 60 grep -q 'be written: No space left' "$LOG"
logged full_later_says_so 'be written: No space left'
equal full_later_no_order "$before" "$(orders)"
check full_later_lives kill -0 $PID
rm "$WORK/cache2/full"
acme issue --force
equal full_later_goes_on 0 "$STATUS"
check full_later_wss wss
stop
done_testing
