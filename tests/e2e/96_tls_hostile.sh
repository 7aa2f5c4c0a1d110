#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
export E2E_TLS=1
. "$(dirname "$0")/lib.sh"
[ "$SERVER_KIND" = fugu ] || done_testing
ulimit -n 20000
export WORKERS="${TLS_WORKERS:-2}"
run_node tls_hostile
