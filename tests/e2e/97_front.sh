#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
# Debian has them where not everybody looks.
PATH=$PATH:/usr/sbin
if ! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/key.pem" -out "$WORK/cert.pem" -days 30 \
    -subj /CN=localhost -addext \
    subjectAltName=DNS:localhost,IP:127.0.0.1 >"$WORK/openssl" 2>&1; then
	fail certificate "$(cat "$WORK/openssl")"
	done_testing
fi
# The number of workers hardly matters to a proxy: two, so that commands on
# other connections have a way to go.
WORKERS=2
# Longer than a minute of silence.
CASE_MS=150000
NODE_EXTRA_CA_CERTS=$WORK/cert.pem
export CASE_MS NODE_EXTRA_CA_CERTS
run_node front
