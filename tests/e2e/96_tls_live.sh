#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
export E2E_TLS=1
. "$(dirname "$0")/lib.sh"
[ "$SERVER_KIND" = fugu ] || done_testing
issue first "test CA" IP:127.0.0.1,DNS:localhost
issue second "test CA" IP:127.0.0.1,DNS:localhost
ca stranger
issue strange stranger IP:127.0.0.1,DNS:localhost
export PKI WORKERS="${TLS_WORKERS:-2}"
mkdir -p "$WORK/home/.pki/nssdb"
certutil -N -d "sql:$WORK/home/.pki/nssdb" --empty-password &&
    certutil -A -d "sql:$WORK/home/.pki/nssdb" -t C,, -n test \
    -i "$PKI/test CA.pem" || fail certutil "it failed"
run_node tls_live
