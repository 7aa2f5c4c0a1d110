#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The rooms of the program, what each may include besides itself, and which
# of its files are pure (no socket, clock or random source: those are
# arguments).  This table is the one place where it is written: `make' takes
# its sources from here, a unit test what it may link, `make lint' the rules.
#
#	rooms.sh list			every room
#	rooms.sh may ROOM		what it may include, itself first
#	rooms.sh pure ROOM		its pure files
#	rooms.sh sources [ROOM...]	sources of the rooms named and of all
#					that they need; without a room, of all
#	rooms.sh objects SUFFIX TEST	what tests/unit/ROOM_FILE may link
set -euf

# room : may include : pure files
table() {
	cat <<'EOF'
util	::base64* blob* buf* glob* hash* json* pb* pem* regex* sv* utf8*
conf	:util:*
net	:util:
tls	:net util:
http	:net util:
ws	:util:*
jwt	:util:*
hub	:util:*
redis	:hub net tls util:resp*
proxy	:http net tls util conf:
client	:util conf net tls http ws jwt hub redis proxy:codec*
acme	:http tls jwt net util:order* wire* jws* csr* renew* message*
api	:util conf net tls http ws jwt hub redis client acme:
admin	:api http util:
EOF
}

field() {
	table | awk -F '[\t]*:' -v room="$1" -v n="$2" '
	    $1 == room { print $n; found = 1 }
	    END { exit !found }'
}

may() {
	echo "$1 $(field "$1" 2)"
}

files() {
	[ ! -d "$1" ] || find "$1" -maxdepth 1 -name "$2"
}

pure() {
	for glob in $(field "$1" 3); do
		files "$1" "$glob.c"
		files "$1" "$glob.h"
	done | LC_ALL=C sort -u
}

# What rooms need when linked: what they may include, and what those may.
closure() {
	done=" "
	while [ $# -gt 0 ]; do
		room=$1
		shift
		case $done in
		*" $room "*)
			continue ;;
		esac
		done="$done$room "
		needs=$(field "$room" 2)
		set -- "$@" $needs
	done
	echo "$done"
}

list() {
	table | sed 's/[	]*:.*//'
}

sources() {
	[ $# -gt 0 ] || set -- $(list)
	rooms=$(closure "$@")
	for room in $rooms; do
		files "$room" '*.c'
	done | LC_ALL=C sort
}

case ${1-} in
list)
	list ;;
may | pure)
	"$1" "$2" ;;
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
