#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
. "$(dirname "$0")/lib.sh"
run_node browser
