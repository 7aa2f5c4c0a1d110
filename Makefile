# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# Works with GNU make (4.0 or later) and with BSD make.  The usual targets:
#
#	all		./fugu (the default)
#	run		install what is missing, build, start the demo
#	check		install what the tests need and run them (TSAN=1: with
#			the thread sanitizer)
#	fuzz		fuzz every parser, FUZZ_TIME seconds altogether
#	bench		measure against the yardstick
#	lint, metrics	what can be checked without running; function lengths
#	musl		build/musl/fugu, static, with musl
#	manual		write the list of options in man/fugu.conf.5 anew
#	dist		both static binaries and the source in build/dist/
#	install, uninstall, clean
#
# One kind of object is one suffix: .o what is installed, .ao for the tests
# (address and undefined behaviour sanitizers), .to thread sanitizer, .fo
# fuzzing, .mo musl.  Switches, on the command line or in config.mk:
#
#	STATIC=0	link dynamically
#	DEFLATE=0	leave out permessage-deflate and zlib
#	ECHO=1		the --echo end point for conformance suites
#	ROOM=ws		unit: only this room's tests and what they need

.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o .ao .to .fo .mo .unit .tunit .fuzz

VERSION = 0.1.0

# Nothing is unwound, so no tables for it.
SECTIONS = -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
# By way of the shell, so that the environment counts but not what a make
# has built in (c99, -O2).
CC != echo "$${CC-cc}"
CFLAGS != echo "$${CFLAGS--Os -flto=auto $(SECTIONS)}"
LDFLAGS != echo "$${LDFLAGS--Wl,--gc-sections}"
CPPFLAGS ?=
STRIP = strip
MUSL_CC = musl-gcc
FUZZ_CC = clang

DESTDIR ?=
PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man

STATIC = 1
DEFLATE = 1
ECHO = 0
TSAN = 0
ROOM =
JOBS = 2
FUZZ_TIME = 600
FUZZ_JOBS = 2

-include config.mk

# ---- flags ----

# A static program stands where it was linked: code that can be moved would
# only be longer, and constants on pages of their own 8 KB more.
PLACE_1 = -fno-pie
LINK_1 = -static -no-pie -Wl,-z,noseparate-code
ZLIB_1 = -lz
DEFLATE_1 = -DFUGU_DEFLATE
PACK_1 = gzip -9n
PACK_0 = cat
ECHO_1 = -DFUGU_ECHO

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wvla
DEFINE = -D_GNU_SOURCE -DFUGU_VERSION=\"$(VERSION)\" \
    $(DEFLATE_$(DEFLATE)) $(ECHO_$(ECHO))
BSD = -DLIBBSD_OVERLAY -isystem /usr/include/bsd
BASE = -std=c11 $(WARN) -pthread -I. $(DEFINE)
# The same bytes wherever the tree stands.
SAME = -ffile-prefix-map="$$(pwd)"=. -frandom-seed=$@
DEP = -MMD -MP -MF $@.d
LIBS = -lbearssl -lbsd -lmd $(ZLIB_$(DEFLATE))

SAN = -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all $(ECHO_1)
ASAN = $(SAN) -fsanitize=address,undefined
TSAN_FLAGS = $(SAN) -fsanitize=thread
FUZZ = $(SAN) -fsanitize=fuzzer,address,undefined
# See tests/unit/test.h.
WRAP = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
    -Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup

MUSL_DIR = build/musl
MUSL_INC = -DLIBBSD_OVERLAY -isystem $(MUSL_DIR)/include/bsd \
    -isystem $(MUSL_DIR)/include
MUSL_FLAGS = -Os -flto=auto $(SECTIONS) $(PLACE_1)
# What seldom runs is as small as can be, if slower.
COLD = -Oz
COLD_acme = $(COLD)
COLD_admin = $(COLD)
COLD_api = $(COLD)
COLD_conf = $(COLD)

# ---- files ----

SRC != sh tests/rooms.sh sources $(ROOM)
UNIT_SRC != ls tests/unit/$(ROOM)*_*.c 2>/dev/null || :
FUZZ_SRC != ls tests/fuzz/*.c 2>/dev/null || :

OBJ = $(SRC:.c=.o) main.o
UNIT = $(UNIT_SRC:.c=.unit)
TUNIT = $(UNIT_SRC:.c=.tunit)
FUZZERS = $(FUZZ_SRC:.c=.fuzz)

# Everything is made again when the way it is made changes.
FLAGS = $(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(BASE) $(BSD) $(LIBS) \
    $(LINK_$(STATIC)) $(MUSL_CC) $(MUSL_FLAGS) $(COLD) $(FUZZ_CC)
FLAGS_CHANGED != mkdir -p build && echo '$(FLAGS)' >build/flags.$$$$ && \
    { cmp -s build/flags.$$$$ build/flags && rm build/flags.$$$$ || \
    mv build/flags.$$$$ build/flags; }

# ---- the program ----

all: fugu

fugu: $(OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) $(LINK_$(STATIC)) -pthread $(SAME) -o $@ \
	    $(OBJ) $(LIBS)

fugu-asan: $(OBJ:.o=.ao)
	$(CC) $(ASAN) -pthread -o $@ $(OBJ:.o=.ao) $(LIBS)

fugu-tsan: $(OBJ:.o=.to)
	$(CC) $(TSAN_FLAGS) -pthread -o $@ $(OBJ:.o=.to) $(LIBS)

musl: $(MUSL_DIR)/fugu

$(MUSL_DIR)/fugu: $(OBJ:.o=.mo)
	$(MUSL_CC) $(MUSL_FLAGS) $(LINK_1) -Wl,--gc-sections -pthread \
	    $(SAME) -L$(MUSL_DIR)/lib -o $@ $(OBJ:.o=.mo) $(LIBS)

$(MUSL_DIR)/ready: tests/musl.sh
	sh tests/musl.sh $(MUSL_DIR) $(MUSL_CC)

.c.o:
	$(CC) $(BASE) $(BSD) $(PLACE_$(STATIC)) $(CPPFLAGS) $(CFLAGS) \
	    $(SAME) $(DEP) -c -o $@ $<
.c.ao:
	$(CC) $(BASE) $(BSD) $(CPPFLAGS) $(ASAN) $(DEP) -c -o $@ $<
.c.to:
	$(CC) $(BASE) $(BSD) $(CPPFLAGS) $(TSAN_FLAGS) $(DEP) -c -o $@ $<
.c.fo:
	$(FUZZ_CC) $(BASE) $(BSD) $(CPPFLAGS) $(FUZZ) $(DEP) -c -o $@ $<
.c.mo:
	$(MUSL_CC) $(BASE) $(MUSL_INC) $(MUSL_FLAGS) $(COLD_$(@D)) \
	    $(SAME) $(DEP) -c -o $@ $<

# The demo page, packed if it can be unpacked, as the initialiser of an array.
admin/demo_html.h: admin/demo.html build/flags
	$(PACK_$(DEFLATE)) <admin/demo.html | od -An -v -tx1 | \
	    sed 's/ \(..\)/0x\1,/g' >$@

# ---- tests ----

unit: $(UNIT)
tunit: $(TUNIT)
fuzzers: $(FUZZERS)

# A unit test is linked with the rooms that its room may use and no other.
.ao.unit:
	$(CC) $(ASAN) $(WRAP) -pthread -o $@ $< tests/unit/test.ao \
	    $$(sh tests/rooms.sh objects ao $<) $(LIBS)
.to.tunit:
	$(CC) $(TSAN_FLAGS) $(WRAP) -pthread -o $@ $< tests/unit/test.to \
	    $$(sh tests/rooms.sh objects to $<) $(LIBS)
.fo.fuzz:
	$(FUZZ_CC) $(FUZZ) -pthread -o $@ $< $(SRC:.c=.fo) $(LIBS)

$(UNIT): tests/unit/test.ao $(SRC:.c=.ao)
$(TUNIT): tests/unit/test.to $(SRC:.c=.to)
$(FUZZERS): $(SRC:.c=.fo)

check:
	MAKE="$(MAKE)" JOBS=$(JOBS) TSAN=$(TSAN) sh tests/run.sh check

fuzz:
	sh tests/install.sh build fuzz
	MAKE="$(MAKE)" JOBS=$(FUZZ_JOBS) FUZZ_TIME=$(FUZZ_TIME) \
	    sh tests/run.sh fuzz

bench:
	sh tests/install.sh build bench
	$(MAKE) fugu
	sh tests/bench/run.sh

build-test:
	MAKE="$(MAKE)" sh tests/build.sh

lint: admin/demo_html.h
	CC="$(CC)" CLANG="$(FUZZ_CC)" FLAGS='$(BASE) $(ECHO_1) $(BSD)' \
	    JOBS=$(JOBS) sh tests/lint.sh

metrics:
	sh tests/metrics.sh

# ---- use ----

run:
	sh tests/install.sh build
	$(MAKE) fugu
	./fugu demo

# The list of options in fugu.conf(5), from the table that the program reads.
manual: fugu
	./fugu configdoc --mdoc >build/options.5
	sed -e '/^@OPTIONS@$$/{' -e 'r build/options.5' -e d -e '}' \
	    man/fugu.conf.5.in >man/fugu.conf.5

dist:
	sh tests/install.sh build musl
	$(MAKE) fugu musl
	mkdir -p build/dist
	$(STRIP) -o build/dist/fugu-$(VERSION)-glibc fugu
	$(STRIP) -o build/dist/fugu-$(VERSION)-musl $(MUSL_DIR)/fugu
	git archive --prefix=fugu-$(VERSION)/ HEAD | gzip -9n \
	    >build/dist/fugu-$(VERSION).tar.gz
	cd build/dist && wc -c fugu-$(VERSION)-glibc fugu-$(VERSION)-musl \
	    fugu-$(VERSION).tar.gz

install: fugu
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man5 \
	    $(DESTDIR)$(MANDIR)/man8
	$(STRIP) -o $(DESTDIR)$(PREFIX)/bin/fugu fugu
	cp man/fugu.conf.5 $(DESTDIR)$(MANDIR)/man5/
	cp man/fugu.8 $(DESTDIR)$(MANDIR)/man8/
	chmod 755 $(DESTDIR)$(PREFIX)/bin/fugu
	chmod 644 $(DESTDIR)$(MANDIR)/man5/fugu.conf.5 \
	    $(DESTDIR)$(MANDIR)/man8/fugu.8

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/fugu \
	    $(DESTDIR)$(MANDIR)/man5/fugu.conf.5 \
	    $(DESTDIR)$(MANDIR)/man8/fugu.8

clean:
	rm -rf build fugu fugu-asan fugu-tsan admin/demo_html.h
	find . -name '*.o' -o -name '*.[atfm]o' -o -name '*o.d' \
	    -o -name '*.unit' -o -name '*.tunit' -o -name '*.fuzz' | \
	    xargs rm -f

.PHONY: all musl unit tunit fuzzers check fuzz bench build-test lint \
    metrics run manual dist install uninstall clean

# ---- what the objects depend on ----

$(OBJ) $(OBJ:.o=.ao) $(OBJ:.o=.to) $(OBJ:.o=.fo) $(OBJ:.o=.mo): build/flags
$(UNIT_SRC:.c=.ao) $(UNIT_SRC:.c=.to) $(FUZZ_SRC:.c=.fo): build/flags
tests/unit/test.ao tests/unit/test.to: build/flags
$(OBJ:.o=.mo): $(MUSL_DIR)/ready
admin/demo.o admin/demo.ao admin/demo.to admin/demo.fo admin/demo.mo: \
    admin/demo_html.h

-include $(OBJ:.o=.o.d)
-include $(OBJ:.o=.ao.d)
-include $(OBJ:.o=.to.d)
-include $(OBJ:.o=.fo.d)
-include $(OBJ:.o=.mo.d)
-include $(UNIT_SRC:.c=.ao.d)
-include $(UNIT_SRC:.c=.to.d)
-include $(FUZZ_SRC:.c=.fo.d)
