#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Builds copies of the tree in other directories: the same bytes come out of
# both makes, the switches work, what is installed can be removed, and the
# static binaries keep to their budgets.
set -eu
: "${MAKE:=make}"

top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
status=0

verdict() {
	if [ "$1" = 0 ]; then
		echo "PASS build: $2"
	else
		echo "FAIL build: $2"
		status=1
	fi
}

# try NAME COMMAND...: the command's success is the test.
try() {
	name=$1 result=0
	shift
	"$@" || result=$?
	verdict "$result" "$name"
}

copy() {
	mkdir -p "$top/$1"
	rooms=
	for room in $(sh tests/rooms.sh list); do
		[ ! -d "$room" ] || rooms="$rooms $room"
	done
	tar -cf - --exclude='*.o' --exclude='*.[atfm]o' --exclude='*o.d' \
	    --exclude='*.unit' --exclude='*.tunit' --exclude='*.fuzz' \
	    Makefile main.c man tests $rooms |
	    tar -xf - -C "$top/$1"
}

at_most() {
	strip -o "$top/stripped" "$1"
	size=$(wc -c <"$top/stripped")
	echo "$1: $size bytes of $2"
	[ "$size" -le "$2" ]
}

prints_version() {
	"$@" version
}

has_no_libz() {
	! ldd "$1" | grep libz
}

# Made again when the switch goes over, and the same when it goes back.
echo_switch() (
	cd "$top/a"
	cp fugu fugu.before
	$MAKE ECHO=1 fugu && ! cmp fugu fugu.before &&
	    $MAKE fugu && cmp fugu fugu.before
)

installs() (
	cd "$top/a"
	$MAKE install DESTDIR="$top/root" PREFIX=/usr &&
	    "$top/root/usr/bin/fugu" version &&
	    [ -s "$top/root/usr/share/man/man8/fugu.8" ] &&
	    [ -s "$top/root/usr/share/man/man5/fugu.conf.5" ] &&
	    $MAKE uninstall DESTDIR="$top/root" PREFIX=/usr &&
	    [ -z "$(find "$top/root" -type f)" ]
)

copy a
copy another/deeper/directory
try gnu_make make -C "$top/a" fugu
try bsd_make sh -c 'cd "$1" && bmake fugu' - "$top/another/deeper/directory"
try reproducible cmp "$top/a/fugu" "$top/another/deeper/directory/fugu"
try version prints_version "$top/a/fugu"
try budget_glibc at_most "$top/a/fugu" 1200000
try echo_switch echo_switch
try install installs
try dynamic_clang_without_deflate $MAKE -C "$top/a" fugu CC=clang STATIC=0 \
    DEFLATE=0
try dynamic_version prints_version "$top/a/fugu"
try dynamic_has_no_libz has_no_libz "$top/a/fugu"
try musl $MAKE musl
try musl_version prints_version build/musl/fugu
try budget_musl at_most build/musl/fugu 400000
exit $status
