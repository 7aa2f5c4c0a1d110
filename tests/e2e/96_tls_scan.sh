#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# TLS as testssl.sh and sslscan judge it: a server with an EC and an RSA
# certificate offers what is meant to be offered and nothing else, and is not
# known to be vulnerable to anything. Neither asks the network.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing

. "$HERE/pki.sh"
SCHEME=https
export CURL_CA_BUNDLE="$PKI/root.pem"

SUITES='ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256
ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384
ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305'

# Findings that are not about the server: an authority made for the run has
# no list of revocations; and the openssl at hand no GOST.
ALLOWED='cert_revocation|engine_problem'

sorted() {
	tr -s ' \n' '\n\n' | sort | tr '\n' ' '
}

with_sslscan() {
	sslscan --no-colour --iana-names "127.0.0.1:$PORT" >/dev/null 2>&1 ||
		fail sslscan "it does not run"
	sslscan --no-colour --sni-name=localhost "127.0.0.1:$PORT" \
	    >"$WORK/sslscan" 2>&1
	equal sslscan_versions TLSv1.2 "$(awk '/^(SSL|TLS)v[0-9.]+ +enabled/ {
	    print $1 }' "$WORK/sslscan")"
	equal sslscan_suites "$(echo "$SUITES" | sorted)" "$(
	    awk '/^(Preferred|Accepted)/ { print $5 }' "$WORK/sslscan" |
	    sorted)"
	like sslscan_prefers_x25519 '*Curve 25519*' \
	    "$(grep ^Preferred "$WORK/sslscan")"
	check sslscan_no_renegotiation grep -q \
	    'Session renegotiation not supported' "$WORK/sslscan"
	equal sslscan_nothing_vulnerable '' \
	    "$(grep -w vulnerable "$WORK/sslscan" | grep -v 'not vulnerable')"
}

with_testssl() {
	timeout 480 testssl --quiet --color 0 --warnings off --nodns none \
	    --add-ca "$PKI/root.pem" --ip 127.0.0.1 -p -s -f -P -S -U \
	    --jsonfile "$WORK/found.json" "localhost:$PORT" \
	    >"$WORK/testssl" 2>&1
	# One finding a line: id, severity, text.
	sed -n 's/^ *"\(id\|severity\|finding\)" *: "\(.*\)",*$/\1 \2/p' \
	    "$WORK/found.json" | awk '
	    $1 == "id" { id = $2 }
	    $1 == "severity" { severity = $2 }
	    $1 == "finding" { $1 = ""; print id, severity $0 }
	    ' >"$WORK/found"
	check testssl_looked_at_much test "$(wc -l <"$WORK/found")" -ge 60
	equal testssl_nothing_not_ok '' \
	    "$(grep -vE ' (OK|INFO) ' "$WORK/found" | grep -vE "^($ALLOWED)" |
	    tr '\n' '|')"
	equal testssl_nothing_vulnerable '' "$(grep -iE \
	    'VULNERABLE|NOT ok' "$WORK/testssl" |
	    grep -vE 'not vulnerable|neither CRL nor OCSP' | tr '\n' '|')"
	for id in heartbleed CCS ROBOT secure_client_renego LUCKY13; do
		check "testssl_looked_for_$id" grep -q "^$id " "$WORK/found"
	done
	check testssl_x25519_and_p256 grep -qE \
	    '^[PF]+S_ECDHE_curves .*prime256v1.* X25519' "$WORK/found"
}

ca root
issue server root DNS:localhost,IP:127.0.0.1
issue rsa root DNS:localhost,IP:127.0.0.1 2048
config '{"http_server":{"address":"127.0.0.1","port":@PORT@,
    "tls":{"enabled":true,"cert_pem":"'"$PKI"'/server.pem",
    "key_pem":"'"$PKI"'/server.key","certificates":[
    {"cert_pem":"'"$PKI"'/rsa.pem","key_pem":"'"$PKI"'/rsa.key"}]}},
    "health":{"enabled":true}}'
N=2
start || done_testing
with_sslscan
with_testssl
alive well_after_the_scans
stop
done_testing
