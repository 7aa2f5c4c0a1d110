#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The suites of channels once more, over TLS.
export E2E_TLS=1
. "$(dirname "$0")/lib.sh"
[ "$SERVER_KIND" = fugu ] || done_testing
export WORKERS="${TLS_WORKERS:-4}"
for suite in channels recovery subs tokens channels_sdk api_channels; do
	node "$HERE/$suite.mjs" || FAILED=1
done
done_testing
