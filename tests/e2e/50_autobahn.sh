#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The cases of the Autobahn test suite for WebSocket servers, run by kosoku
# (PyPI) against the frame code behind the echo endpoint. Of groups 12 and 13,
# compression with a thousand messages in each case, there are two sizes of
# every kind of text and of every offer, and some in fragments. Everything must
# be OK; what the suite calls non-strict counts as a failure, what it calls
# informational has no right answer.
#
#	KOSOKU		the program (default: build/python/bin/kosoku)
. "$(dirname "$0")/lib.sh"
: "${KOSOKU:=$HERE/../../build/python/bin/kosoku}"

CASES=328
DEFLATE="-i 12.*.2 -i 12.*.4 -i 12.1.11 -i 13.*.2 -i 13.*.4 -i 13.3.10
    -i 13.7.12"

# One line for each case in the report's index.
results() {
	"$(dirname "$KOSOKU")/python" - "$1/index.json" <<'EOF'
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
	"health": { "enabled": true },
	"websocket": { "compression": true }
}'
start --echo || done_testing
"$KOSOKU" -p 4 -x '12.*' -x '13.*' -o "$WORK/report" \
    "ws://127.0.0.1:$PORT/echo" >"$WORK/kosoku.log" 2>&1
set -f
"$KOSOKU" -p 4 $DEFLATE -o "$WORK/deflate" \
    "ws://127.0.0.1:$PORT/echo" >>"$WORK/kosoku.log" 2>&1
set +f
{ results "$WORK/report" && results "$WORK/deflate"; } >"$WORK/results" ||
    cat "$WORK/kosoku.log"
cat "$WORK/results"
! grep -q ^FAIL "$WORK/results" || FAILED=1
equal "all cases ran" $CASES "$(grep -c . "$WORK/results")"
alive "server is well after it"
stop
done_testing
