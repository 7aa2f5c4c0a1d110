#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# permessage-deflate: by its bytes, with the `ws' package and with Chromium.
. "$(dirname "$0")/lib.sh"
WORKERS=${DEFLATE_WORKERS:-1 2}
run_node deflate
