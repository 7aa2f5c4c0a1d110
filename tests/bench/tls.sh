# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# TLS, for run.sh: fugu and nginx with nchan, each with the same four
# certificates that the client's server name chooses between. Publishers use
# a plain port, so that what is measured is the subscribers' TLS.
#
# All is TLS 1.2 with AES-128-GCM, which fugu, nginx and the client settle on
# by themselves; shake13 is nginx with TLS 1.3, which it would rather use.
# A handshake counts with the TCP connection around it.
# shellcheck shell=sh

kinds='ec256 ec384 rsa2048 rsa4096'

tls_certificates() {
	for kind in $kinds; do
		case $kind in
		ec*) alg="ec -pkeyopt ec_paramgen_curve:P-${kind#ec}" ;;
		rsa*) alg=rsa:${kind#rsa} ;;
		esac
		# shellcheck disable=SC2086
		openssl req -x509 -newkey $alg -nodes -sha256 -days 2 \
		    -subj "/CN=$kind.example" \
		    -addext "subjectAltName=DNS:$kind.example" \
		    -addext basicConstraints=critical,CA:FALSE \
		    -addext extendedKeyUsage=serverAuth \
		    -keyout "$tmp/$kind.key" -out "$tmp/$kind.pem" \
		    2>"$tmp/openssl.log" || die "$(cat "$tmp/openssl.log")"
	done
}

tls_pair() {
	echo "\"cert_pem\": \"$tmp/$1.pem\", \"key_pem\": \"$tmp/$1.key\""
}

# TLS on the external port.
tls_fugu_config() {
	fugu_config '' '' "\"tls_external\": true, \"tls\": {
	    \"enabled\": true, $(tls_pair ec256), \"certificates\": [
	    { $(tls_pair ec384) }, { $(tls_pair rsa2048) },
	    { $(tls_pair rsa4096) } ] },"
}

tls_nginx_servers() {
	cat <<-END
	  ssl_protocols TLSv1.2 TLSv1.3;
	  ssl_session_cache shared:bench:10m;
	  ssl_certificate $tmp/ec256.pem;
	  ssl_certificate_key $tmp/ec256.key;
	END
	for kind in ${kinds#ec256 }; do
		cat <<-END
		  server {
		    listen 127.0.0.1:$1 ssl;
		    server_name $kind.example;
		    ssl_certificate $tmp/$kind.pem;
		    ssl_certificate_key $tmp/$kind.key;
		  }
		END
	done
}

tls_nginx_config() {
	nginx_config tlsnchan "$(tls_nginx_servers "$1")" \
	    "$1 ssl default_server" "$(cat "$tmp/tlsnchan.api")"
}

# shakes SCENE ARG...
shakes() {
	scene=$1
	shift
	for s in $tls_servers; do
		measure "$scene" "$s" "$r" -H $shake "$@"
	done
}

tls_round() {
	shakes full-ec256 -F
	shakes full-rsa2048 -F -h rsa2048.example
	shakes again-ec256
	shakes again-rsa2048 -h rsa2048.example
	shakes full-p256 -F -G P-256
	shakes full-ec384 -F -h ec384.example
	shakes full-rsa4096 -F -h rsa4096.example
	[ -z "$nginx" ] || measure shake13 tlsnchan "$r" -H $shake -3 -F
	for s in $tls_plain $tls_servers; do
		measure tlsfan "$s" "$r" -n 1000 -r "$rate1" -t $secs \
		    -w $warm
	done
	for s in $tls_plain $tls_servers; do
		measure tlsbulk "$s" "$r" -n 200 -s 16384 -r 50 -t $secs \
		    -w $warm
	done
}

measure_tls() {
	tls_servers=tlsfugu tls_plain='fugu'
	[ -z "$nginx" ] || {
		tls_servers="$tls_servers tlsnchan"
		tls_plain="$tls_plain nchan"
	}
	tls_certificates
	tls_fugu_config >"$tmp/tls.json"
	for s in $tls_servers; do
		fresh tlsidle "$s" 0 -M -F -n $conns
	done
	for s in $tls_servers; do
		# shellcheck disable=SC2086
		up "$s" $pin_server
	done
	for r in $(seq $rounds); do
		tls_round
	done
	for s in $tls_servers; do
		down "$s"
	done
}
