#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# What can be checked without running the program.  Each check is a function
# that prints what it found; nothing printed is a PASS.  Wants CC, CLANG and
# FLAGS (the flags every source is compiled with) in the environment.
set -eu
export LC_ALL=C
: "${CC:=cc}" "${CLANG:=clang}" "${JOBS:=2}" "${FLAGS:?run make lint}"

out=build/lint
rm -rf "$out"
mkdir -p "$out"

rooms=$(sh tests/rooms.sh list)
room_files() {
	find "$1" -maxdepth 1 -name '*.[ch]' ! -name '*_html.h' 2>/dev/null |
	    sort
}
ours=$({ for room in $rooms; do room_files "$room"; done
    ls main.c 2>/dev/null || :; })
tests=$(find tests -name '*.[ch]' | sort)
scripts=$(find tests .ci -name '*.sh' -o -path .ci/run | sort)
pages=$(find man -name '*.[58]')
web=$(find admin tests -name '*.html' -o -name '*.mjs' -o -name '*.js' \
    -o -name '*.awk')

# Includes of the rooms that go where tests/rooms.sh has no arrow.
arrows() {
	for room in $rooms; do
		may=$(sh tests/rooms.sh may "$room")
		for file in $(room_files "$room"); do
			sed -n 's/^#[ \t]*include[ \t]*"\(.*\)".*/\1/p' \
			    "$file" | while read -r header; do
				case " $may " in
				*" ${header%%/*} "*)
					;;
				*)
					echo "$file: $room may not include" \
					    "$header" ;;
				esac
			done
		done
	done
}

# Pure files neither include nor call what touches sockets, clocks or
# randomness.
pure() {
	headers='sys/socket|netdb|sys/un|poll|sys/epoll|sys/eventfd'
	headers="$headers|sys/timerfd|sys/random|time|sys/time|util/clock"
	calls='socket|bind|connect|listen|accept4?|send(to|msg)?|poll'
	calls="$calls|recv(from|msg)?|epoll_.*|eventfd|timerfd_.*"
	calls="$calls|clock_.*|gettimeofday|time|getrandom|getentropy"
	calls="$calls|arc4random.*|s?rand(om)?|random_bytes"
	for room in $rooms; do
		for file in $(sh tests/rooms.sh pure "$room"); do
			grep -nHE "include *[<\"]($headers)\\.h" "$file" || :
			[ "${file%.c}" != "$file" ] || continue
			nm -u "$out/${file%.c}.o" | awk -v file="$file" \
			    -v calls="^($calls)\$" '
			    $2 ~ calls { print file ": pure, but calls " $2 }'
		done
	done
}

# Every source without a warning from either compiler.
compile() {
	for file in $ours $tests; do
		case $file in
		*.c)
			mkdir -p "$out/${file%/*}"
			printf '%s\n' "$file" ;;
		esac
	done | xargs -P "$JOBS" -I FILE sh -c "f=FILE
	    $1 -o $out/\${f%.c}.o FILE 2>&1" || :
}

warnings_gcc() {
	compile "$CC $FLAGS -O2 -Werror -c"
}

warnings_clang() {
	compile "$CLANG $FLAGS -Werror -fsyntax-only"
}

# Zero findings; that a machine lacks the manuals of others is none.
man_pages() {
	for page in $pages; do
		section=$out/man/man${page##*.}
		mkdir -p "$section"
		cp "$page" "$section"
	done
	[ -z "$pages" ] || MANPATH=$out/man mandoc -Tlint -Wstyle $pages \
	    2>/dev/null | grep -vE 'not found: Xr (curl|systemd) ' || :
}

file_length() {
	wc -l $ours $tests | awk '$2 != "total" && $1 > 1000 {
	    print $2 ": " $1 " lines" }'
}

# Over 100 lines only with the words "flat switch" in the comment above.
function_length() {
	sh tests/metrics.sh functions $ours $tests |
	    while read -r length place name; do
		[ "$length" -gt 100 ] || continue
		file=${place%:*} line=${place#*:}
		sed -n "$((line > 15 ? line - 15 : 1)),${line}p" "$file" |
		    grep -q 'flat switch' ||
		    echo "$place: $name has $length lines"
	done
}

format() {
	for file in $ours $tests $scripts $pages $web Makefile README.md; do
		[ -f "$file" ] || continue
		expand "$file" | awk -v file="$file" '
		{ gsub(/[\300-\367][\200-\277]+/, "?") }
		file !~ /^man|html$|js$|md$/ && length > 80 {
			print file ":" NR ": over 80 columns"
		}'
		awk '/[ \t]$/ { print FILENAME ":" NR ": blanks at the end" }' \
		    "$file"
		[ -z "$(tail -c 1 "$file")" ] ||
		    echo "$file: no newline at the end"
	done
	# KNF: tabs, and four blanks more where a line goes on.
	[ -z "$ours$tests" ] || awk '
	FNR == 1 { last = ""; code = 1 }
	/^        |^ +\t|^ {5,7}[^ ]|^ {1,3}[^ *]/ ||
	    (/^    [^ ]/ && last ~ /[;{}]$/) {
		print FILENAME ":" FNR ": indented with blanks"
	}
	{ last = $0 }' $ours $tests
}

licence() {
	for file in $ours $tests $scripts Makefile; do
		head -3 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
		    echo "$file: no SPDX line at the top"
	done
}

status=0
for check in arrows warnings_gcc pure warnings_clang man_pages file_length \
    function_length format licence; do
	$check >"$out/$check" 2>&1
	if [ -s "$out/$check" ]; then
		cat "$out/$check"
		echo "FAIL lint: $check"
		status=1
	else
		echo "PASS lint: $check"
	fi
done
exit $status
