# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# What the end-to-end tests written in sh share; sourced, not run.
#
# Environment:
#	FUGU		the server's binary (default: ./fugu)
#	WORK		an empty directory (default: a fresh one)
#	PORTS		a directory that tests running side by side share, so
#			that none takes the port of another (default: in WORK)
#	WORKERS		numbers of workers to test with (default: "1 2 4")
#	NODE_PATH	directory with the npm packages
#	SERVER_KIND	anything but "fugu": FUGU is another server of the same
#			protocol; --workers is not passed, cases about fugu
#			alone are left out
#	E2E_TLS		1: all over TLS, with a certificate made for the run
#
# Functions:
#	pass NAME, fail NAME WHY	print one result
#	check NAME COMMAND...		pass if the command succeeds
#	equal NAME WANTED GOT		pass if they are the same
#	like NAME PATTERN GOT		pass if the glob matches
#	logged NAME TEXT		pass if the server's log has TEXT
#	freeport			print a port that nobody has, or has
#				been given before
#	until_true COMMAND...		wait until it succeeds, 20 s at most
#	config JSON			write JSON to $CONF; @PORT@ is $PORT
#	start [ARGS]			start FUGU on $CONF, wait for /health:
#					sets PID, LOG
#	launch ARGS			start FUGU with ARGS only, do not wait
#	wait_ready [PORT]		wait for /health
#	wait_exit [SECONDS]		wait until PID is gone: sets STATUS
#	stop				SIGTERM, which must give exit status 0
#	alive NAME			pass if the server is well
#	done_testing			exit, with 1 if anything failed
#	run_node NAME			run NAME.mjs of this directory
#
# Nothing here kills by name: every process is ended by the id it was
# started with.

HERE=$(cd "$(dirname "$0")" && pwd)
: "${FUGU:=$HERE/../../fugu}" "${WORKERS:=1 2 4}" "${SERVER_KIND:=fugu}"
WORK=${WORK:-$(mktemp -d)}
PORTS=${PORTS:-$WORK/ports}
mkdir -p "$PORTS"
CONF=$WORK/config.json
LOG=$WORK/log
FAILED=0
PID=
SERIAL=0
export FUGU WORK PORTS WORKERS SERVER_KIND
SCHEME=http

pass() {
	echo "PASS $1${SUFFIX-}"
}

fail() {
	echo "FAIL $1${SUFFIX-}: $2"
	FAILED=1
}

check() {
	name=$1
	shift
	if "$@" >"$WORK/check.out" 2>&1; then
		pass "$name"
	else
		fail "$name" "$* gave $(tr '\n' ' ' <"$WORK/check.out")"
	fi
}

equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "wanted <$2>, got <$3>"
	fi
}

like() {
	case $3 in
	$2) pass "$1" ;;
	*) fail "$1" "wanted something like <$2>, got <$3>" ;;
	esac
}

until_true() {
	tries=200
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

logged() {
	if until_true grep -qF -- "$2" "$LOG"; then
		pass "$1"
	else
		fail "$1" "no <$2> in the log: $(tail -n 5 "$LOG" |
		    tr '\n' '|')"
	fi
}

listening() {
	curl -s -o /dev/null --max-time 2 "$SCHEME://127.0.0.1:$1/"
	[ $? -ne 7 ]
}

# Below the ports that the system hands out by itself.
freeport() {
	while :; do
		set -- $(od -An -N2 -tu2 /dev/urandom)
		set -- $((10000 + $1 % 22000))
		mkdir "$PORTS/$1" 2>/dev/null || continue
		listening "$1" || break
	done
	echo "$1"
}

config() {
	PORT=${PORT:-$(freeport)}
	printf '%s\n' "$1" | sed "s/@PORT@/$PORT/g" >"$CONF"
}

launch() {
	SERIAL=$((SERIAL + 1))
	LOG=$WORK/log.$SERIAL
	"$FUGU" "$@" >>"$LOG" 2>&1 </dev/null &
	PID=$!
}

wait_ready() {
	n=0
	until curl -sf -o /dev/null --max-time 2 \
	    "$SCHEME://127.0.0.1:${1:-$PORT}/health"; do
		n=$((n + 1))
		if [ $n -gt 200 ] || ! kill -0 "$PID" 2>/dev/null; then
			fail "server starts" "$(tail -n 5 "$LOG" | tr '\n' '|')"
			return 1
		fi
		sleep 0.05
	done
}

start() {
	if [ "$SERVER_KIND" = fugu ]; then
		set -- --workers="${N:-1}" "$@"
	fi
	launch -c "$CONF" "$@"
	wait_ready
}

wait_exit() {
	n=0
	while kill -0 "$PID" 2>/dev/null; do
		n=$((n + 1))
		if [ $n -gt $((${1:-10} * 20)) ]; then
			STATUS=running
			return 1
		fi
		sleep 0.05
	done
	STATUS=0
	wait "$PID" || STATUS=$?
	PID=
}

end() {
	[ -z "$PID" ] || kill -KILL "$PID" 2>/dev/null
	PID=
}

stop() {
	kill -TERM "$PID"
	if wait_exit 30; then
		equal "server stops with 0" 0 "$STATUS"
	else
		fail "server stops" "still there after 30 s"
		end
	fi
}

alive() {
	check "$1" curl -sf --max-time 15 "$SCHEME://127.0.0.1:$PORT/health"
}

done_testing() {
	exit $FAILED
}

run_node() {
	exec node "$HERE/$1.mjs"
}

# The server is told by its environment, which a configuration file need not
# know of; so are curl and node whom to trust.
over_tls() {
	. "$HERE/pki.sh"
	ca "test CA"
	issue server "test CA" IP:127.0.0.1,DNS:localhost
	export CURL_CA_BUNDLE="$PKI/test CA.pem" \
	    NODE_EXTRA_CA_CERTS="$PKI/test CA.pem" \
	    FUGU_HTTP_SERVER_TLS_ENABLED=true \
	    FUGU_HTTP_SERVER_TLS_CERT_PEM="$PKI/server.pem" \
	    FUGU_HTTP_SERVER_TLS_KEY_PEM="$PKI/server.key"
	SCHEME=https
}

trap end EXIT
[ "${E2E_TLS:-0}" = 0 ] || over_tls
