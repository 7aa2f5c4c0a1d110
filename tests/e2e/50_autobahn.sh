#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The cases of the Autobahn test suite for WebSocket servers, run by kosoku
# (PyPI) against the frame code behind the echo endpoint. Groups 12 and 13
# are compression, which the endpoint does not negotiate. Everything must be
# OK; what the suite calls non-strict counts as a failure, what it calls
# informational has no right answer.
#
#	KOSOKU		the program (default: build/python/bin/kosoku)
. "$(dirname "$0")/lib.sh"
: "${KOSOKU:=$HERE/../../build/python/bin/kosoku}"

CASES=301

# One line for each case in the report's index.
results() {
	"$(dirname "$KOSOKU")/python" - "$WORK/report/index.json" <<'EOF'
import json
import sys

(cases,) = json.load(open(sys.argv[1])).values()
for case, result in cases.items():
    got = result['behavior'] + ', close ' + result['behaviorClose']
    good = got in ('OK, close OK', 'INFORMATIONAL, close INFORMATIONAL')
    print(f'PASS case {case}' if good else f'FAIL case {case}: {got}')
EOF
}

if [ ! -x "$KOSOKU" ]; then
	fail "kosoku is installed" "no $KOSOKU: see tests/install.sh"
	done_testing
fi
config '{
	"http_server": { "address": "127.0.0.1", "port": @PORT@ },
	"health": { "enabled": true }
}'
start --echo || done_testing
"$KOSOKU" -p 4 -x '12.*' -x '13.*' -o "$WORK/report" \
    "ws://127.0.0.1:$PORT/echo" >"$WORK/kosoku.log" 2>&1
results >"$WORK/results" || cat "$WORK/kosoku.log"
cat "$WORK/results"
! grep -q ^FAIL "$WORK/results" || FAILED=1
equal "all cases ran" $CASES "$(grep -c . "$WORK/results")"
alive "server is well after it"
stop
done_testing
