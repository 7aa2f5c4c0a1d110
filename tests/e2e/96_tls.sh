#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# TLS against openssl s_client and curl: what is negotiated, which
# certificate is shown to whom, whose certificate lets a client in, what is
# wrong with credentials and when that is said, and which port speaks what.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing

. "$HERE/pki.sh"
SCHEME=https
N=2
CA=$PKI/root.pem
export CURL_CA_BUNDLE="$CA"

# tls OPTIONS [HTTP_SERVER [MORE]]: write a configuration.
tls() {
	PORT=$(freeport)
	OTHER=$(freeport)
	config "$(printf '%s\n' '{"http_server":{"address":"127.0.0.1",
	    "port":@PORT@,"tls":{"enabled":'"${TLS:-true},$1}${2:+,$2}},"'
	    "health":{"enabled":true},"prometheus":{"enabled":true},
	    "log":{"level":"debug"}'"${3:+,$3}"'}' |
	    sed "s|@PKI@|$PKI|g;s|@OTHER@|$OTHER|g")"
}

# pair NAME: the options of a certificate and its key.
pair() {
	echo '"cert_pem":"@PKI@/'"$1"'.pem","key_pem":"@PKI@/'"$1"'.key"'
}

# client ARGS: what s_client says of a connection that it ends at once.
client() {
	timeout 20 openssl s_client -connect "127.0.0.1:$PORT" -CAfile "$CA" \
	    "$@" </dev/null 2>&1
}

# curls ARGS: the status, and the exit status if it is not 0.
curls() {
	status=0
	out=$(curl -s -o "$WORK/body" --max-time 15 -w '%{http_code}' "$@") ||
	    status=" $?"
	echo "$out${status#0}"
}

metric() {
	curl -s "https://127.0.0.1:$PORT/metrics" |
	    awk -v name="$1" 'index($0, name) == 1 { print $2 }'
}

shown() {
	client -servername "$@" | openssl x509 -noout -subject 2>/dev/null |
	    sed 's/.*CN = //'
}

make_certificates() {
	ca root
	issue server root DNS:localhost,IP:127.0.0.1
	issue rsa root DNS:localhost,IP:127.0.0.1 2048
	SUBJECT="/O=fugu, tests/CN=ann" USAGE=clientAuth issue ann root ""
	USAGE=clientAuth issue gone root "" P-256 -days -1
	issue expired root DNS:localhost P-256 -days -1
	issue other root DNS:localhost
	ca stranger
	USAGE=clientAuth issue eve stranger ""
}

# ---- what is negotiated ----

# refused NAME PATTERN ARGS: the handshake ends with that.
refused() {
	name=$1 pattern=$2
	shift 2
	out=$(client "$@")
	like "$name" "*$pattern*" "$out"
	case $out in
	*'Cipher is (NONE)'*)	pass "${name}_ends_it" ;;
	*)			fail "${name}_ends_it" "$out" ;;
	esac
}

versions() {
	old='ALL:COMPLEMENTOFALL@SECLEVEL=0'
	like tls_1_2 '*Verify return code: 0 (ok)*' "$(client -tls1_2)"
	: >"$LOG"
	refused tls_1_1 'wrong version number' -tls1_1 -cipher "$old"
	logged tls_1_1_why 'no TLS 1.2'
	sleep 1.2	# the same line within a second is only counted
	: >"$LOG"
	refused tls_1_0 'wrong version number' -tls1 -cipher "$old"
	logged tls_1_0_why 'no TLS 1.2'
	refused tls_1_3_only 'alert handshake failure' -tls1_3
	like tls_1_3_or_1_2 '*New, TLSv1.2, Cipher is ECDHE*' "$(client)"
}

suites() {
	for suite in AES128-GCM-SHA256 AES256-GCM-SHA384 CHACHA20-POLY1305
	do
		for kind in ECDSA RSA; do
			like "suite_$kind-$suite" \
			    "*Cipher is ECDHE-$kind-$suite*" \
			    "$(client -tls1_2 -cipher "ECDHE-$kind-$suite")"
		done
	done
	for suite in AES128-SHA AES128-GCM-SHA256 DHE-RSA-AES128-GCM-SHA256 \
	    ECDHE-RSA-AES128-SHA ECDHE-RSA-AES128-SHA256 \
	    ECDHE-ECDSA-AES256-SHA384 ECDHE-ECDSA-AES128-CCM AECDH-NULL-SHA
	do
		refused "no_$suite" 'alert handshake failure' -tls1_2 \
		    -cipher "$suite@SECLEVEL=0"
	done
	like x25519_first '*Server Temp Key: X25519*' \
	    "$(client -tls1_2 -curves P-256:P-384:X25519)"
	like p256_if_need_be '*Server Temp Key: ECDH, prime256v1*' \
	    "$(client -tls1_2 -curves P-256)"
}

alpn() {
	like alpn_http_1_1 '*ALPN protocol: http/1.1*' \
	    "$(client -tls1_2 -alpn http/1.1)"
	like alpn_h2_first '*ALPN protocol: http/1.1*' \
	    "$(client -tls1_2 -alpn h2,http/1.1)"
	like alpn_none '*No ALPN negotiated*' "$(client -tls1_2)"
	refused alpn_h2_only 'alert no application protocol' -tls1_2 -alpn h2
	refused alpn_acme_only 'alert no application protocol' -tls1_2 \
	    -alpn acme-tls/1
}

ends() {
	out=$({ printf 'GET /health HTTP/1.1\r\nHost: x\r\n'
	    printf 'Connection: close\r\n\r\n'; } |
	    timeout 20 openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 \
	    -ign_eof -msg 2>&1)
	like close_notify_is_sent \
	    '*200 OK*<<< TLS 1.2, Alert*warning close_notify*' "$out"
	out=$({ sleep 0.5; echo Q; sleep 0.5; } | timeout 10 openssl s_client \
	    -connect "127.0.0.1:$PORT" -tls1_2 -msg 2>&1)
	like close_notify_is_heard '*DONE*>>> TLS 1.2, Alert*' "$out"
	out=$({ sleep 0.5; echo R; sleep 3; } | timeout 20 openssl s_client \
	    -connect "127.0.0.1:$PORT" -tls1_2 -msg 2>&1)
	like renegotiation_is_refused \
	    '*RENEGOTIATING*<<< TLS 1.2, Alert*no_renegotiation*' "$out"
	like plain_on_tls '400*https*' "$(curls "http://127.0.0.1:$PORT/") $(
	    cat "$WORK/body")"
}

negotiation() {
	tls "$(pair server),\"certificates\":[{$(pair rsa)}]"
	start || return
	versions
	suites
	alpn
	ends
	stop
}

# One that comes back to another worker.
resumption() {
	tls "$(pair server)"
	N=4 start || return
	before=$(metric 'fugu_tls_handshakes_total{result="resumed"')
	for i in 1 2 3 4; do
		client -tls1_2 -reconnect -servername localhost
	done >"$WORK/out"
	equal resumed_by_all_workers 20 \
	    "$(grep -c '^Reused, TLSv1.2' "$WORK/out")"
	equal resumed_is_counted $((${before:-0} + 20)) \
	    "$(metric 'fugu_tls_handshakes_total{result="resumed"')"
	client -tls1_2 -servername localhost -sess_out "$WORK/sess" >/dev/null
	like resumed_later '*Reused, TLSv1.2*' "$(client -tls1_2 \
	    -servername localhost -sess_in "$WORK/sess")"
	like not_for_another_name '*New, TLSv1.2*' "$(client -tls1_2 \
	    -servername elsewhere -sess_in "$WORK/sess")"
	stop
	tls "$(pair server)"
	start --http_server.tls.session_cache_size=0 || return
	client -tls1_2 -reconnect >"$WORK/out"
	equal no_sessions_no_resumption 0 "$(grep -c ^Reused "$WORK/out")"
	stop
}

# ---- which certificate ----

names() {
	issue default root DNS:default.example
	issue both-ec root DNS:both.example
	issue both-rsa root DNS:both.example 2048
	issue wild root 'DNS:*.wild.example'
	issue exact root DNS:a.wild.example
	list=
	for name in both-rsa both-ec wild exact; do
		list="$list${list:+,}{$(pair $name)}"
	done
	tls "$(pair default),\"certificates\":[$list]"
	launch -c "$CONF" --workers=1
	CURL_CA_BUNDLE= wait_sni
	equal sni_exact exact "$(shown a.wild.example)"
	equal sni_case exact "$(shown A.Wild.Example)"
	equal sni_wildcard wild "$(shown b.wild.example)"
	equal sni_wildcard_is_one_label default "$(shown c.b.wild.example)"
	equal sni_not_the_wildcards_parent default "$(shown wild.example)"
	equal sni_unknown default "$(shown nobody.example)"
	equal sni_none default "$(client -noservername |
	    openssl x509 -noout -subject | sed 's/.*CN = //')"
	equal sni_ec_before_rsa both-ec "$(shown both.example -tls1_2)"
	equal sni_rsa_for_who_needs_it both-rsa "$(shown both.example \
	    -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256)"
	stop
}

wait_sni() {
	n=0
	until [ "$(shown default.example)" = default ]; do
		n=$((n + 1))
		[ $n -lt 400 ] || return 1
		sleep 0.05
	done
}

# Every key and every way to write it down.
keys() {
	list=
	for kind in 2048 3072 4096 P-256 P-384; do
		issue "k$kind" root "DNS:k$kind.example" "$kind"
		cp "$PKI/k$kind.key" "$PKI/old$kind.key"
		issue "old$kind" root "DNS:old$kind.example" "$kind"
		ssl pkey -traditional -in "$PKI/k$kind.key" \
		    -out "$PKI/old$kind.key"
		list="$list,{$(pair "k$kind")},{$(pair "old$kind")}"
	done
	check keys_differ_in_form grep -q 'BEGIN RSA' "$PKI/old2048.key"
	check keys_differ_in_form_ec grep -q 'BEGIN EC' "$PKI/oldP-256.key"
	tls "$(pair server),\"certificates\":[${list#,}]"
	start || return
	for kind in 2048 3072 4096 P-256 P-384; do
		for name in k old; do
			out=$(client -tls1_2 -servername "$name$kind.example")
			like "key_$name$kind" \
			    "*Server public key is ${kind#P-} bit*" "$out"
			like "key_$name${kind}_verifies" \
			    '*Verify return code: 0 (ok)*' "$out"
		done
	done
	stop
}

# The way certbot lays it out, and PEM in the configuration itself.
chains() {
	CONSTRAINTS=CA:TRUE issue between root ""
	issue site between DNS:localhost,IP:127.0.0.1
	mkdir -p "$PKI/archive" "$PKI/live"
	cat "$PKI/site.pem" "$PKI/between.pem" >"$PKI/archive/fullchain1.pem"
	cp "$PKI/site.key" "$PKI/archive/privkey1.pem"
	ln -sf ../archive/fullchain1.pem "$PKI/live/fullchain.pem"
	ln -sf ../archive/privkey1.pem "$PKI/live/privkey.pem"
	tls '"cert_pem":"@PKI@/live/fullchain.pem",
	    "key_pem":"@PKI@/live/privkey.pem"'
	start || return
	like chain_of_certbot '*1 s:CN = between*return code: 0 (ok)*' \
	    "$(client)"
	stop
	tls '"cert_pem":"'"$(sed 's/$/\\n/' "$PKI/server.pem" |
	    tr -d '\n')"'","key_pem":"'"$(base64 -w 0 "$PKI/server.key")"'"'
	start || return
	equal pem_inline_and_base64 200 \
	    "$(curls "https://localhost:$PORT/health")"
	stop
}

# ---- certificates of clients ----

as() {
	name=$1
	shift
	curls --cert "$PKI/$name.pem" --key "$PKI/$name.key" "$@" \
	    "https://127.0.0.1:$PORT/health"
}

# refuses NAME ALERT [OF]: a client with OF's certificate gets that alert,
# even while it still sends.
refuses() {
	like "$1" "*alert $2*" "$(client -tls1_2 \
	    ${3:+-cert "$PKI/$3.pem" -key "$PKI/$3.key"})"
}

# The error of the last handshake that failed is in the log: it is told
# once a second, and with debug always.
mutual_required() {
	tls "$(pair server),\"client_ca_pem\":\"$1\""
	launch -c "$CONF" --workers=1
	n=0
	until [ "$(as ann)" = 200 ]; do
		n=$((n + 1))
		[ $n -lt 200 ] || break
		sleep 0.05
	done
	equal "mutual_$2" 200 "$(as ann)"
	logged "mutual_$2_subject" 'subject="CN=ann,O=fugu\\, tests"'
	refuses "mutual_$2_none" 'handshake failure'
	logged "mutual_$2_none_why" 'the client sent no certificate'
	refuses "mutual_$2_wrong_ca" 'unknown ca' eve
	refuses "mutual_$2_expired" 'certificate expired' gone
	logged "mutual_$2_expired_why" 'expired'
	refuses "mutual_$2_not_for_clients" 'unsupported certificate' server
	equal "mutual_$2_still" 200 "$(as ann)"
	stop
}

# who NAME WANTED [CURL-ARGS]: the user that one-way streams belong to.
who() {
	name=$1 wanted=$2
	shift 2
	: >"$LOG"
	curl -s --max-time 30 -o "$WORK/body" -d '{}' "$@" \
	    "https://127.0.0.1:$PORT/connection/uni_http_stream" &
	stream=$!
	logged "$name" "$wanted"
	kill $stream 2>/dev/null
}

users() {
	for way in cn subject; do
		tls "$(pair server),\"client_ca_pem\":\"@PKI@/root.pem\",
		    \"client_auth\":\"optional\"" "" '"client":{
		    "user_id_client_certificate":"'$way'"},
		    "uni_http_stream":{"enabled":true}'
		start || return
		ann="--cert $PKI/ann.pem --key $PKI/ann.key"
		case $way in
		cn)	user='user=ann ' ;;
		*)	user='user="CN=ann,O=fugu\\, tests" ' ;;
		esac
		who "user_by_$way" "client connected" $ann
		logged "user_by_${way}_is" "$user"
		who "user_by_${way}_or_none" "connect without a token"
		stop
	done
	tls "$(pair server),\"client_ca_pem\":\"@PKI@/root.pem\",
	    \"client_auth\":\"optional\"" "" '"client":{
	    "user_id_client_certificate":"cn",
	    "allow_anonymous_connect_without_token":true},
	    "uni_http_stream":{"enabled":true}'
	start || return
	who user_before_nobody 'user=ann ' $ann
	who nobody_without_certificate 'user="" '
	equal optional_without 200 "$(curls "https://localhost:$PORT/health")"
	like optional_but_wrong '000 *' "$(as eve)"
	stop
}

# ---- credentials that are wrong ----

# bad NAME PATTERN CERT KEY: no start with these.
bad() {
	tls "\"cert_pem\":\"$3\",\"key_pem\":\"$4\""
	launch -c "$CONF"
	wait_exit 30
	equal "start_$1" 78 "$STATUS"
	like "start_$1_why" "*$2*" "$(cat "$LOG")"
	"$FUGU" checkconfig -c "$CONF" >"$WORK/out" 2>&1
	equal "checkconfig_$1" 78 $?
	like "checkconfig_$1_why" "*$2*" "$(cat "$WORK/out")"
}

wrong_at_start() {
	cat "$PKI/between.pem" "$PKI/site.pem" >"$PKI/turned.pem"
	head -c 300 "$PKI/server.pem" >"$PKI/half.pem"
	: >"$PKI/empty.pem"
	bad wrong_key 'does not belong to the certificate' \
	    @PKI@/server.pem @PKI@/other.key
	bad expired 'expired' @PKI@/expired.pem @PKI@/expired.key
	bad empty 'cert_pem: the file holds no PEM' \
	    @PKI@/empty.pem @PKI@/server.key
	bad empty_key 'key_pem: the file holds no PEM' \
	    @PKI@/server.pem @PKI@/empty.pem
	bad wrong_order 'first' @PKI@/turned.pem @PKI@/site.key
	bad swapped 'are the two swapped' @PKI@/server.key @PKI@/server.pem
	bad half 'cut off' @PKI@/half.pem @PKI@/server.key
	bad missing 'cert_pem' @PKI@/none.pem @PKI@/server.key
	bad authority "is a CA's" @PKI@/between.pem @PKI@/between.key
	bad of_a_client 'not for servers' @PKI@/ann.pem @PKI@/ann.key
	bad nothing 'needed for TLS' '' ''
	tls "$(pair server)"
	out=$("$FUGU" checkconfig -c "$CONF" 2>&1)
	equal checkconfig_good 0 $?
	like checkconfig_tells \
	    '*CN=server*localhost*CN=root*EC P-256*89 days*' \
	    "$(echo "$out" | tr '\n' ' ')"
}

# ---- new certificates without a restart ----

shows() {
	n=0
	until [ "$(client -tls1_2 -servername localhost |
	    openssl x509 -noout -serial 2>/dev/null)" = "$2" ]; do
		n=$((n + 1))
		if [ $n -gt 200 ]; then
			fail "$1" "another serial number"
			return
		fi
		sleep 0.1
	done
	pass "$1"
}

take() {
	cp "$PKI/$1.pem" "$PKI/live.pem.new"
	cp "$PKI/$2.key" "$PKI/live.key.new"
	mv "$PKI/live.key.new" "$PKI/live.key"
	mv "$PKI/live.pem.new" "$PKI/live.pem"
}

# kept NAME WHY: the old certificate stays, and the log says why.
kept() {
	[ "$3" = watch ] || kill -HUP "$PID"
	logged "$1_is_told" "$2"
	equal "$1_old_is_kept" "$old" "$(client -tls1_2 -servername localhost |
	    openssl x509 -noout -serial)"
	: >"$LOG"
}

reloads() {
	way=$1
	take server server
	old=$(serial server)
	tls "$(pair live),\"reload_interval\":\"$2\""
	start || return
	shows "${way}_first" "$old"
	: >"$LOG"
	take server other
	kept "${way}_wrong_key" 'does not belong' "$way"
	take expired expired
	kept "${way}_expired" 'expired' "$way"
	cp "$PKI/server.key" "$PKI/live.key"
	head -c 300 "$PKI/other.pem" >"$PKI/live.pem"
	kept "${way}_half" 'cut off' "$way"
	rm "$PKI/live.pem"
	kept "${way}_missing" "No such file" "$way"
	take other other
	[ "$way" = watch ] || kill -HUP "$PID"
	shows "${way}_new" "$(serial other)"
	stop
}

# ---- which port speaks what ----

ports() {
	third=$(freeport)
	issue inner root DNS:localhost,IP:127.0.0.1
	tls "$(pair server)" '"tls_external":true,"internal_port":"@OTHER@"'
	start_on "http://127.0.0.1:$OTHER" || return
	equal tls_external_outside 404 "$(curls "https://127.0.0.1:$PORT/")"
	equal tls_external_inside 200 \
	    "$(curls "http://127.0.0.1:$OTHER/health")"
	stop
	tls "$(pair server)" '"internal_port":"@OTHER@","internal_tls":{
	    "enabled":true,'"$(pair inner)"'}'
	start_on "https://127.0.0.1:$OTHER" || return
	equal internal_tls_outside "$(serial server)" "$(client |
	    openssl x509 -noout -serial)"
	equal internal_tls_inside "$(serial inner)" "$(PORT=$OTHER client |
	    openssl x509 -noout -serial)"
	stop
	tls "$(pair server)" '"listeners":[{"name":"plain",
	    "address":"127.0.0.1","port":@OTHER@}]'
	start || return
	equal tls_and_plain 200 "$(curls "http://127.0.0.1:$OTHER/health")"
	like tls_on_plain '000 35' "$(curls "https://127.0.0.1:$OTHER/health")"
	stop
	TLS=false tls "$(pair server)" '"tcp_disabled":true,
	    "listeners":[{"name":"s","address":"127.0.0.1","port":@OTHER@,
	    "tls":true}]'
	start_on "https://127.0.0.1:$OTHER" || return
	equal plain_port_off '000 7' "$(curls "http://127.0.0.1:$PORT/health")"
	stop
}

start_on() {
	launch -c "$CONF" --workers="$N"
	n=0
	until [ "$(curls "$1/health")" = 200 ]; do
		n=$((n + 1))
		if [ $n -gt 400 ]; then
			fail "starts on $1" "$(tail -n 3 "$LOG")"
			end
			return 1
		fi
		sleep 0.05
	done
}

# redirected NAME WANTED HOST [CURL-ARGS]
redirected() {
	name=$1 wanted=$2 host=$3
	shift 3
	equal "redirect_$name" "$wanted" "$(curl -s -o /dev/null --max-time 5 \
	    -H "Host: $host" -w '%{http_code} %{redirect_url}' "$@" \
	    "http://127.0.0.1:$OTHER/a%0d%0aX:b?c=d")"
}

redirects() {
	tls "$(pair server)" '"tls_redirect":{"enabled":true,
	    "address":"127.0.0.1","port":@OTHER@}'
	start || return
	there=":$PORT/a%0d%0aX:b?c=d"
	redirected get "301 https://a.example$there" a.example
	redirected head "301 https://a.example$there" a.example -I
	redirected post "301 https://a.example$there" a.example -d x
	redirected put "301 https://a.example$there" a.example -X PUT -d x
	redirected port "301 https://a.example$there" a.example:80
	redirected ipv6 "301 https://[2001:db8::1]$there" '[2001:db8::1]'
	redirected ipv6_port "301 https://[2001:db8::1]$there" \
	    '[2001:db8::1]:8080'
	for host in 'a b' 'a/b' 'user@a' 'a\r' '[::1' 'a:b:c' '' '"'; do
		redirected "bad_host_$host" '400 ' "$host"
	done
	equal redirect_is_followed 200 "$(curls -L \
	    "http://127.0.0.1:$OTHER/health")"
	stop
}

make_certificates
negotiation
resumption
names
keys
chains
mutual_required @PKI@/root.pem file
mkdir "$PKI/cas"
cp "$PKI/root.pem" "$PKI/cas/"
mutual_required @PKI@/cas directory
users
wrong_at_start
reloads hup 1h
reloads watch 1s
ports
redirects
done_testing
