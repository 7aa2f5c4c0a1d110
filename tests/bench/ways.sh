# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The ways in, for run.sh: every transport and encoding with the same fan-out
# at the same rate, each with a fugu that has just begun; a broadcast that is
# compressed; and SSE through nginx as a proxy on fugu's own CPU.
# shellcheck shell=sh

ways='ws ws-pb sse http http-pb uni-ws uni-sse uni-http'

# A ping would have to be answered by way of /emulation: there is none in
# the time that this takes.
ways_config() {
	fugu_config '"websocket": { "compression": true },
	    "sse": { "enabled": true },
	    "http_stream": { "enabled": true },
	    "uni_websocket": { "enabled": true },
	    "uni_sse": { "enabled": true },
	    "uni_http_stream": { "enabled": true },' \
	    "\"ping_interval\": \"600s\",
	    \"token\": { \"hmac_secret_key\": \"$key\" },"
}

base64url() {
	openssl base64 -A | tr '+/' '-_' | tr -d =
}

# A one-way client is subscribed by its token.
ways_token() {
	text=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(
	    printf '{"sub":"bench","channels":["b0"]}' | base64url)
	echo "$text.$(printf %s "$text" |
	    openssl dgst -sha256 -hmac $key -binary | base64url)"
}

front_config() {
	nginx_head front
	cat <<-END
	  server {
	    listen 127.0.0.1:$1 backlog=4096;
	    location /connection/ {
	      proxy_pass http://127.0.0.1:$(cat "$tmp/ways.port");
	      proxy_http_version 1.1;
	      proxy_set_header Connection "";
	      proxy_buffering off;
	      proxy_read_timeout 1h;
	    }
	  }
	}
	END
}

ways_zip() {
	set -- "$r" -J -s 1024 -n $conns -r "$rate2" -t $secs -w $warm
	measure zip ways "$@" -z
	measure nozip ways "$@"
	[ -z "$nginx" ] || measure nozip nchan "$@"
}

# The CPU is fugu's, then nginx's.
ways_proxy() {
	set -- "$r" -W sse -n 2000 -r 5 -t $secs -w $warm
	measure sse-direct ways "$@"
	# shellcheck disable=SC2086
	up front $pin_server
	cp "$tmp/front.pids" "$tmp/proxy.pids"
	cp "$tmp/ways.pids" "$tmp/front.pids"
	measure sse-proxied front "$@"
	cp "$tmp/proxy.pids" "$tmp/front.pids"
	measure sse-proxy front "$@"
	down front
}

measure_ways() {
	ways_config >"$tmp/ways.json"
	token=$(ways_token)
	for r in $(seq $rounds); do
		for way in $ways; do
			fresh "way-$way" ways "$r" -W "$way" -j "$token" -M \
			    -n $conns -r "$rate2" -t $secs -w $warm
		done
	done
	# shellcheck disable=SC2086
	up ways $pin_server
	for r in $(seq $rounds); do
		ways_zip
		[ -z "$nginx" ] || ways_proxy
	done
	down ways
}
