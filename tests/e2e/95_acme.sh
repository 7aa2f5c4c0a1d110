#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Certificates by themselves, with pebble as the authority.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
. "$HERE/acme.sh"

# The process that speaks to the authority.
acme_pid() {
	cat "$CACHE/fugu.lock"
}

is_gone() {
	! kill -0 "$1"
}

metrics() {
	curl -s "http://127.0.0.1:$PLAIN_PORT/metrics" | grep -E 'acme|_tls'
}

fresh() {
	rm -rf "$WORK/cache"
}

by_http() {
	fresh
	autocert ',"http":true'
	begin || return
	check http_not_ready_at_first ready 503
	check http_wss_within_10_s wss a.example
	check http_wss_other_name wss b.example
	check http_ready_then ready
	equal http_one_order 1 "$(orders)"
	logged http_log_says_so 'have a certificate for a.example, b.example'
	like http_metric '*fugu_tls_certificate_not_after_seconds *' \
	    "$(metrics)"
	check http_redirects_all_else curl -s -o /dev/null -w \
	    '%{redirect_url}' "http://127.0.0.1:$HTTP_PORT/x"
	equal http_files \
	    'a.example a.example+state acme_account+key fugu.lock' \
	    "$(ls "$CACHE" | tr '\n' ' ' | sed 's/ $//')"
	equal http_files_are_private 600 "$(stat -c %a "$CACHE/a.example")"
	equal http_dir_is_private 700 "$(stat -c %a "$CACHE")"
	like http_go_has_the_key_first '-----BEGIN EC PRIVATE KEY*' \
	    "$(head -1 "$CACHE/a.example")"
}

# With the server of by_http.
by_hand_while_it_runs() {
	was=$(serial)
	acme status
	equal status_0 0 "$STATUS"
	like status_says '*valid until*' "$OUT"
	acme issue
	equal issue_unchanged_2 2 "$STATUS"
	rm -f "$WORK/stop"
	python3 "$ACME" load "$PORT" a.example "$WORK/issued.pem" \
	    "$WORK/stop" >"$WORK/load.out" 2>&1 &
	load=$!
	sleep 0.5
	acme renew
	equal renew_0 0 "$STATUS"
	within 60 differs "$was" || fail renew_new_certificate "still $was"
	sleep 0.5
	: >"$WORK/stop"
	check renew_loses_no_client wait $load
	equal renew_keeps_the_account 1 "$(grep -c 'There are now 1 accounts' \
	    "$WORK/helpers.log")"
	launch_second
	stop
}

launch_second() {
	got=0
	timeout 20 "$FUGU" -c "$CONF" >"$WORK/second" 2>&1 || got=$?
	equal second_server_75 75 $got
	check second_server_says_why grep -q 'does another fugu use it' \
	    "$WORK/second"
}

again() {
	before=$(orders)
	begin || return
	check restart_has_it_at_once ready
	check restart_wss wss
	equal restart_orders_nothing "$before" "$(orders)"
	server=$PID
	helper_pid=$(acme_pid)
	kill -KILL $PID
	wait_exit 5
	check process_ends_with_the_server within 60 is_gone $helper_pid
}

# Begun by somebody who ignores the end of children.
deaf() {
	printf '#!/bin/sh\nexec env --ignore-signal=CHLD "%s" "$@"\n' \
	    "$FUGU" >"$WORK/deaf"
	chmod +x "$WORK/deaf"
	was=$FUGU
	FUGU=$WORK/deaf
	begin
	got=$?
	FUGU=$was
	return $got
}

ignored_signals() {
	sed -n 's/^SigIgn:[^0-9a-f]*/0x/p' "/proc/$1/status"
}

by_alpn() {
	fresh
	autocert ',"challenge":"tls-alpn-01"'
	deaf || return
	equal alpn_hears_of_its_process 0 $(($(ignored_signals $PID) >> 16 & 1))
	check alpn_wss_within_10_s wss b.example
	logged alpn_log_says_so 'answering the tls-alpn-01 challenge'
	stop
}

separate() {
	fresh
	autocert ',"http":true,"separate":true'
	begin || return
	check separate_a wss a.example
	check separate_b wss b.example
	check separate_two_certificates test -f "$CACHE/b.example"
	[ "$(serial a.example)" != "$(serial b.example)" ] ||
	    fail separate_serials "the same"
	stop
	# As Go's autocert has left them: no new one for both together.
	autocert ',"http":true'
	rm -f "$CACHE"/*+state
	before=$(orders)
	begin || return
	check go_cache_is_used wss b.example
	acme status
	equal go_cache_status_0 0 "$STATUS"
	acme issue
	equal go_cache_issue_2 2 "$STATUS"
	sleep 1
	equal go_cache_orders_nothing "$before" "$(orders)"
	stop
}

rsa() {
	fresh
	autocert ',"http":true,"force_rsa":true'
	begin || return
	check rsa_wss wss
	like rsa_key '*rsaEncryption*' "$(served | openssl x509 -noout -text)"
	check rsa_file test -f "$CACHE/a.example+rsa"
	stop
}

# As the web server that has the port.
serve_files() {
	helper python3 -m http.server --bind 127.0.0.1 -d "$1" "$HTTP_PORT"
	web_pid=$!
	within 60 curl -s -o /dev/null "http://127.0.0.1:$HTTP_PORT/"
}

end_files() {
	kill $web_pid
	wait $web_pid 2>/dev/null
}

by_webroot() {
	fresh
	mkdir -p "$WORK/web"
	autocert ",\"webroot\":\"$WORK/web\""
	serve_files "$WORK/web"
	begin || return
	check webroot_wss wss
	equal webroot_is_cleaned '' \
	    "$(ls "$WORK/web/.well-known/acme-challenge")"
	stop
	end_files
}

# Whoever does something by hand, the process can go on with it.
other_user() {
	if [ "$(id -u)" != 0 ]; then
		echo 'SKIP other_user: only root can be another'
		return
	fi
	umask 022
	top=$(mktemp -d)
	chmod 755 "$top"
	mkdir "$top/web"
	chown nobody "$top/web"
	CACHE=$top/new/cache
	autocert ",\"webroot\":\"$top/web\",\"user\":\"nobody\""
	serve_files "$top/web"
	acme issue
	equal user_by_hand_0 0 "$STATUS"
	equal user_by_hand_owns_all nobody \
	    "$(find "$top/web" "$CACHE" -printf '%u\n' | sort -u)"
	end_files
	autocert ',"http":true,"user":"nobody"'
	before=$(orders)
	begin || return
	check user_wss wss
	equal user_goes_on_with_it "$before" "$(orders)"
	acme renew --force
	equal user_asked_server_0 0 "$STATUS"
	like user_of_the_process '*Uid:*'"$(id -u nobody)"'*' \
	    "$(grep Uid "/proc/$(acme_pid)/status")"
	like user_no_new_privileges '*1' \
	    "$(grep NoNewPrivs "/proc/$(acme_pid)/status")"
	equal user_owns_the_files nobody \
	    "$(stat -c %U "$CACHE/acme_account+key")"
	stop
	rm -rf "$top"
	CACHE=
}

refused() {
	fresh
	# Nobody listens where pebble looks.
	keep=$HTTP_PORT
	HTTP_PORT=$(freeport)
	autocert ',"http":true,"challenge":"http-01"'
	HTTP_PORT=$keep
	before=$(orders)
	begin || return
	within 60 grep -q 'next try' "$LOG"
	logged refused_is_said 'is not validated by http-01'
	logged refused_waits 'next try in'
	check refused_not_ready ready 503
	like refused_metric '*
fugu_acme_renewal_failures 1' "$(metrics | sed '/not_after/d')"
	acme status
	equal refused_status_1 1 "$STATUS"
	like refused_status_says '*not validated by http-01*' "$OUT"
	acme issue
	equal refused_issue_keeps_the_pause 1 "$STATUS"
	like refused_issue_says '*not before*' "$OUT"
	kill -KILL "$(acme_pid)"
	logged killed_is_started_again 'it is started again'
	sleep 2
	equal refused_one_order $((before + 1)) "$(orders)"
	alive_plain
	stop
}

alive_plain() {
	check "alive" curl -sf --max-time 5 \
	    "http://127.0.0.1:$PLAIN_PORT/health"
}

# Killed at several moments, each time going on with the same order.
killed() {
	fresh
	autocert ',"http":true'
	before=$(orders)
	for pause in 0.3 0.8 1.3; do
		begin || return
		sleep $pause
		kill -KILL $PID
		wait_exit 5
	done
	begin || return
	for pause in 0.2 1; do
		sleep $pause
		kill -KILL "$(acme_pid)" 2>/dev/null
	done
	check killed_has_one_in_the_end within 60 ready
	check killed_wss wss
	# One whose answer was on the way may be lost.
	check killed_one_order test $(($(orders) - before)) -le 2
	stop
}

alone() {
	fresh
	autocert ',"http":true'
	acme status
	equal alone_status_1 1 "$STATUS"
	acme issue
	equal alone_issue_0 0 "$STATUS"
	like alone_issue_tells '*answering the http-01 challenge*' "$OUT"
	acme issue
	equal alone_issue_2 2 "$STATUS"
	acme renew
	equal alone_renew_0 0 "$STATUS"
	number=$(openssl x509 -noout -serial -in "$CACHE/a.example" |
	    sed 's/.*=//')
	acme revoke --reason=4
	equal alone_revoke_0 0 "$STATUS"
	manage=https://localhost:$MANAGE_PORT
	like alone_is_revoked '*Revoked*' "$(curl -s --cacert \
	    "$WORK/root.pem" "$manage/cert-status-by-serial/$number")"
	acme status
	equal alone_revoked_status_1 1 "$STATUS"
	acme revoke
	equal alone_nothing_to_revoke_1 1 "$STATUS"
	acme check
	like check_directory '*ok   '"$CACHE"': is writable*' "$OUT"
	like check_authority '*ok   '"$DIRECTORY"': answers*' "$OUT"
	like check_name '*FAIL a.example: *' "$OUT"
	equal check_1 1 "$STATUS"
	acme nonsense
	equal usage_64 64 "$STATUS"
}

holds_the_lock() {
	grep -q "WRITE $1 " /proc/locks
}

# Two at once, by hand: the second one leaves the first alone.
two_by_hand() {
	fresh
	autocert ',"http":true'
	kill -STOP $PEBBLE
	"$FUGU" acme issue -c "$CONF" >"$WORK/first" 2>&1 &
	first=$!
	check two_first_is_at_it within 60 holds_the_lock $first
	acme renew
	equal two_second_fails_1 1 "$STATUS"
	like two_second_says_why '*another process is at work*' "$OUT"
	kill -CONT $PEBBLE
	check two_first_goes_on wait $first
}

# Another authority at the same place: it knows neither the account nor what
# was issued; and it takes its time.
new_authority() {
	fresh
	autocert ',"http":true'
	begin || return
	check new_before_wss wss
	was=$(serial)
	cp "$WORK/issued.pem" "$WORK/issued.old"
	pebble_down
	acme renew
	equal new_gone_1 1 "$STATUS"
	equal new_gone_keeps_the_old "$was" "$(serial)"
	pebble_up PEBBLE_VA_NOSLEEP=0 PEBBLE_VA_SLEEPTIME=5
	check new_roots fails cmp "$WORK/issued.pem" "$WORK/issued.old"
	check new_first_the_old_serves python3 "$ACME" wss "$PORT" a.example \
	    "$WORK/issued.old" 10
	acme renew --force
	equal new_renews_0 0 "$STATUS"
	logged new_says_so 'the CA does not know the account any more'
	check new_wss wss
	equal new_one_account 1 "$(grep -c 'now [0-9]* accounts' \
	    "$WORK/helpers.log")"
	equal new_one_order 1 "$(orders)"
	stop
}

unwritable() {
	CACHE=/dev/null/cache
	autocert ',"http":true'
	CACHE=
	got=0
	timeout 20 "$FUGU" -c "$CONF" >"$WORK/out" 2>&1 || got=$?
	equal unwritable_73 73 $got
	check unwritable_says_why grep -q 'can.t be made: Not a directory' \
	    "$WORK/out"
}

bound() {
	MORE=',"externalAccountMACKeys":{"kid-1":
	"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}'
	MORE=$(printf %s "$MORE" | tr -d '\n\t')
	pebble_up
	sed -i 's/Required":false/Required":true/' "$WORK/pebble.json"
	pebble_down
	helper pebble-challtestsrv -defaultIPv6 '' -dns01 \
	    "127.0.0.1:$DNS_PORT" -http01 '' -https01 '' -tlsalpn01 '' \
	    -management "127.0.0.1:$CHALL_PORT"
	helper env PEBBLE_VA_NOSLEEP=1 pebble -config "$WORK/pebble.json" \
	    -dnsserver "127.0.0.1:$DNS_PORT"
	within 60 curl -sf --cacert "$WORK/root.pem" "$DIRECTORY"
	fresh
	autocert ',"http":true'
	acme issue
	equal eab_missing_1 1 "$STATUS"
	like eab_missing_says '*set tls_autocert.eab_kid*' "$OUT"
	autocert ',"http":true,"eab_kid":"kid-1","eab_hmac_key":"d3Jvbmc"'
	acme issue --force
	equal eab_wrong_1 1 "$STATUS"
	autocert ',"http":true,"eab_kid":"kid-1","eab_hmac_key":
	"zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"'
	acme issue --force
	equal eab_right_0 0 "$STATUS"
}

certs
pebble_up PEBBLE_WFE_NONCEREJECT=50
by_http
by_hand_while_it_runs
again
by_alpn
separate
rsa
other_user
killed
alone
refused
unwritable
by_webroot
two_by_hand
new_authority
pebble_down
bound
done_testing
