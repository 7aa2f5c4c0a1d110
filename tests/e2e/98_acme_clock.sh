#!/bin/sh
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Certificates by themselves when the clock is elsewhere, by weeks and years.
# The program is linked once more, with a clock that is ahead by what a file
# says: the process that speaks to the authority begins with an empty
# environment, where a library loaded in front would not come along.
. "$(dirname "$0")/lib.sh"

[ "$SERVER_KIND" = fugu ] || done_testing
. "$HERE/acme.sh"

DAY=86400

# In front of the system's clock. What is not the time of day is as it is.
shifted_clock() {
	cat <<-END
	#include <fcntl.h>
	#include <stdlib.h>
	#include <time.h>
	#include <unistd.h>

	int __real_clock_gettime(clockid_t, struct timespec *);
	int __wrap_clock_gettime(clockid_t, struct timespec *);

	int
	__wrap_clock_gettime(clockid_t id, struct timespec *t)
	{
		char	text[32] = "";
		int	fd, ret = __real_clock_gettime(id, t);

		if (id != CLOCK_REALTIME)
			return ret;
		fd = open("$WORK/ahead", O_RDONLY | O_CLOEXEC);
		if (fd != -1 && read(fd, text, sizeof(text) - 1) > 0)
			t->tv_sec += strtol(text, NULL, 10);
		if (fd != -1)
			close(fd);
		return ret;
	}
	END
}

# Of the objects that FUGU was linked of.
link_again() {
	case $FUGU in
	*-tsan)	suffix=to san=thread ;;
	*)	suffix=ao san=address,undefined ;;
	esac
	shifted_clock >"$WORK/clock.c"
	(cd "$HERE/../.." && ${CC:-cc} -fsanitize=$san -pthread \
	    -Wl,--wrap=clock_gettime -o "$WORK/fugu" "$WORK/clock.c" \
	    main.$suffix $(sh tests/rooms.sh sources | sed "s/c\$/$suffix/") \
	    -lbearssl -lbsd -lmd -lz)
}

# Nothing is left half read.
ahead() {
	echo "$1" >"$WORK/ahead.new"
	mv "$WORK/ahead.new" "$WORK/ahead"
}

check "linked with another clock" link_again
FUGU=$WORK/fugu
CACHE=$WORK/cache
NAMES='"a.example"'

# The authority stays where it is; its own certificate is good for a year,
# those that it gives for 90 days.
CERT_DAYS=365
certs
scripted_up
autocert ',"http":true'

ahead 0
begin
check now_wss wss
first=$(serial)
equal now_one_order 1 "$(count)"
stop

# Two thirds of the lifetime have passed: what is new is what the authority
# thinks to be 90 days, so not even a third is left of it; nevertheless it is
# not ordered again and again.
ahead $((62 * DAY))
begin
check later_renews within 60 differs "$first"
second=$(serial)
equal later_one_more_order 2 "$(count)"
acme issue
equal later_is_content 2 "$STATUS"
stop
begin
acme status
equal later_status_0 0 "$STATUS"
equal later_keeps_it "$second" "$(serial)"
equal later_still_two_orders 2 "$(count)"
stop

# Years ahead: everything has expired, what the authority says of itself, too.
cp "$CACHE/a.example" "$WORK/kept"
ahead $((5 * 365 * DAY))
begin
check years_says_expired within 60 grep -q 'expired' "$LOG"
check years_backs_off within 60 grep -q 'next try in' "$LOG"
acme status
equal years_status_1 1 "$STATUS"
like years_status_says_why '*expired*' "$OUT"
check years_keeps_the_file cmp "$WORK/kept" "$CACHE/a.example"
equal years_no_order 2 "$(count)"

# Back again, in time: it is looked at anew, here because its process is.
check years_turns_away fails wss a.example 3
ahead 0
kill -KILL "$(cat "$CACHE/fugu.lock")"
check back_in_time_wss wss
stop

# And started so: neither an order nor a pause.
begin
check back_is_ready ready
check back_wss wss
equal back_the_same "$second" "$(serial)"
acme renew
equal back_renews_when_asked 0 "$STATUS"
stop
done_testing
