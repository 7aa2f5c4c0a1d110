/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The log. Each test has it write to a file of its own, or stands a pipe in
 * for stderr, and compares whole lines but for the time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/log.h"

static char	path[64];
static int	saved_stderr = -1;

/* Send stderr to a fresh file, with these options. */
static void
log_start(enum log_level lv, enum log_format f, bool journal)
{
	int	fd;

	snprintf(path, sizeof(path), "/tmp/fugu-log-test.XXXXXX");
	fd = mkstemp(path);
	saved_stderr = dup(STDERR_FILENO);
	if (fd == -1 || saved_stderr == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		abort();
	close(fd);
	CHECK_INT(log_init(&(struct log_options){ .level = lv, .format = f,
	    .journal = journal }), 0);
}

static struct buf
read_file(const char *file)
{
	struct buf	b = BUF_INIT;
	FILE		*f = fopen(file, "r");
	size_t		n;

	if (f == NULL)
		return b;
	n = fread(buf_reserve(&b, 1 << 20), 1, 1 << 20, f);
	buf_commit(&b, n);
	fclose(f);
	return b;
}

/* Put stderr back; what was written. */
static struct buf
log_stop(void)
{
	struct buf	b;

	log_init(&(struct log_options){ .level = LOG_INFO });
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	b = read_file(path);
	unlink(path);
	return b;
}

/* A copy of log with the digits of each time replaced by 0. */
static struct sv
without_times(struct buf *b)
{
	size_t	i, k;

	for (i = 0; i + 24 <= b->n; i++) {
		if (b->p[i + 10] != 'T' || b->p[i + 23] != 'Z' ||
		    b->p[i + 4] != '-' || b->p[i + 19] != '.')
			continue;
		for (k = i; k < i + 24; k++)
			if (b->p[k] >= '0' && b->p[k] <= '9')
				b->p[k] = '0';
	}
	return buf_sv(b);
}

#define T	"0000-00-00T00:00:00.000Z"

/* What a peer may send. */
#define NASTY	SV("a\nb\"c\\d\x1b[31m\xc2\x9b\xff\xc3\xa4")

TEST(logfmt)
{
	struct buf	b;

	log_start(LOG_INFO, LOG_LOGFMT, false);
	log_info("listening", kv_s("addr", "[::1]"), kv_u("port", 8000));
	log_warn("two words", kv_s("empty", ""), kv_s("null", NULL),
	    kv_s("space", "a b"), kv_s("eq", "a=b"), kv_s("plain", "a/b:c"));
	log_error("numbers", kv_i("min", INT64_MIN), kv_u("max", UINT64_MAX));
	log_error("peer", kv_sv("text", NASTY));
	log_fatal("no values");
	b = log_stop();
	CHECK_SV(without_times(&b),
	    "time=" T " level=info msg=listening addr=[::1] port=8000\n"
	    "time=" T " level=warn msg=\"two words\" empty=\"\" null=\"\" "
	    "space=\"a b\" eq=\"a=b\" plain=a/b:c\n"
	    "time=" T " level=error msg=numbers min=-9223372036854775808 "
	    "max=18446744073709551615\n"
	    "time=" T " level=error msg=peer text=\"a\\nb\\\"c\\\\d\\x1b[31m"
	    "\\xc2\\x9b\\xff\xc3\xa4\"\n"
	    "time=" T " level=fatal msg=\"no values\"\n");
	buf_fini(&b);
}

TEST(json)
{
	struct buf	b;

	log_start(LOG_INFO, LOG_JSON, false);
	log_info("two words", kv_s("addr", "a b"), kv_u("port", 8000),
	    kv_i("neg", -1));
	log_warn("peer", kv_sv("text", NASTY));
	b = log_stop();
	CHECK_SV(without_times(&b),
	    "{\"time\":\"" T "\",\"level\":\"info\",\"message\":\"two words\","
	    "\"addr\":\"a b\",\"port\":8000,\"neg\":-1}\n"
	    "{\"time\":\"" T "\",\"level\":\"warn\",\"message\":\"peer\","
	    "\"text\":\"a\\nb\\\"c\\\\d\\u001b[31m\\ufffd\\ufffd\\ufffd"
	    "\xc3\xa4\"}\n");
	buf_fini(&b);
}

TEST(journal)
{
	struct buf	b;

	log_start(LOG_TRACE, LOG_LOGFMT, true);
	log_trace("a b", kv_s("k", "v w"));
	log_debug("x");
	log_info("x");
	log_warn("x");
	log_error("x\ny");
	log_fatal("x");
	b = log_stop();
	CHECK_SV(buf_sv(&b), "<7>a b k=\"v w\"\n<7>x\n<6>x\n<4>x\n"
	    "<3>x\\ny\n<2>x\n");
	buf_fini(&b);
	log_start(LOG_INFO, LOG_JSON, true);
	log_info("x");
	b = log_stop();
	CHECK_SV(buf_sv(&b), "<6>{\"level\":\"info\",\"message\":\"x\"}\n");
	buf_fini(&b);
}

TEST(levels)
{
	struct buf	b;
	enum log_level	lv;
	int		i;

	log_start(LOG_WARN, LOG_LOGFMT, true);
	CHECK(!log_on(LOG_INFO) && log_on(LOG_WARN));
	log_info("no");
	log_warn("yes");
	log_init(&(struct log_options){ .level = LOG_NONE, .journal = true });
	log_fatal("no");
	b = log_stop();
	CHECK_SV(buf_sv(&b), "<4>yes\n");
	buf_fini(&b);
	for (i = LOG_TRACE; i <= LOG_NONE; i++) {
		CHECK_INT(log_level_parse(sv_from(log_level_name(
		    (enum log_level)i)), &lv), 0);
		CHECK_INT(lv, i);
	}
	CHECK_INT(log_level_parse(SV("INFO"), &lv), -1);
	CHECK_INT(log_level_parse(SV(""), &lv), -1);
	CHECK_INT(log_level_parse(SV("inf"), &lv), -1);
}

TEST(repeats_are_counted)
{
	struct buf	b;
	int		i;

	log_start(LOG_INFO, LOG_LOGFMT, true);
	for (i = 0; i < 5; i++)
		log_warn("full", kv_i("fd", 3));
	log_warn("full", kv_i("fd", 4));	/* another value */
	log_error("full", kv_i("fd", 4));	/* another level */
	log_error("full", kv_i("fd", 4));
	b = log_stop();				/* log_init tells the rest */
	CHECK_SV(buf_sv(&b), "<4>full fd=3\n"
	    "<4>last line repeated 4 times\n"
	    "<4>full fd=4\n<3>full fd=4\n<3>last line repeated 1 time\n");
	buf_fini(&b);
}

TEST(repeats_are_told_each_second)
{
	struct buf	b;

	log_start(LOG_INFO, LOG_LOGFMT, true);
	log_warn("full");
	log_warn("full");
	usleep(1100000);
	log_warn("full");
	b = log_stop();
	CHECK_SV(buf_sv(&b), "<4>full\n<4>last line repeated 1 time\n"
	    "<4>full\n");
	buf_fini(&b);
}

/* One line of no more than the maximum, and a whole one: the quotes of
 * logfmt are pairs, JSON is JSON. */
static void
check_whole(struct sv s, enum log_format f)
{
	struct json	j;
	size_t		i, quotes = 0;

	CHECK(s.n <= 4096);
	CHECK_INT(sv_chr(s, '\n'), s.n - 1);
	for (i = 0; i < s.n; i++)
		quotes += s.p[i] == '"';
	CHECK_INT(quotes % 2, 0);
	if (f == LOG_LOGFMT)
		return;
	json_init(&j);
	CHECK_INT(json_parse(&j, sv_skip(s, strlen("<6>")), 0), 0);
	json_fini(&j);
}

/* Values of each length around a line's end, the last of them quoted. */
TEST(long_lines_are_cut)
{
	/* before the value, and from it into the last one, in each format;
	 * eight bytes of 4096 are kept back */
	static const size_t	head[] = {
		sizeof("<6>m k=") - 1,
		sizeof("<6>{'level':'info','message':'m','k':'") - 1
	}, tail[] = {
		sizeof(" q='x y' n=123456 last='") - 1,
		sizeof("','q':'x y','n':123456,'last':'") - 1
	};
	static char	text[5000];
	int		f;
	size_t		n;

	memset(text, 'x', sizeof(text));
	for (f = LOG_LOGFMT; f <= LOG_JSON; f++) {
		for (n = 3900; n < 4200; n++) {
			struct buf	b;

			test_note("format %d length %zu", f, n);
			log_start(LOG_INFO, (enum log_format)f, true);
			log_info("m", kv_sv("k", sv_make(text, n)),
			    kv_s("q", "x y"), kv_u("n", 123456),
			    kv_s("last", "x\n\xff"));
			b = log_stop();
			check_whole(buf_sv(&b), (enum log_format)f);
			CHECK((memmem(b.p, b.n, "xxx...", 6) != NULL) ==
			    (head[f] + n > 4088));
			CHECK((memmem(b.p, b.n, "last", 4) != NULL) ==
			    (head[f] + n + tail[f] <= 4088));
			buf_fini(&b);
		}
	}
}

TEST(file_and_rotation)
{
	char		dir[] = "/tmp/fugu-log-test.XXXXXX";
	char		file[64], moved[64], none[64];
	struct buf	b;
	struct stat	st;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(file, sizeof(file), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	snprintf(none, sizeof(none), "%s/none/log", dir);
	log_start(LOG_INFO, LOG_LOGFMT, true);
	CHECK_INT(log_init(&(struct log_options){ .level = LOG_INFO,
	    .journal = true, .file = file }), 0);
	log_info("one");
	rename(file, moved);
	CHECK_INT(log_reopen(), 0);
	log_info("two");
	CHECK_INT(log_init(&(struct log_options){ .level = LOG_NONE,
	    .file = none }), -1);
	CHECK_INT(errno, ENOENT);
	log_info("three");		/* nothing changed */
	b = log_stop();
	CHECK_INT(b.n, 0);		/* nothing went to stderr */
	buf_fini(&b);

	b = read_file(moved);
	CHECK_SV(without_times(&b), "time=" T " level=info msg=one\n");
	buf_fini(&b);
	b = read_file(file);
	CHECK_SV(without_times(&b), "time=" T " level=info msg=two\n"
	    "time=" T " level=info msg=three\n");
	buf_fini(&b);
	CHECK_INT(stat(file, &st), 0);
	CHECK_INT(st.st_mode & 07027, 0);
	unlink(file);
	unlink(moved);
	rmdir(dir);
}

TEST(journal_is_recognised)
{
	struct stat	st;
	char		id[64];

	unsetenv("JOURNAL_STREAM");
	CHECK(!log_stderr_is_journal());
	if (fstat(STDERR_FILENO, &st) == -1)
		abort();
	snprintf(id, sizeof(id), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", id, 1);
	CHECK(log_stderr_is_journal());
	strlcat(id, "0", sizeof(id));
	setenv("JOURNAL_STREAM", id, 1);
	CHECK(!log_stderr_is_journal());
	setenv("JOURNAL_STREAM", "", 1);
	CHECK(!log_stderr_is_journal());
	unsetenv("JOURNAL_STREAM");
}

TEST(errno_survives)
{
	struct buf	b;

	log_start(LOG_INFO, LOG_LOGFMT, true);
	errno = ENOENT;
	log_info("x", kv_errno(errno));
	CHECK_INT(errno, ENOENT);
	close(STDERR_FILENO);		/* a write that fails */
	log_info("y");
	CHECK_INT(errno, ENOENT);
	b = log_stop();
	CHECK_SV(buf_sv(&b), "<6>x error=\"No such file or directory\"\n");
	buf_fini(&b);
}

static void *
writer(void *arg)
{
	int	i, id = *(int *)arg;

	for (i = 0; i < 500; i++)
		log_info("line", kv_i("writer", id), kv_i("i", i));
	return NULL;
}

TEST(lines_of_several_threads_stay_whole)
{
	pthread_t	thread[4];
	int		id[4], i, next[4] = { 0 };
	struct buf	b;
	struct sv	rest, line;

	log_start(LOG_INFO, LOG_LOGFMT, true);
	for (i = 0; i < 4; i++) {
		id[i] = i;
		if (pthread_create(&thread[i], NULL, writer, &id[i]) != 0)
			abort();
	}
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	b = log_stop();
	for (rest = buf_sv(&b); rest.n > 0; ) {
		char	want[64];

		line = sv_cut(&rest, '\n');
		if (!CHECK(sv_starts(line, SV("<6>line writer="))))
			break;
		i = line.p[15] - '0';
		snprintf(want, sizeof(want), "<6>line writer=%d i=%d", i,
		    next[i & 3]++);
		if (!CHECK_SV(line, want))
			break;
	}
	for (i = 0; i < 4; i++)
		CHECK_INT(next[i], 500);
	buf_fini(&b);
}
