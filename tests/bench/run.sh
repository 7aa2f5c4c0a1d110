#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The benchmark: fugu beside the yardstick (yardstick.c) and nginx with the
# nchan module, each pinned to CPU 0 and the load generator to CPU 1. Every
# figure is taken from all servers in turn, three rounds of that, so that a
# machine that grows slower or faster hits all of them alike; the table
# (table.awk) has the medians, and the medians of the ratios within a round.
#
# The scenes about channels that keep something (measure_channels) are of
# fugu alone, each with a server that has just begun where memory counts. TLS
# is in tls.sh, the other ways in are in ways.sh.
#
# BENCH_QUICK=1  one short round instead of three (5 minutes at most)
# BENCH_ONLY=...  only these sections, of: servers channels tls ways
# FUGU=path      the binary to measure (./fugu)
# CENTRIFUGO=path  a Centrifugo v6 binary to measure beside it
# WORK=dir       where bench.txt, the table, is left (build)
#
# It exits 1 if a server lost, doubled or reordered a message or died.
set -u

here=$(dirname "$0")
fugu=${FUGU:-./fugu}
out=${WORK:-build}
conns=10000
if [ -n "${BENCH_QUICK:-}" ]; then
	rounds=1 secs=2 warm=0.5 idle=25 flood=1.5 starts=3
	pairs=3 pair_secs=1 churn=1 shake=1.5
else
	rounds=3 secs=5 warm=1 idle=50 flood=3 starts=5
	pairs=7 pair_secs=3 churn=3 shake=4
fi
only=${BENCH_ONLY:-servers channels tls ways}
enough=480	# seconds, after which no round begins
key=bench
pids=''
failed=0
made=''		# set if /var/lib/nginx is ours to remove

say() {
	now=$(date +%s)
	printf '[%3d s] %s\n' $((now - began)) "$*" >&2
}

die() {
	echo "bench: $*" >&2
	exit 1
}

cleanup() {
	for p in $pids; do
		kill "$p" 2>/dev/null
	done
	for p in $pids; do
		wait "$p" 2>/dev/null
	done
	[ -z "$made" ] || rm -rf /var/lib/nginx
	rm -rf "$tmp"
}

build() {
	flags='-std=c11 -O2 -Wall -Wextra -D_GNU_SOURCE'
	# shellcheck disable=SC2086
	${CC:-cc} $flags -o "$tmp/load" "$here/load.c" "$here/conn.c" \
	    "$here/ws.c" "$here/stream.c" "$here/msg.c" "$here/tls.c" \
	    "$here/sub.c" "$here/pub.c" "$here/hist.c" "$here/proc.c" \
	    "$here/storm.c" "$here/churn.c" "$here/keep.c" \
	    -lssl -lcrypto -lz &&
	${CC:-cc} $flags -I"$here/../.." -isystem /usr/include/bsd \
	    -DLIBBSD_OVERLAY -o "$tmp/delta" "$here/delta.c" \
	    "$here/../../hub/delta.c" "$here/../../util/buf.c" &&
	${CC:-cc} $flags -o "$tmp/yardstick" "$here/yardstick.c" &&
	${CC:-cc} $flags -o "$tmp/start" "$here/start.c" ||
	    die 'the tools do not compile'
}

# nginx and its module: those of the system, or else Debian's packages
# unpacked into the scratch directory, where they enable no service.
find_nginx() {
	nginx=$(command -v nginx || echo /usr/sbin/nginx)
	nchan=/usr/lib/nginx/modules/ngx_nchan_module.so
	[ -x "$nginx" ] && [ -r $nchan ] && return 0
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	say 'fetching nginx and nchan (apt-get)'
	mkdir -p "$tmp/deb/partial"
	fetch_nginx || { apt-get -qq update && fetch_nginx; } || return 1
	for deb in "$tmp"/deb/*.deb; do
		dpkg -x "$deb" "$tmp/root" || return 1
	done
	LD_LIBRARY_PATH=$tmp/root/usr/lib/$(uname -m)-linux-gnu
	export LD_LIBRARY_PATH
	nginx=$tmp/root/usr/sbin/nginx
	nchan=$tmp/root$nchan
	# with nchan it makes its default directories, configured or not
	[ -d /var/lib/nginx ] || { mkdir /var/lib/nginx && made=y; }
	[ -x "$nginx" ] && [ -r "$nchan" ]
}

fetch_nginx() {
	apt-get -qq -y --no-install-recommends --download-only \
	    -o Dir::Cache::archives="$tmp/deb" \
	    install nginx libnginx-mod-nchan >"$tmp/apt.log" 2>&1
}

# fugu_config [MORE [CLIENT [HTTP]]]: more options, each with a comma behind,
# of the whole, of client and of http_server.
fugu_config() {
	cat <<-END
	{
	  ${1:-}
	  "log": { "level": "warn" },
	  "http_server": { ${3:-} "address": "127.0.0.1" },
	  "http_api": { "key": "$key" },
	  "client": {
	    ${2:-}
	    "allowed_origins": ["*"],
	    "allow_anonymous_connect_without_token": true
	  },
	  "channel": {
	    "without_namespace": {
	      "allow_subscribe_for_client": true,
	      "allow_subscribe_for_anonymous": true
	    }
	  }
	}
	END
}

# pl: keeps nothing, hi: a history, ex: one that soon expires.
write_channels_config() {
	cat >"$tmp/chan.json" <<-END
	{
	  "log": { "level": "warn" },
	  "http_server": { "address": "127.0.0.1" },
	  "http_api": { "key": "$key" },
	  "client": {
	    "allowed_origins": ["*"],
	    "allow_anonymous_connect_without_token": true,
	    "channel_limit": 10000
	  },
	  "channel": {
	    "namespaces": [
	      {
	        "name": "pl",
	        "allow_subscribe_for_client": true,
	        "allow_subscribe_for_anonymous": true
	      },
	      {
	        "name": "hi",
	        "allow_subscribe_for_client": true,
	        "allow_subscribe_for_anonymous": true,
	        "history_size": 100,
	        "history_ttl": "600s",
	        "force_positioning": true,
	        "force_recovery": true
	      },
	      {
	        "name": "ex",
	        "history_size": 10,
	        "history_ttl": "1s",
	        "history_meta_ttl": "1s"
	      }
	    ]
	  }
	}
	END
}

# nginx_config NAME MORE LISTEN...: with nchan, and more of its settings.
nginx_config() {
	nginx_head "$1"
	more=$2
	shift 2
	cat <<-END
	  $more
	  nchan_store_messages off;
	  server {
	    $(printf 'listen 127.0.0.1:%s backlog=4096;\n' "$@")
	    location ~ ^/sub/(\\w+)\$ {
	      nchan_subscriber websocket;
	      nchan_subscriber_first_message newest;
	      nchan_websocket_ping_interval 25;
	      nchan_channel_id \$1;
	    }
	    location ~ ^/pub/(\\w+)\$ {
	      nchan_publisher http;
	      nchan_channel_id \$1;
	    }
	  }
	}
	END
}

nginx_head() {
	cat <<-END
	load_module $nchan;
	daemon off;
	worker_processes 1;
	pid $tmp/$1.pid;
	error_log $tmp/$1.nginx.log warn;
	events { worker_connections $((conns + 1000)); }
	http {
	  access_log off;
	  keepalive_requests 1000000000;
	  keepalive_timeout 1h;
	  client_body_temp_path $tmp/$1.1;
	  proxy_temp_path $tmp/$1.2;
	  fastcgi_temp_path $tmp/$1.3;
	  uwsgi_temp_path $tmp/$1.4;
	  scgi_temp_path $tmp/$1.5;
	END
}

# run NAME PORT PREFIX...: become that server, behind the prefix command.
run() {
	name=$1 port=$2
	shift 2
	case $name in
	yardstick)
		exec "$@" "$tmp/yardstick" -i 25 "$port" ;;
	nchan)
		nginx_config nchan '' "$port" >"$tmp/nchan.conf"
		exec "$@" "$nginx" -e "$tmp/nginx.log" -c "$tmp/nchan.conf" ;;
	fugu)
		exec "$@" "$fugu" -c "$tmp/fugu.json" \
		    --http_server.port="$port" --workers=1 ;;
	fugu2)
		exec "$@" "$fugu" -c "$tmp/fugu.json" \
		    --http_server.port="$port" --workers=2 ;;
	chan)
		exec "$@" "$fugu" -c "$tmp/chan.json" \
		    --http_server.port="$port" --workers=1 ;;
	ways)
		exec "$@" "$fugu" -c "$tmp/ways.json" \
		    --http_server.port="$port" --workers=1 ;;
	front)
		front_config "$port" >"$tmp/front.conf"
		exec "$@" "$nginx" -e "$tmp/nginx.log" -c "$tmp/front.conf" ;;
	tlsfugu)
		exec "$@" "$fugu" -c "$tmp/tls.json" --workers=1 \
		    --http_server.port="$port" \
		    --http_server.internal_port="$(cat "$tmp/$name.api")" ;;
	tlsnchan)
		tls_nginx_config "$port" >"$tmp/tlsnchan.conf"
		exec "$@" "$nginx" -e "$tmp/nginx.log" \
		    -c "$tmp/tlsnchan.conf" ;;
	centrifugo)
		exec "$@" "$CENTRIFUGO" -c "$tmp/fugu.json" \
		    --http_server.port="$port" ;;
	esac
}

# up NAME PREFIX...: start it, wait for it, remember its port and processes.
up() {
	server=$1
	shift
	"$tmp/start" >"$tmp/$server.port"
	case $server in
	tls*) "$tmp/start" >"$tmp/$server.api" ;;
	esac
	run "$server" "$(cat "$tmp/$server.port")" "$@" \
	    >"$tmp/$server.log" 2>&1 &
	pid=$!
	pids="$pids $pid"
	"$tmp/start" "$(cat "$tmp/$server.port")" || {
		cat "$tmp/$server.log" >&2
		die "$server does not start"
	}
	sleep 0.3
	echo "$pid $(cat "/proc/$pid/task/$pid/children" 2>/dev/null)" \
	    >"$tmp/$server.pids"
}

down() {
	read -r pid _ <"$tmp/$1.pids"
	kill "$pid"
	wait "$pid" 2>/dev/null
}

# Wait until a server has done away with the connections of the last run.
settle() {
	for p in $(cat "$tmp/$1.pids"); do
		i=0
		while [ "$(find "/proc/$p/fd" 2>/dev/null | wc -l)" -gt 200 ] &&
		    [ $i -lt 50 ]; do
			sleep 0.2
			i=$((i + 1))
		done
	done
	sleep 0.3
}

# load SERVER ARG...: the load generator's command line for that server.
load() {
	server=$1
	shift
	case $server in
	yardstick | nchan) set -- -p "$@" ;;
	front) set -- -A "$(cat "$tmp/ways.port")" "$@" ;;
	tlsfugu) set -- -T -A "$(cat "$tmp/$server.api")" "$@" ;;
	tlsnchan) set -- -p -T -A "$(cat "$tmp/$server.api")" "$@" ;;
	esac
	for p in $(cat "$tmp/$server.pids"); do
		set -- -P "$p" "$@"
	done
	# shellcheck disable=SC2086
	exec $pin_load "$tmp/load" -a "$(cat "$tmp/$server.port")" -k $key "$@"
}

# measure SCENE SERVER ROUND ARG...: one line of results for each figure.
measure() {
	scene=$1 server=$2 round=$3
	shift 3
	say "round $round of $rounds: $scene: $server"
	if (load "$server" "$@") >"$tmp/figures" 2>"$tmp/errors"; then
		record "$scene" "$server" "$round"
	else
		echo "bench: $scene: $server FAILED: $(cat "$tmp/errors")" >&2
		failed=1
	fi
	settle "$server"
}

record() {
	sed "s/\([^ ]*\) \(.*\)/$1.\1 $2 $3 \2/" "$tmp/figures" >>"$tmp/results"
}

# Rates that keep the yardstick's core a third busy.
calibrate() {
	(load yardstick -n 1000 -r 20 -t 1 -w 0.2) >"$tmp/figures" ||
	    die 'the yardstick fails'
	settle yardstick
	eval "$(awk -v n=$conns '$1 == "deliver_cpu_us" {
	    printf "rate1=%.1f rate2=%.2f rate3=%.0f\n", .33e6 / $2 / 1000,
	    .33e6 / $2 / n, .33e6 / $2 / (n / 1000) / 2 }' "$tmp/figures")"
	cat >>"$tmp/results" <<-END
	fan1k.rate - 0 $rate1
	fan10k.rate - 0 $rate2
	chan1k.rate - 0 $rate3
	END
}

# All sit idle side by side, through the same noise: opened one after
# the other for the memory, then told together to begin.
measure_idle() {
	for s in $servers; do
		say "$conns idle connections: $s"
		: >"$tmp/$s.idle"
		load "$s" -n $conns -i $idle >"$tmp/$s.idle" 2>"$tmp/$s.err" &
		echo $! >"$tmp/$s.idler"
		pids="$pids $!"
		while ! grep -q '^open' "$tmp/$s.idle" && kill -0 $! 2>/dev/null
		do
			sleep 0.2
		done
	done
	say "idle for $idle s: all together"
	for s in $servers; do
		kill -USR1 "$(cat "$tmp/$s.idler")" 2>/dev/null
	done
	for s in $servers; do
		if wait "$(cat "$tmp/$s.idler")"; then
			cp "$tmp/$s.idle" "$tmp/figures"
			record idle "$s" 0
		else
			echo "bench: idle: $s FAILED: $(cat "$tmp/$s.err")" >&2
			failed=1
		fi
		settle "$s"
	done
}

measure_start() {
	for r in $(seq $starts); do
		for s in $servers; do
			port=$("$tmp/start")
			(run "$s" "$port" "$tmp/start" "$port") \
			    >"$tmp/figures" 2>"$tmp/errors" &&
			    record start "$s" "$r"
		done
	done
}

# Bytes of the stripped files.
size_of() {
	server=$1
	shift
	total=0
	for f; do
		strip -o "$tmp/stripped" "$f" 2>/dev/null ||
		    cp "$f" "$tmp/stripped"
		total=$((total + $(wc -c <"$tmp/stripped")))
	done
	echo "size.bytes $server 0 $total" >>"$tmp/results"
}

measure_sizes() {
	size_of fugu "$fugu"
	size_of yardstick "$tmp/yardstick"
	[ -z "$nginx" ] || size_of nchan "$nginx" "$nchan"
	[ -z "${CENTRIFUGO:-}" ] || size_of centrifugo "$CENTRIFUGO"
}

measure_round() {
	for s in $servers; do
		measure fan1k "$s" "$1" -n 1000 -r "$rate1" -t $secs -w $warm
	done
	for s in $servers; do
		measure fan10k "$s" "$1" -n $conns -r "$rate2" -t $secs -w $warm
	done
	for s in $servers; do
		measure chan1k "$s" "$1" -n $conns -c 1000 -K 8 -r "$rate3" \
		    -t $secs -w $warm
	done
	for s in $servers; do
		measure pub0 "$s" "$1" -f 16 -t $flood -w 0.2
	done
	for s in $servers; do
		measure pub1 "$s" "$1" -n 1 -f 16 -t $flood -w 0.2
	done
}

# Two workers on all CPUs, which they share with the load generator.
measure_two_workers() {
	pin=$pin_load
	pin_load=env
	up fugu2 env
	for r in $(seq $rounds); do
		measure two fugu2 "$r" -n $conns -r "$rate2" -t $secs -w $warm
	done
	down fugu2
	pin_load=$pin
}

# fresh SCENE SERVER ROUND ARG...: measure with one that has just begun.
fresh() {
	new=$2
	# shellcheck disable=SC2086
	up "$new" $pin_server
	measure "$@"
	down "$new"
}

measure_channels() {
	# shellcheck disable=SC2086
	up chan $pin_server
	for r in $(seq $pairs); do
		for s in pl hi; do
			measure ${s}1k chan "$r" -N $s: -n 1000 -r "$rate1" \
			    -t $pair_secs -w .3
		done
	done
	measure churn1 chan 0 -N pl: -u 1 -c 100 -t $churn
	measure churn100 chan 0 -N pl: -u 100 -c 100 -t $churn
	measure churnbig chan 0 -N pl: -u 1 -c 10000 -t $churn
	down chan
	for r in $(seq $rounds); do
		fresh storm chan "$r" -N hi: -n $conns -c 1000 -S 20
	done
	fresh keep chan 0 -N hi: -c 1000 -s 200 -m 100000
	fresh expire chan 0 -N ex: -s 53 -x 1000000
	say 'delta'
	# shellcheck disable=SC2086
	$pin_load "$tmp/delta" $churn >"$tmp/figures" && record delta chan 0
}

describe() {
	echo "fugu benchmark, $(date -u '+%Y-%m-%d %H:%M UTC')"
	sed -n 's/^model name[^:]*: /CPU: /p' /proc/cpuinfo | head -n 1
	echo "kernel: $(uname -sr), $cpus CPUs, load average at the start:" \
	    "$loadavg"
	echo "median of $rounds round(s), $conns connections;" \
	    "$("$fugu" version | head -n 1)"
	[ -z "$nginx" ] || "$nginx" -v 2>&1 | sed 's/$/ with nchan/'
	[ "${loadavg%.*}" = 0 ] || echo 'THE MACHINE WAS BUSY WITH OTHER' \
	    'WORK: only CPU per piece of work and memory are to be trusted'
	echo
}

wants() {
	case " $only " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

measure_servers() {
	say "start-up: $servers"
	measure_sizes
	measure_start
	measure_idle
	for r in $(seq $rounds); do
		if [ $(($(date +%s) - began)) -gt $enough ]; then
			say "the machine is too slow for round $r: left out"
			rounds=$((r - 1))
			break
		fi
		measure_round "$r"
	done
	measure_two_workers
}

# shellcheck source=tests/bench/tls.sh
. "$here/tls.sh"
# shellcheck source=tests/bench/ways.sh
. "$here/ways.sh"

began=$(date +%s)
ulimit -n "$(ulimit -H -n)"
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge $((conns + 500)) ] ||
    die "$conns connections need more than $(ulimit -n) descriptors"
[ -x "$fugu" ] || die "no $fugu: run make first"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fugu-bench.XXXXXX") || exit 1
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$tmp"

cpus=$(getconf _NPROCESSORS_ONLN)
loadavg=$(cut -d ' ' -f 1 /proc/loadavg)
pin_server='taskset -c 0' pin_load='taskset -c 1'
if [ "$cpus" -lt 2 ] || ! $pin_load true 2>/dev/null; then
	say 'server and load share a CPU: nothing is pinned'
	pin_server=env pin_load=env
fi
build
fugu_config >"$tmp/fugu.json"
write_channels_config
servers='fugu yardstick'
if [ "$only" = channels ]; then
	servers='yardstick' nginx=''
elif find_nginx; then
	servers="$servers nchan"
else
	nginx=''
	say 'no nginx with nchan: its columns stay empty'
fi
[ -z "${CENTRIFUGO:-}" ] || servers="$servers centrifugo"

for s in $servers; do
	# shellcheck disable=SC2086
	up "$s" $pin_server
done
calibrate
! wants servers || measure_servers
! wants channels || measure_channels
! wants tls || measure_tls
! wants ways || measure_ways
say 'done'

mkdir -p "$out"
describe >"$out/bench.txt"
awk -v servers="$servers" -v conns=$conns -v only="$only" \
    -f "$here/table.awk" -f "$here/ways.awk" \
    "$tmp/results" >>"$out/bench.txt"
cp "$tmp/results" "$out/bench.raw"
cat "$out/bench.txt"
exit $failed
