#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
#	run.sh check	build and run every test (TSAN=1: thread sanitizer)
#	run.sh fuzz	fuzz every parser, FUZZ_TIME seconds altogether
#
# A test is a program that prints lines `PASS name', `FAIL name' or `SKIP
# name' and exits with nonzero if one failed: the unit tests, the scripts
# tests/e2e/*.sh, `make build-test' and `make lint'; a fuzz target counts as
# one.  JOBS of them run at a time, each writing to build/check/NAME.log; the
# log of one that failed is shown.  The last line is the sum.
#
# A script in tests/e2e gets FUGU, the program to test; WORK, an empty
# directory of its own; PORTS, one for all where each port that is taken
# leaves its number; NODE_PATH with the npm packages.  Whatever a sanitizer
# says about FUGU makes it fail, looked at or not.
set -eu
: "${MAKE:=make}" "${JOBS:=2}" "${TSAN:=0}" "${FUZZ_TIME:=600}"

out=$PWD/build/check

count() {
	grep -c "^$1 " "$2" || :
}

# run_one KIND NAME COMMAND...: run it, print one line, keep its log.
run_one() {
	kind=$1 name=$2 log=$out/$2.log began=$(date +%s) status=0
	shift 2
	timeout -k 5 600 "$@" >"$log" 2>&1 </dev/null || status=$?
	for report in "$out/$name".san.*; do
		[ -f "$report" ] || continue
		cat "$report" >>"$log"
		echo "FAIL $name: the sanitizer has something to say" >>"$log"
	done
	if [ "$status" -ne 0 ] && [ "$(count FAIL "$log")" = 0 ]; then
		echo "FAIL $name: exit status $status" >>"$log"
	fi
	if [ "$(count '[PFS][AKI][SIL][SLP]' "$log")" = 0 ]; then
		echo "FAIL $name: no test ran" >>"$log"
	fi
	failed=$(count FAIL "$log")
	text=$(printf '%-5s %-28s %4d passed %3d failed %4d s' "$kind" \
	    "$name" "$(count PASS "$log")" "$failed" $(($(date +%s) - began)))
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	{
		echo "$text${runs:+ $runs runs}"
		[ "$failed" = 0 ] || grep -v '^PASS ' "$log" | tail -n 150 |
		    sed 's/^/    /'
	} | flock "$out/lock" cat
}

# The same for each kind of test.
one() {
	kind=$1 file=$2
	name=${file##*/}
	name=${name%.*}
	case $kind in
	unit)
		run_one unit "$name" "./$file" ;;
	e2e)
		WORK=$(mktemp -d "$out/work.XXXXXX")
		export WORK FUGU PORTS="$out/ports" \
		    NODE_PATH="$PWD/build/node/node_modules"
		san=log_path=$out/$name.san
		export ASAN_OPTIONS="$ASAN_OPTIONS:$san"
		export UBSAN_OPTIONS="$UBSAN_OPTIONS:$san"
		export TSAN_OPTIONS="$TSAN_OPTIONS:$san"
		run_one e2e "$name" "$file"
		rm -rf "$WORK" ;;
	fuzz)
		run_one fuzz "fuzz_$name" sh tests/run.sh fuzz_one "$file" ;;
	make)
		run_one make "$name" $MAKE "$name" ;;
	esac
}

# fuzz_one TARGET: for SECONDS_EACH seconds, over its seeds and what earlier
# runs found.
fuzz_one() {
	name=${1##*/}
	name=${name%.fuzz}
	found=build/fuzz/$name
	mkdir -p "$found"
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || { echo "FAIL $name: no seeds"; return 1; }
	if "./$1" -max_total_time="$SECONDS_EACH" -timeout=10 \
	    -print_final_stats=1 -verbosity=1 \
	    -artifact_prefix="build/fuzz/$name-" "$found" "$seeds" 2>&1; then
		echo "PASS $name"
	else
		echo "FAIL $name: see build/fuzz/$name-*"
		return 1
	fi
}

sum() {
	cat "$out"/*.log >"$out/all"
	passed=$(count PASS "$out/all")
	failed=$(count FAIL "$out/all")
	skipped=$(count SKIP "$out/all")
	[ "$skipped" = 0 ] || grep '^SKIP ' "$out/all"
	[ "$failed" = 0 ] || grep '^FAIL ' "$out/all"
	text="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || text="$text, $skipped skipped"
	echo "$text"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

build() {
	began=$(date +%s)
	if ! $MAKE -j"$JOBS" "$@" >"$out/compile.log" 2>&1 </dev/null; then
		tail -n 60 "$out/compile.log"
		echo "FAIL build" | tee -a "$out/compile.log"
		sum
		exit 1
	fi
	echo "built in $(($(date +%s) - began)) s"
}

# Reads lines `KIND FILE'.  The thread sanitizer knows where the kernel puts
# things only while it does so without much chance.
run_all() {
	if [ "$TSAN" = 1 ] && setarch -R true 2>/dev/null; then
		setarch -R xargs -P "$JOBS" -L 1 sh tests/run.sh one
	else
		xargs -P "$JOBS" -L 1 sh tests/run.sh one
	fi
}

named() {
	for file in $1; do
		[ ! -f "$file" ] || echo "$file"
	done
}

programs() {
	named 'tests/e2e/[0-9]*.sh' | sed 's/^/e2e /'
}

check() {
	sh tests/install.sh build musl check
	if [ "$TSAN" = 1 ]; then
		units=$(grep -lE 'pthread|worker_' tests/unit/*_*.c |
		    sed 's/c$/tunit/')
		export FUGU="$PWD/fugu-tsan"
		build fugu-tsan $units
		{ printf 'unit %s\n' $units; programs; } | run_all
	else
		export FUGU="$PWD/fugu-asan" SECONDS_EACH=5
		build fugu-asan unit fuzzers
		{
			echo make build-test
			programs
			named 'tests/unit/*.unit' | sed 's/^/unit /'
			echo make lint
			named 'tests/fuzz/*.fuzz' | sed 's/^/fuzz /'
		} | run_all
	fi
}

fuzz() {
	build fuzzers
	targets=$(named 'tests/fuzz/*.fuzz')
	set -- $targets
	export SECONDS_EACH=$((FUZZ_TIME * JOBS / $#))
	echo "$# targets, $SECONDS_EACH s each, $JOBS at a time"
	printf 'fuzz %s\n' "$@" | run_all
}

export ASAN_OPTIONS="${ASAN_OPTIONS-detect_stack_use_after_return=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS-second_deadlock_stack=1}"
case ${1-} in
check | fuzz)
	rm -rf "$out"
	mkdir -p "$out" build/fuzz
	"$1"
	sum ;;
one | fuzz_one)
	"$@" ;;
*)
	sed -n 's/^#	/	/p' "$0" >&2
	exit 64 ;;
esac
