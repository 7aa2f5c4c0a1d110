#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The rooms of the program and what each may include besides itself: the one
# place where this is written.  `make' takes its sources from here, the unit
# tests what they may link, `make lint' what may be included.
#
#	rooms.sh list			every room
#	rooms.sh may ROOM		the rooms it may include, itself first
#	rooms.sh sources [ROOM...]	source files of the rooms named and of all
#					that they need; without a room, of all
#	rooms.sh objects SUFFIX TEST	objects that tests/unit/ROOM_FILE may link
set -eu

table() {
	cat <<'EOF'
util
conf	util
net	util
tls	net util
http	net util
ws	util
jwt	util
hub	util
redis	hub net tls util
proxy	http net tls util conf
client	util conf net tls http ws jwt hub redis proxy
api	util conf net tls http ws jwt hub redis client
acme	http tls jwt net util
admin	api http util
EOF
}

may() {
	table | awk -v room="$1" '$1 == room { print; found = 1 }
	    END { exit !found }'
}

# What a room needs when linked: what it may include, and so on.
closure() {
	todo="$*" done=" "
	while [ -n "$todo" ]; do
		set -- $todo
		room=$1
		shift
		todo="$*"
		case $done in
		*" $room "*)
			continue ;;
		esac
		done="$done$room "
		todo="$todo $(may "$room")"
	done
	echo "$done"
}

sources() {
	[ $# -gt 0 ] || set -- $(table | cut -f1)
	for room in $(closure "$@"); do
		for file in "$room"/*.c; do
			[ ! -f "$file" ] || echo "$file"
		done
	done | LC_ALL=C sort
}

case ${1-} in
list)
	table | cut -f1 ;;
may)
	may "$2" ;;
sources)
	shift
	sources "$@" ;;
objects)
	room=${3##*/}
	sources "${room%%_*}" | sed "s/c\$/$2/" ;;
*)
	sed -n 's/^#	/	/p' "$0" >&2
	exit 64 ;;
esac
