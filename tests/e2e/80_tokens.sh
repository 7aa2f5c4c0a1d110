#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
. "$(dirname "$0")/lib.sh"
WORKERS=${CHANNELS_WORKERS:-1 4}
run_node tokens
