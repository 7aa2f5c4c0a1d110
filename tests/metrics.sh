#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
#	metrics.sh			length of functions and files, by room
#	metrics.sh functions FILE...	LENGTH FILE:LINE NAME of each function
#
# A function's length is its lines from its name to the closing brace.
set -eu

functions() {
	[ $# -gt 0 ] || return 0
	ctags -x --kinds-C=f --_xformat='%e %n %F %N' "$@" |
	    awk '{ print $1 - $2 + 1, $3 ":" $2, $4 }'
}

row() {
	room=$1
	shift
	lines=$(cat "$@" | wc -l)
	largest=$(wc -l "$@" | awk '$2 != "total" && $1 > max { max = $1 }
	    END { print max }')
	functions "$@" | sort -n | awk -v room="$room" -v lines="$lines" \
	    -v files=$# -v largest="$largest" '
	{ len[NR] = $1 }
	END {
		printf "%-8s %5d %7d %8d %9d %7d %5d %5d\n", room, files,
		    lines, largest, NR, len[int((NR + 1) / 2)],
		    len[int(NR * 0.9 + 0.999)], len[NR]
	}'
}

if [ "${1-}" = functions ]; then
	shift
	functions "$@"
	exit
fi
printf '%-8s %5s %7s %8s %9s %7s %5s %5s\n' \
    room files lines largest functions median p90 max
all=
for room in $(sh tests/rooms.sh list); do
	files=$(find "$room" -name '*.[ch]' ! -name '*_html.h' 2>/dev/null |
	    sort)
	[ -n "$files" ] || continue
	row "$room" $files
	all="$all $files"
done
row fugu $all $(ls main.c 2>/dev/null)
row tests $(find tests -name '*.[ch]' | sort)
