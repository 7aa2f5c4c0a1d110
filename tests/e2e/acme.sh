# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# What the tests of certificates by themselves share, behind lib.sh; sourced,
# not run.
#
#	certs			make what the authorities need in $WORK, good
#				for CERT_DAYS (30)
#	pebble_up [VAR=...]	start pebble and its name server; sets DIRECTORY
#				and PEBBLE, its process
#	pebble_down
#	scripted_up		start the authority of acme.py instead; sets
#				DIRECTORY
#	count			how many orders that one has taken
#	autocert JSON		write a configuration: names a.example and
#				b.example, and these members of tls_autocert
#	orders			how many orders pebble has taken
#	acme WORD ARGS		run fugu acme: sets STATUS and OUT
#	within SECONDS COMMAND	until it succeeds
#	serial [NAME]		serial number of the certificate served
#	differs SERIAL		whether that is another one

ACME=$HERE/acme.py
HELPERS=

certs() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$WORK/root.key" -out "$WORK/root.pem" \
	    -days "${CERT_DAYS:-30}" -subj '/CN=test root' 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$WORK/ca.key" -out "$WORK/ca.csr" -subj '/CN=ca' \
	    2>/dev/null
	printf '%s\n' 'subjectAltName=DNS:localhost,DNS:ca.example' \
	    'extendedKeyUsage=serverAuth' >"$WORK/ca.ext"
	openssl x509 -req -in "$WORK/ca.csr" -CA "$WORK/root.pem" -CAkey \
	    "$WORK/root.key" -CAcreateserial -days "${CERT_DAYS:-30}" \
	    -extfile "$WORK/ca.ext" -out "$WORK/ca.pem" 2>/dev/null
}

helper() {
	"$@" >>"$WORK/helpers.log" 2>&1 </dev/null &
	HELPERS="$HELPERS $!"
}

end_helpers() {
	[ -z "$HELPERS" ] || kill $HELPERS 2>/dev/null
	[ -z "$HELPERS" ] || wait $HELPERS 2>/dev/null
	HELPERS=
}

# Ports and configuration, once; MORE is added to pebble's.
pebble_conf() {
	: "${CA_PORT:=$(freeport)}" "${MANAGE_PORT:=$(freeport)}"
	: "${DNS_PORT:=$(freeport)}" "${CHALL_PORT:=$(freeport)}"
	: "${HTTP_PORT:=$(freeport)}" "${PORT:=$(freeport)}"
	: "${PLAIN_PORT:=$(freeport)}"
	cat >"$WORK/pebble.json" <<-END
	{"pebble":{"listenAddress":"127.0.0.1:$CA_PORT",
	"managementListenAddress":"127.0.0.1:$MANAGE_PORT",
	"certificate":"$WORK/ca.pem","privateKey":"$WORK/ca.key",
	"httpPort":$HTTP_PORT,"tlsPort":$PORT,"ocspResponderURL":"",
	"externalAccountBindingRequired":false${MORE-}}}
	END
}

pebble_up() {
	pebble_conf
	DIRECTORY=https://localhost:$CA_PORT/dir
	: >"$WORK/helpers.log"
	helper pebble-challtestsrv -defaultIPv6 '' -defaultIPv4 127.0.0.1 \
	    -dns01 "127.0.0.1:$DNS_PORT" -http01 '' -https01 '' \
	    -tlsalpn01 '' -management "127.0.0.1:$CHALL_PORT"
	helper env PEBBLE_VA_NOSLEEP=1 "$@" pebble -config \
	    "$WORK/pebble.json" -dnsserver "127.0.0.1:$DNS_PORT"
	PEBBLE=$!
	within 60 curl -sf --cacert "$WORK/root.pem" -o /dev/null \
	    "$DIRECTORY" || fail "pebble starts" "$(cat "$WORK/helpers.log")"
	# Those that its certificates are to be verified with.
	curl -s --cacert "$WORK/root.pem" \
	    "https://localhost:$MANAGE_PORT/roots/0" >"$WORK/issued.pem"
}

pebble_down() {
	end_helpers
}

scripted_up() {
	: "${CA_PORT:=$(freeport)}" "${PORT:=$(freeport)}"
	: "${PLAIN_PORT:=$(freeport)}" "${HTTP_PORT:=$(freeport)}"
	DIRECTORY=https://localhost:$CA_PORT/dir
	helper python3 "$ACME" ca "$CA_PORT" "$WORK/ca.pem" "$WORK/ca.key" \
	    "$WORK"
	within 60 curl -sf --cacert "$WORK/root.pem" -o /dev/null \
	    "$DIRECTORY" || fail "the authority starts" \
	    "$(cat "$WORK/helpers.log")"
	cp "$WORK/root.pem" "$WORK/issued.pem"
}

# How many orders the scripted one has taken.
count() {
	cat "$WORK/orders" 2>/dev/null || echo 0
}

autocert() {
	CACHE=${CACHE:-$WORK/cache}
	config "{\"http_server\":{\"address\":\"127.0.0.1\",\"port\":$PORT,
	\"internal_port\":$PLAIN_PORT,\"tls_external\":true,
	\"tls_autocert\":{\"enabled\":true,
	\"host_whitelist\":[${NAMES-\"a.example\",\"b.example\"}],
	\"cache_dir\":\"$CACHE\",\"http_addr\":\"127.0.0.1:$HTTP_PORT\",
	\"directory\":\"$DIRECTORY\",\"ca_pem\":\"$WORK/root.pem\"
	$1}},\"health\":{\"enabled\":true},\"prometheus\":{\"enabled\":true},
	\"client\":{\"allow_anonymous_connect_without_token\":true}}"
}

begin() {
	launch -c "$CONF" --workers="${N:-2}"
	wait_ready "$PLAIN_PORT"
}

orders() {
	grep -c 'Added order' "$WORK/helpers.log"
}

acme() {
	word=$1
	shift
	STATUS=0
	OUT=$(timeout 150 "$FUGU" acme "$word" -c "$CONF" "$@" 2>&1) ||
	    STATUS=$?
}

within() {
	n=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.1
	done
}

served() {
	openssl s_client -connect "127.0.0.1:$PORT" -servername \
	    "${1:-a.example}" </dev/null 2>/dev/null
}

serial() {
	served "$@" | openssl x509 -noout -serial 2>/dev/null
}

fails() {
	! "$@"
}

differs() {
	[ "$(serial)" != "$1" ]
}

ready() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 \
	    "http://127.0.0.1:$PLAIN_PORT/readyz")" = "${1:-200}" ]
}

wss() {
	python3 "$ACME" wss "$PORT" "${1:-a.example}" "$WORK/issued.pem" \
	    "${2:-60}"
}

trap 'end; end_helpers' EXIT
