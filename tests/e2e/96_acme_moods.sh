#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Certificates by themselves from an authority that does each thing wrong
# once: the attempt ends with a line that says what it was, and the next one
# brings a certificate.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
. "$HERE/acme.sh"

CACHE=$WORK/cache
NAMES='"a.example"'

mood() {
	echo "$*" >"$WORK/mood"
}

asked() {
	grep -q "^$1" "$WORK/asked"
}

passed() {
	[ "$(date +%s)" -gt "$1" ]
}

# row MOOD PATTERN: from nothing; wrong once, and then not.
row() {
	rm -rf "$CACHE"
	mood "$1"
	before=$(count)
	acme issue
	equal "<$1> fails" 1 "$STATUS"
	like "<$1> says what" "*$2*" "$OUT"
	like "<$1> waits" '*next try in*' "$OUT"
	acme issue --force
	equal "<$1> is got over" 0 "$STATUS"
	[ $(($(count) - before)) -le 2 ] ||
	    fail "<$1> orders" "$(($(count) - before))"
}

# What costs nothing but another request.
row_mild() {
	rm -rf "$CACHE"
	mood "$1"
	before=$(count)
	acme issue
	equal "<$1> is got over at once" 0 "$STATUS"
	equal "<$1> one order" $((before + 1)) "$(count)"
}

certs
scripted_up
autocert ',"http":true'

acme issue
equal plain_0 0 "$STATUS"
mood limited order
rm -rf "$CACHE"
acme issue
acme issue
equal pause_is_kept 1 "$STATUS"
like pause_is_said '*too many certificates*not before*(in ? hours)*' "$OUT"
row_mild 'badNonce account'
row_mild 'badNonce order'
row_mild 'badNonce final'
row 'limited order' 'too many certificates'
row 'down dir' '503'
row 'down orders' '503'
row 'html dir' 'text/html instead of JSON'
row 'html order' 'where the order is'
row 'truncated dir' "can't be reached"
row 'cut final' "can't be reached"
row 'empty dir' 'incomplete or malformed'
row 'empty order' ''
row 'garbage authz' 'incomplete or malformed'
row 'huge dir' 'too large'
row 'redirect dir' 'redirects'
row 'nolocation account' 'where the account is'
row 'rejectedIdentifier order' 'something about rejectedIdentifier'
row 'badCSR final' 'something about badCSR'
row 'unauthorized authz' 'something about unauthorized'
row 'invalid' 'Timeout during connect'
row 'othername' 'not for a.example'
row 'expired' 'expired'
row 'otherkey' "can't be used"
row 'short' ''
row 'html cert' 'no certificate chain'

# Stuck in processing, for longer than anybody waits here: killed, and the
# same order goes on.
rm -rf "$CACHE"
mood stuck
before=$(count)
timeout 5 "$FUGU" acme issue -c "$CONF" >"$WORK/out" 2>&1
rm "$WORK/mood"
acme issue
equal stuck_goes_on 0 "$STATUS"
equal stuck_one_order $((before + 1)) "$(count)"

# However often it is started, the number of orders has its bound.
rm -rf "$CACHE"
before=$(count)
for i in 1 2 3 4 5 6 7 8; do
	mood othername
	acme issue
	sed -i 's/"next_at":[0-9]*/"next_at":1/' "$CACHE"/*+state
done
equal five_orders_in_an_hour 5 $(($(count) - before))
like five_orders_says_so '*the next try is not before*' "$OUT"

# A server lives through all of it, with the certificate that it has.
rm -f "$WORK/mood"
rm -rf "$CACHE"
begin
check server_has_one wss
was=$(serial)
mood down order
acme renew
equal server_renew_fails 1 "$STATUS"
check server_keeps_the_old test "$was" = "$(serial)"
check server_is_ready ready
acme renew --force
equal server_renews_then 0 "$STATUS"
[ "$was" != "$(serial)" ] || fail server_renewed "still $was"
# No pause is due but the back-off's, however far off the renewal by itself is.
mood down dir
acme renew
equal server_renew_fails_again 1 "$STATUS"
sed -n 's/.*"next_at":\([0-9]*\).*/\1/p' "$CACHE/a.example+state" >"$WORK/at"
check server_backs_off test -s "$WORK/at"
within 60 passed "$(cat "$WORK/at")"
acme renew
equal server_renews_after_the_back_off 0 "$STATUS"
stop

# One that can't be kept is in force nevertheless, and the one after it is none
# the worse for it.
rm -rf "$CACHE"
mkdir -p "$CACHE/a.example"
NAMES='"a.example","b.example"'
autocert ',"http":true,"separate":true'
before=$(count)
: >"$WORK/asked"
mood stuck
begin
# The server is away when it comes: nothing else is begun before it has said
# what became of it.
check unkept_is_ordered within 60 asked 'POST /final'
kill -STOP $PID
rm "$WORK/mood"
check unkept_is_there within 60 asked 'POST /cert'
sleep 1
like unkept_waits_for_the_server 'POST /cert/*' "$(tail -n 1 "$WORK/asked")"
kill -CONT $PID
check unkept_is_used wss a.example
logged unkept_is_said "can't be put into use: Is a directory"
check unkept_other_is_used wss b.example
check unkept_other_is_kept within 60 test -f "$CACHE/b.example"
equal unkept_two_orders $((before + 2)) "$(count)"
equal unkept_no_other_trouble 1 "$(grep -c 'next try in' "$LOG")"
rmdir "$CACHE/a.example"
acme renew --force
equal unkept_is_kept_later 0 "$STATUS"
check unkept_file test -f "$CACHE/a.example"
stop
done_testing
