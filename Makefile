.POSIX:
CC = cc
CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wvla
INC = -I. -isystem /usr/include/bsd
DEF = -D_GNU_SOURCE -DLIBBSD_OVERLAY
ALL_CFLAGS = -std=c11 $(WARN) $(INC) $(DEF) $(CFLAGS) -MMD -MP
.c.o:
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
