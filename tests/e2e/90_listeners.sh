#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Where the server listens and who its clients are: Unix sockets, sockets
# inherited from a service manager and what that is told, the PROXY protocol,
# trusted proxies, limits for each address, the redirect to https.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing

SOCK=$WORK/s.sock
HELPER=

raw() {
	python3 "$HERE/sockets.py" "$@"
}

end_helper() {
	[ -z "$HELPER" ] || kill "$HELPER" 2>/dev/null
	HELPER=
}

# on_socket PATH [URL]: the status of a request over a Unix socket.
on_socket() {
	curl -s -o /dev/null --max-time 15 -w '%{http_code}' \
	    --unix-socket "$1" "http://x${2-/health}"
}

# code URL [OPTIONS]
code() {
	url=$1
	shift
	curl -sk -o /dev/null --max-time 15 -w '%{http_code}' "$@" "$url"
}

# refused NAME STATUS PATTERN: the server does not start on $CONF.
refused() {
	launch -c "$CONF" --workers="$N"
	wait_exit 30
	equal "$1" "$2" "$STATUS"
	like "${1}_says_why" "*$3*" "$(cat "$LOG")"
	end
}

wait_socket() {
	until_true curl -sf -o /dev/null --max-time 5 --unix-socket "$1" \
	    http://x/health
}

fresh() {
	PORT=$(freeport)
	OTHER=$(freeport)
	config "$(echo "$1" | sed "s|@SOCK@|$SOCK|g;s/@OTHER@/$OTHER/g")"
}

unix_sockets() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "unix_socket":{"path":"@SOCK@","mode":"600"}},
	    "log":{"level":"debug"},"health":{"enabled":true}}'
	start || return
	equal unix_beside_tcp 200 "$(on_socket "$SOCK")"
	equal unix_mode 600 "$(stat -c %a "$SOCK")"
	logged unix_peer_credentials "uid=$(id -u)"
	first=$PID
	launch -c "$CONF" --workers="$N" --http_server.port="$OTHER"
	wait_exit 30
	equal unix_in_use_75 75 "$STATUS"
	logged unix_in_use_is_named "$SOCK"
	PID=$first
	equal unix_in_use_is_not_disturbed 200 "$(on_socket "$SOCK")"
	kill -KILL "$PID"
	wait_exit
	start || return
	equal unix_stale_is_replaced 200 "$(on_socket "$SOCK")"
	stop
	check unix_is_removed_at_the_end test ! -e "$SOCK"

	echo precious >"$SOCK"
	refused unix_path_is_a_file 73 'not removed'
	equal unix_path_file_is_left precious "$(cat "$SOCK")"
	rm -f "$SOCK"

	fresh '{"http_server":{"tcp_disabled":true,"unix_socket":
	    {"path":"@SOCK@","mode":"660","group":"'"$(id -g)"'"}},
	    "http_api":{"key":"k"},"health":{"enabled":true}}'
	launch -c "$CONF" --workers="$N"
	wait_socket "$SOCK"
	equal unix_instead_of_tcp 200 "$(on_socket "$SOCK")"
	equal unix_instead_of_tcp_there_is_none 000 \
	    "$(code "http://127.0.0.1:8000/health")"
	equal unix_api '{"result":{}}' "$(curl -s --unix-socket "$SOCK" \
	    -H 'X-API-Key: k' -d '{"channel":"x","data":1}' \
	    http://x/api/publish)"
	equal unix_websocket 101 "$(on_websocket --unix-socket "$SOCK" \
	    http://x/connection/websocket)"
	stop

	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "internal_unix_socket":{"path":"@SOCK@"}},
	    "health":{"enabled":true}}'
	launch -c "$CONF" --workers="$N"
	wait_socket "$SOCK"
	equal internal_unix 200 "$(on_socket "$SOCK")"
	equal internal_unix_only 404 "$(code "http://127.0.0.1:$PORT/health")"
	equal internal_unix_is_not_external 404 \
	    "$(on_socket "$SOCK" /connection/websocket)"
	stop

	fresh '{"http_server":{"tcp_disabled":true,"unix_socket":
	    {"path":"@fugu-e2e-'$$'"}},"health":{"enabled":true}}'
	launch -c "$CONF" --workers="$N"
	check unix_abstract until_true curl -sf --max-time 5 \
	    --abstract-unix-socket "fugu-e2e-$$" http://x/health
	stop

	fresh '{"http_server":{"tcp_disabled":true}}'
	refused nothing_to_listen_on_78 78 'nothing to listen on'
}

# The status of a WebSocket handshake; with 101 it lasts as long as this.
on_websocket() {
	curl -s -o /dev/null -w '%{http_code}' --max-time 3 \
	    -H 'Upgrade: websocket' -H 'Connection: Upgrade' \
	    -H 'Sec-WebSocket-Version: 13' \
	    -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' "$@"
}

# inherits NAMES PLACE... -- ARGS: start the server with such sockets.
inherits() {
	names=$1
	shift
	SERIAL=$((SERIAL + 1))
	LOG=$WORK/log.$SERIAL
	places=
	while [ "$1" != -- ]; do
		places="$places $1"
		shift
	done
	shift
	python3 "$HERE/sockets.py" activate "$names" $places -- \
	    "$FUGU" -c "$CONF" --workers="$N" "$@" >"$LOG" 2>&1 </dev/null &
	PID=$!
}

activation() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@},
	    "health":{"enabled":true}}'
	inherits "" "$OTHER" --
	wait_ready "$OTHER"
	equal inherited_unnamed 200 "$(code "http://127.0.0.1:$OTHER/health")"
	equal inherited_instead_of_bound 000 \
	    "$(code "http://127.0.0.1:$PORT/health")"
	stop

	third=$(freeport)
	inherits "fugu.socket:fugu.socket" "$OTHER" "$third" --
	wait_ready "$third"
	equal inherited_second_is_internal 404 \
	    "$(code "http://127.0.0.1:$OTHER/health")"
	stop

	inherits "internal:http" "$third" "$SOCK" --
	wait_ready "$third"
	equal inherited_by_name 404 "$(on_socket "$SOCK")"
	equal inherited_unix_external 400 \
	    "$(on_socket "$SOCK" /connection/websocket)"
	logged inherited_unix_is_announced "unix:$SOCK"
	stop
	check inherited_unix_is_not_removed test -S "$SOCK"
	rm -f "$SOCK"

	inherits "redirect" "$third" --
	wait_ready
	equal inherited_redirect 301 "$(code "http://127.0.0.1:$third/")"
	stop

	inherits "htpp" "$OTHER" --
	wait_exit 30
	equal inherited_wrong_name_78 78 "$STATUS"
	logged inherited_wrong_name_is_named htpp
	inherits "http" udp --
	wait_exit 30
	equal inherited_no_stream_78 78 "$STATUS"
	logged inherited_no_stream_is_told "no listening stream socket"
	inherits "https" "$OTHER" --
	wait_exit 30
	equal inherited_tls_without_certificate_78 78 "$STATUS"

	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "listeners":[{"name":"side","address":"127.0.0.1",
	    "port":@OTHER@}]},"health":{"enabled":true}}'
	inherits "side" "$third" --
	wait_ready "$third"
	equal inherited_extra_listener 200 \
	    "$(code "http://127.0.0.1:$PORT/health")"
	equal inherited_extra_instead_of_bound 000 \
	    "$(code "http://127.0.0.1:$OTHER/health")"
	stop

	command -v systemd-socket-activate >/dev/null || return
	SERIAL=$((SERIAL + 1))
	LOG=$WORK/log.$SERIAL
	systemd-socket-activate -l "127.0.0.1:$third" --fdname=external \
	    "$FUGU" -c "$CONF" --workers="$N" >"$LOG" 2>&1 </dev/null &
	PID=$!
	sleep 0.3
	wait_ready "$third" && pass systemd_socket_activate && stop
}

# told COUNT PATTERN: the service manager has heard so many of those.
told() {
	[ "$(grep -c "$2" "$WORK/told")" -ge "$1" ]
}

notification() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@},
	    "health":{"enabled":true},"shutdown":{"timeout":"7s"}}'
	rm -f "$WORK/told"
	python3 "$HERE/sockets.py" notify "$WORK/notify" "$WORK/told" &
	HELPER=$!
	until_true test -S "$WORK/notify"
	export NOTIFY_SOCKET="$WORK/notify" WATCHDOG_USEC=400000
	start
	unset NOTIFY_SOCKET WATCHDOG_USEC
	check told_it_is_alive until_true told 4 '^WATCHDOG=1$'
	kill -HUP "$PID"
	logged reload_is_logged "configuration reloaded"
	until_true told 2 '^READY=1'
	echo '{"nonsense":1}' >"$CONF"
	kill -HUP "$PID"
	logged bad_reload_is_logged "the configuration was not reloaded"
	until_true told 3 '^READY=1'
	stop
	end_helper
	rm -f "$WORK/notify"
	equal told_when_ready "READY=1 STATUS=serving clients" \
	    "$(sed -n 1p "$WORK/told")"
	grep -v '^WATCHDOG' "$WORK/told" >"$WORK/rest"
	like told_of_reload 'RELOADING=1 MONOTONIC_USEC=[1-9]*' \
	    "$(sed -n 2p "$WORK/rest")"
	equal told_of_reloaded "READY=1 STATUS=serving clients" \
	    "$(sed -n 3p "$WORK/rest")"
	like told_of_bad_reload 'READY=1 STATUS=*failed*' \
	    "$(sed -n 5p "$WORK/rest")"
	like told_of_the_end 'STOPPING=1 *EXTEND_TIMEOUT_USEC=12000000' \
	    "$(sed -n 6p "$WORK/rest")"
}

proxy_protocol() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "trusted_proxies":["127.0.0.1/32"],"listeners":[{"name":"lb",
	    "address":"127.0.0.1","port":@OTHER@,"proxy_protocol":true}]},
	    "health":{"enabled":true}}'
	start || return
	get='GET /health HTTP/1.0\r\n\r\n'
	bad='GET /connection/websocket HTTP/1.0\r\n\r\n'
	sig='\r\n\r\n\x00\r\nQUIT\n'
	like proxy_v1 'HTTP/1.1 200*' "$(raw send "$OTHER" \
	    "PROXY TCP4 192.0.2.7 127.0.0.1 5 6\r\n$get")"
	raw send "$OTHER" "PROXY TCP4 192.0.2.7 127.0.0.1 5 6\r\n$bad" \
	    >/dev/null
	logged proxy_v1_address peer=192.0.2.7
	raw send "$OTHER" "PROXY TCP6 2001:db8::7 ::1 5 6\r\n$bad" >/dev/null
	logged proxy_v1_ipv6_address peer=2001:db8::7
	v2='\x21\x11\x00\x0f\xc0\x00\x02\x08\x7f\x00\x00\x01\x00\x01\x00\x02'
	raw send "$OTHER" "$sig$v2\x04\x00\x00$bad" >/dev/null
	logged proxy_v2_address peer=192.0.2.8
	like proxy_v2_local 'HTTP/1.1 200*' \
	    "$(raw send "$OTHER" "$sig\x20\x00\x00\x00$get")"
	like proxy_v1_unknown 'HTTP/1.1 200*' \
	    "$(raw send "$OTHER" "PROXY UNKNOWN\r\n$get")"
	equal proxy_missing_is_closed "" "$(raw send "$OTHER" "$get" |
	    sed 's/<reset>//')"
	logged proxy_missing_is_logged "no PROXY protocol header"
	equal proxy_untrusted_is_closed "" "$(raw send "$OTHER" \
	    "PROXY TCP4 1.2.3.4 127.0.0.1 5 6\r\n$get" 127.0.0.2 |
	    sed 's/<reset>//')"
	logged proxy_untrusted_is_logged "peer=127.0.0.2"
	like proxy_is_refused_elsewhere 'HTTP/1.1 400*' "$(raw send "$PORT" \
	    "PROXY TCP4 1.2.3.4 127.0.0.1 5 6\r\n$get")"
	# A header inside a trusted one changes what the first one said.
	spoofed='GET /connection/websocket HTTP/1.0\r\n'
	spoofed=$spoofed'X-Forwarded-For: 6.6.6.6\r\n\r\n'
	raw send "$OTHER" "PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\n$spoofed" \
	    >/dev/null
	logged proxy_client_is_not_trusted peer=192.0.2.9
	alive "alive after PROXY headers"
	stop
}

forwarded() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "unix_socket":{"path":"@SOCK@"},
	    "trusted_proxies":["127.0.0.1","unix"]},
	    "health":{"enabled":true}}'
	start || return
	ws=/connection/websocket
	xff='X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.1'
	code "http://127.0.0.1:$PORT$ws" -H "$xff" >/dev/null
	logged forwarded_address peer=192.0.2.7
	logged missing_upgrade_is_explained "does a proxy not forward"
	code "http://x$ws" --unix-socket "$SOCK" \
	    -H 'X-Forwarded-For: 192.0.2.8' >/dev/null
	logged forwarded_over_unix peer=192.0.2.8
	code "http://x$ws" --unix-socket "$SOCK" >/dev/null
	logged nobody_named peer=unix:
	code "http://127.0.0.1:$PORT$ws" --interface 127.0.0.5 \
	    -H 'X-Forwarded-For: 192.0.2.9' >/dev/null
	logged forwarded_by_a_stranger peer=127.0.0.5
	check forwarded_by_a_stranger_is_not_believed \
	    test "$(grep -c 192.0.2.9 "$LOG")" = 0
	stop
}

# Open eight connections and count those that were let in.
hold_eight() {
	: >"$WORK/held"
	python3 "$HERE/sockets.py" hold 8 5 "$PORT" 60 >"$WORK/held" &
	HELPER=$!
	until_true test -s "$WORK/held"
}

five_are_open() {
	curl -s --max-time 5 "http://127.0.0.1:$PORT/metrics" |
	    grep -q '{encoding="json",transport="websocket"} 5'
}

limits() {
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "trusted_proxies":["127.0.0.9"],"address_connection_limit":5},
	    "prometheus":{"enabled":true},"health":{"enabled":true}}'
	start || return
	# A connection of the start may still be counted on a busy machine.
	for try in 1 2 3 4 5; do
		hold_eight
		[ "$(cat "$WORK/held")" != 5 ] || break
		end_helper
		sleep 1
	done
	equal address_limit 5 "$(cat "$WORK/held")"
	told=$(curl -si "http://127.0.0.1:$PORT/health" | tr -d '\r\n')
	like address_limit_is_told '*429*Retry-After: 10*' "$told"
	equal address_limit_is_each 200 "$(code \
	    "http://127.0.0.1:$PORT/health" --interface 127.0.0.2)"
	like address_limit_is_counted '*{limit="connections"} [1-9]*' \
	    "$(curl -s --interface 127.0.0.2 "http://127.0.0.1:$PORT/metrics")"
	end_helper
	check address_limit_ends until_true curl -sf -o /dev/null \
	    --max-time 5 "http://127.0.0.1:$PORT/health"
	# Behind a proxy it is the client that counts, at its handshake.
	url=http://127.0.0.1:$PORT/connection/websocket
	for i in 1 2 3 4 5; do
		on_websocket --max-time 20 --interface 127.0.0.9 \
		    -H 'X-Forwarded-For: 192.0.2.1' "$url" >/dev/null &
	done
	until_true five_are_open
	equal forwarded_limit 429 "$(on_websocket --interface 127.0.0.9 \
	    -H 'X-Forwarded-For: 192.0.2.1' "$url")"
	equal forwarded_limit_is_each 101 "$(on_websocket \
	    --interface 127.0.0.9 -H 'X-Forwarded-For: 192.0.2.2' "$url")"
	stop

	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "address_connection_rate_limit":10},"health":{"enabled":true}}'
	start || return
	sleep 1.1
	set -- $(raw burst 40 "$PORT")
	check address_rate test "$2" -ge 10
	check address_rate_lets_some test "$1" -ge 10
	equal address_rate_answers_all 40 $(($1 + $2))
	sleep 1.1
	alive "address_rate_ends"
	stop
}

redirect() {
	if ! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 30 \
	    -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	    >"$WORK/openssl" 2>&1; then
		fail redirect "$(cat "$WORK/openssl")"
		return
	fi
	third=$(freeport)
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "tls":{"enabled":true,"cert_pem":"'"$WORK"'/cert.pem",
	    "key_pem":"'"$WORK"'/key.pem"},
	    "trusted_proxies":["127.0.0.1"],
	    "tls_redirect":{"enabled":true,"address":"127.0.0.1",
	    "port":@OTHER@,"code":308},
	    "listeners":[{"name":"lb","address":"127.0.0.1","port":'"$third"',
	    "tls":true,"proxy_protocol":true}]},
	    "health":{"enabled":true}}'
	launch -c "$CONF" --workers="$N"
	until_true curl -skf -o /dev/null --max-time 5 \
	    "https://localhost:$PORT/health"
	for method in GET HEAD POST; do
		opt="-X $method"
		[ $method != HEAD ] || opt=-I
		[ $method != POST ] || opt="-d x"
		equal "redirect_$method" \
		    "308 https://localhost:$PORT/a%0d?b=c" \
		    "$(curl -s -o /dev/null $opt --resolve \
		    "localhost:$OTHER:127.0.0.1" -w \
		    '%{http_code} %{redirect_url}' \
		    "http://localhost:$OTHER/a%0d?b=c")"
	done
	equal redirect_leads_there 200 "$(code \
	    "http://127.0.0.1:$OTHER/health" -L)"
	like redirect_without_host 'HTTP/1.1 400*' \
	    "$(raw send "$OTHER" 'GET / HTTP/1.0\r\n\r\n')"
	equal proxy_before_tls 200 "$(code "https://127.0.0.1:$third/health" \
	    --haproxy-protocol)"
	equal tls_without_its_proxy_header 000 \
	    "$(code "https://127.0.0.1:$third/health")"
	stop
}

# What a reload can't do is not half done: the port goes on with TLS.
reload_without_tls() {
	fresh '{"http_server":{"port":@PORT@,"internal_port":@OTHER@,
	    "tls":{"enabled":true,"cert_pem":"@W@/cert.pem",
	    "key_pem":"@W@/key.pem"}},"health":{"enabled":true}}'
	sed -i "s|@W@|$WORK|g" "$CONF"
	launch -c "$CONF" --workers="$N"
	until_true curl -skf -o /dev/null --max-time 5 \
	    "https://127.0.0.1:$OTHER/health"
	sed -i 's/"enabled":true,"cert/"enabled":false,"cert/' "$CONF"
	kill -HUP "$PID"
	logged reload_says_what_it_leaves "which ports speak TLS"
	logged reload_without_tls "configuration reloaded"
	equal tls_goes_on 200 "$(code "https://127.0.0.1:$OTHER/health")"
	equal tls_goes_on_outside 404 "$(code "https://127.0.0.1:$PORT/")"
	stop
}

for N in $WORKERS; do
	SUFFIX=" [$N]"
	unix_sockets
	activation
	notification
	proxy_protocol
	forwarded
	limits
	redirect
	reload_without_tls
done
end_helper
done_testing
