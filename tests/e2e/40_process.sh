#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The process: how it starts or refuses to, what signals do, where its
# configuration comes from, and its commands.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing

base='"http_server":{"address":"127.0.0.1","port":@PORT@},
	"health":{"enabled":true}'

# code NAME WANTED COMMAND...: run to the end within 20 s, output in $OUT.
code() {
	name=$1 wanted=$2
	shift 2
	got=0
	timeout 20 "$@" >"$WORK/out" 2>&1 </dev/null || got=$?
	OUT=$(cat "$WORK/out")
	if [ "$got" = "$wanted" ]; then
		pass "$name"
	else
		fail "$name" "exit status $got, not $wanted: $OUT"
	fi
}

# said NAME PATTERN: what the last command printed.
said() {
	like "$1" "*$2*" "$OUT"
}

answers() {
	curl -s --max-time 15 -o /dev/null -w '%{http_code}' \
	    "http://127.0.0.1:${2:-$PORT}$1"
}

fresh() {
	PORT=$(freeport)
	config "$1"
}

bad_config() {
	fresh '{
	"http_server": {
		"port": @PORT@,
		"adress": "127.0.0.1"
	}
}'
	code unknown_key_78 78 "$FUGU" -c "$CONF"
	said unknown_key_names_the_line "config.json:4"
	said unknown_key_names_the_key "http_server.adress"
	said unknown_key_names_the_nearest "http_server.address"
	equal unknown_key_nothing_listens 000 "$(answers /health)"

	fresh '{
	"http_server": {"port": "http"}}'
	code wrong_type_78 78 "$FUGU" -c "$CONF"
	said wrong_type_names_place "config.json:2"
	said wrong_type_names_key "http_server.port"

	fresh '{"http_server": {"port": 70000}}'
	code out_of_range_78 78 "$FUGU" -c "$CONF"
	said out_of_range_names_key "http_server.port"

	fresh '{"engine": {
		"type": "redis"}}'
	code not_built_yet_78 78 "$FUGU" -c "$CONF"
	said not_built_yet_names_place "config.json:2"
	said not_built_yet_names_key "engine.type"
	said not_built_yet_says_so "not supported yet"

	fresh '{"http_server": {"port": @PORT@},}'
	code not_json_78 78 "$FUGU" -c "$CONF"
	said not_json_names_place "config.json:1"

	fresh '{"client":{"ping_interval":"5s","pong_timeout":"6s"}}'
	code pong_timeout_over_ping_interval_78 78 "$FUGU" -c "$CONF"
	said pong_timeout_is_named "pong_timeout"

	code file_missing_66 66 "$FUGU" -c "$WORK/none.json"
	said file_missing_is_named "none.json"

	fresh '{"client":{"token":{"hmac_secret_key":"tell-nobody",
		"audience":{}}}}'
	code wrong_type_beside_a_secret_78 78 "$FUGU" -c "$CONF"
	case $OUT in
	*tell-nobody*) fail secret_is_not_printed "$OUT" ;;
	*) pass secret_is_not_printed ;;
	esac

	fresh "{$base}"
	code unknown_flag_64 64 "$FUGU" -c "$CONF" --no.such.flag=1
	code unknown_command_64 64 "$FUGU" nosuchcommand
	code bad_flag_value_78 78 "$FUGU" -c "$CONF" --http_server.port=x
	said bad_flag_is_named "http_server.port"
	code bad_env_value_78 78 env CENTRIFUGO_HTTP_SERVER_PORT=x \
	    "$FUGU" -c "$CONF"
	said bad_env_is_named "CENTRIFUGO_HTTP_SERVER_PORT"
}

addresses() {
	fresh "{$base}"
	start || return
	first=$PID
	code address_in_use_75 75 "$FUGU" -c "$CONF" --workers="$N"
	said address_in_use_says_where "127.0.0.1:$PORT"
	said address_in_use_says_what "[Aa]ddress already in use"
	alive "the first server is not disturbed"

	used=$PORT
	fresh '{"http_server":{"address":"127.0.0.1","port":@PORT@,
	    "internal_port":"'"$used"'"},"health":{"enabled":true}}'
	code never_half_75 75 "$FUGU" -c "$CONF" --workers="$N"
	equal never_half_nothing_listens 000 "$(answers /health)"
	said never_half_says_where "127.0.0.1:$used"
	PORT=$used PID=$first
	stop

	fresh '{"http_server":{"address":"192.0.2.1","port":@PORT@}}'
	code address_not_ours_78 78 "$FUGU" -c "$CONF" --workers="$N"
	said address_not_ours_is_named "192.0.2.1:$PORT"

	fresh '{"http_server":{"address":"::1","port":@PORT@},
	    "health":{"enabled":true}}'
	launch -c "$CONF" --workers="$N"
	if [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; then
		check ipv6 until_true curl -sf --max-time 5 -o /dev/null \
		    "http://[::1]:$PORT/health"
	fi
	stop
}

# As a user who may not: a low port, a pid file in root's directory.
unprivileged() {
	[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || return
	[ "$(sysctl -n net.ipv4.ip_unprivileged_port_start)" -gt 80 ] || return
	mkdir -p "$WORK/nobody" "$WORK/roots"
	chmod 755 "$WORK" "$WORK/nobody"
	cp "$FUGU" "$WORK/nobody/server"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups
	    $WORK/nobody/server --http_server.address=127.0.0.1"
	if ! $as_nobody --version >/dev/null 2>&1; then
		return	# the way to $WORK is closed to others
	fi
	code low_port_77 77 $as_nobody --http_server.port=79
	said low_port_says_what_helps CAP_NET_BIND_SERVICE
	PORT=$(freeport)
	code pid_file_not_writable_73 73 $as_nobody \
	    --http_server.port="$PORT" --pid_file="$WORK/roots/pid"
	said pid_file_is_named "$WORK/roots/pid"
	equal pid_file_not_writable_nothing_listens 000 "$(answers /health)"
}

precedence() {
	fresh '{"http_server":{"address":"127.0.0.1","port":1},
	    "health":{"enabled":true}}'
	real=$PORT
	export CENTRIFUGO_HTTP_SERVER_PORT=$real
	launch -c "$CONF" --workers="$N"
	wait_ready "$real" && pass env_wins_over_file && stop

	CENTRIFUGO_HTTP_SERVER_PORT=1
	export FUGU_HTTP_SERVER_PORT=$real
	launch -c "$CONF" --workers="$N"
	wait_ready "$real" && pass fugu_env_wins_over_centrifugo_env && stop

	FUGU_HTTP_SERVER_PORT=1
	launch -c "$CONF" --workers="$N" --http_server.port="$real"
	wait_ready "$real" && pass flag_wins_over_env && stop

	unset FUGU_HTTP_SERVER_PORT CENTRIFUGO_HTTP_SERVER_PORT
	launch -c "$CONF" --workers "$N" -p "$real" -a 127.0.0.1
	wait_ready "$real" && pass short_flags && stop

	mkdir -p "$WORK/dir"
	(cd "$WORK/dir" && echo "{$base,\"http_api\":{\"key\":\"k\"}}" |
	    sed "s/@PORT@/$real/" >config.json)
	here=$(pwd)
	bin=$(cd "$(dirname "$FUGU")" && pwd)/${FUGU##*/}
	cd "$WORK/dir" || exit 1
	LOG=$WORK/log.dir
	"$bin" --workers="$N" >"$LOG" 2>&1 </dev/null &
	PID=$!
	cd "$here" || exit 1
	wait_ready "$real" && pass config_json_of_the_working_directory && stop

	LOG=$WORK/log.stdin
	echo "{$base}" | sed "s/@PORT@/$real/" >"$WORK/stdin"
	"$FUGU" -c - --workers="$N" >"$LOG" 2>&1 <"$WORK/stdin" &
	PID=$!
	wait_ready "$real" && pass config_from_standard_input && stop

	# The variable names as an operator of the other server has them.
	fresh '{}'
	launch -c /dev/null --workers="$N" && wait_exit 20
	like dev_null_is_no_json '[1-9]*' "$STATUS"
	fresh '{}'
	export CENTRIFUGO_HTTP_SERVER_PORT=$PORT CENTRIFUGO_HTTP_API_KEY=k \
	    CENTRIFUGO_HEALTH_ENABLED=1 \
	    CENTRIFUGO_CLIENT_ALLOWED_ORIGINS='http://a http://b' \
	    CENTRIFUGO_CHANNEL_NAMESPACES='[{"name":"ns"}]'
	launch -c "$CONF" --workers="$N"
	if wait_ready; then
		equal env_makes_a_whole_configuration '{"result":{}}' \
		    "$(curl -s -H 'X-API-Key: k' -d \
		    '{"channel":"ns:x","data":1}' \
		    "http://127.0.0.1:$PORT/api/publish")"
		stop
	fi
	unset CENTRIFUGO_HTTP_SERVER_PORT CENTRIFUGO_HTTP_API_KEY \
	    CENTRIFUGO_HEALTH_ENABLED CENTRIFUGO_CLIENT_ALLOWED_ORIGINS \
	    CENTRIFUGO_CHANNEL_NAMESPACES
}

signals() {
	fresh "{$base,\"http_api\":{\"key\":\"one\"},
	    \"pid_file\":\"$WORK/pid\"}"
	start || return
	equal pid_file "$PID" "$(tr -d '\n' <"$WORK/pid")"
	other=$(freeport)
	code pid_file_of_a_running_server_75 75 "$FUGU" -c "$CONF" \
	    --http_server.port="$other"
	said pid_file_holder_is_named "$PID"
	equal pid_file_nothing_listens 000 "$(answers /health "$other")"

	kill -USR2 "$PID"
	logged sigusr2_summary summary
	kill -USR1 "$PID"
	kill -PIPE "$PID"
	alive "alive after SIGUSR1, SIGUSR2 and SIGPIPE"
	stop
	if [ -e "$WORK/pid" ]; then
		fail pid_file_is_removed "still there"
	else
		pass pid_file_is_removed
	fi

	for signal in INT QUIT; do
		start || return
		kill -$signal "$PID"
		wait_exit 30
		equal "sig${signal}_exits_0" 0 "$STATUS"
	done
}

log_file() {
	fresh "{$base,\"log\":{\"file\":\"$WORK/fugu.log\",
	    \"format\":\"json\"}}"
	rm -f "$WORK/fugu.log"
	start || return
	kill -USR2 "$PID"
	LOG=$WORK/fugu.log
	logged log_file summary
	mv "$WORK/fugu.log" "$WORK/fugu.log.1"
	kill -USR1 "$PID"
	until_true test -e "$WORK/fugu.log"
	kill -USR2 "$PID"
	logged sigusr1_reopens_the_log summary
	stop
	equal log_is_json_all_over 0 "$(cat "$WORK/fugu.log.1" \
	    "$WORK/fugu.log" | grep -cv '^{"time":.*}$')"
}

commands() {
	for flag in version --version -v; do
		code "version <$flag>" 0 "$FUGU" $flag
		like "version_text <$flag>" 'fugu [0-9]*' "$OUT"
	done
	for flag in --help -h; do
		code "help <$flag>" 0 "$FUGU" $flag
		said "help_has_commands <$flag>" gentoken
		said "help_has_options <$flag>" --http_server.port
	done

	rm -f "$WORK/gen.json"
	code genconfig 0 "$FUGU" genconfig -c "$WORK/gen.json"
	equal genconfig_mode 600 "$(stat -c %a "$WORK/gen.json")"
	cp "$WORK/gen.json" "$WORK/gen2.json"
	code genconfig_does_not_overwrite 73 "$FUGU" genconfig \
	    -c "$WORK/gen.json"
	check genconfig_left_it_alone cmp "$WORK/gen.json" "$WORK/gen2.json"
	code checkconfig 0 "$FUGU" checkconfig -c "$WORK/gen.json"
	code test_flag 0 "$FUGU" -t -c "$WORK/gen.json"
	rm "$WORK/gen2.json"
	code genconfig_again 0 "$FUGU" genconfig -c "$WORK/gen2.json"
	if cmp -s "$WORK/gen.json" "$WORK/gen2.json"; then
		fail genconfig_secrets_are_fresh "twice the same"
	else
		pass genconfig_secrets_are_fresh
	fi
	echo '{"nonsense":1}' >"$WORK/bad.json"
	code checkconfig_bad_78 78 "$FUGU" checkconfig -c "$WORK/bad.json"
	said checkconfig_names_the_key nonsense
	code test_flag_bad_78 78 "$FUGU" -t -c "$WORK/bad.json"

	rm -f "$WORK/default.json"
	code defaultconfig 0 "$FUGU" defaultconfig -c "$WORK/default.json"
	code defaultconfig_is_good 0 "$FUGU" checkconfig \
	    -c "$WORK/default.json"
	said_port=$(grep -c '"port": *8000' "$WORK/default.json")
	equal defaultconfig_has_the_port 1 "$said_port"
	code defaultenv 0 "$FUGU" defaultenv
	said defaultenv_has_the_port HTTP_SERVER_PORT=
	code configdoc 0 "$FUGU" configdoc
	said configdoc_has_the_port http_server.port

	code gentoken 0 "$FUGU" gentoken -c "$WORK/gen.json" -u ann -q
	token=$OUT
	like gentoken_quiet '*.*.*' "$token"
	code checktoken 0 "$FUGU" checktoken -c "$WORK/gen.json" "$token"
	said checktoken_shows_the_user ann
	code gentoken_without_end 0 "$FUGU" gentoken -c "$WORK/gen.json" \
	    -u ann -t -1 -q
	payload=$(echo "$OUT" | cut -d. -f2 | tr '_-' '/+')
	payload=$(echo "$payload==" | base64 -d 2>/dev/null)
	like gentoken_without_end_has_no_exp '*"sub":"ann"*' "$payload"
	case $payload in
	*exp*) fail gentoken_without_exp "$payload" ;;
	*) pass gentoken_without_exp ;;
	esac
	"$FUGU" checktoken -c "$WORK/gen2.json" "$token" \
	    >"$WORK/out" 2>&1 </dev/null
	like checktoken_of_another_secret '[1-9]*' "$?"
	"$FUGU" checktoken -c "$WORK/gen.json" "${token%?????}AAAAA" \
	    >"$WORK/out" 2>&1 </dev/null
	like checktoken_tampered '[1-9]*' "$?"
}

# What genconfig writes must start, and its token connect.
generated() {
	PORT=$(freeport)
	launch -c "$WORK/gen.json" --workers="$N" --health.enabled \
	    --http_server.address=127.0.0.1 --http_server.port="$PORT"
	wait_ready && pass generated_config_starts && stop
}

bad_config
commands
unprivileged
for N in $WORKERS; do
	SUFFIX=" [$N]"
	addresses
	precedence
	signals
	log_file
	generated
done
done_testing
