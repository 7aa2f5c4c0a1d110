#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The protobuf encoding: by its bytes, and the SDK's suites in it.
. "$(dirname "$0")/lib.sh"
WORKERS=${CHANNELS_WORKERS:-1 4}
export ENCODING=protobuf
for suite in protobuf sdk channels_sdk; do
	node "$HERE/$suite.mjs" || FAILED=1
done
done_testing
