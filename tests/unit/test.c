/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The unit test harness: see test.h. It allocates nothing itself, so that a
 * test's allocations are exactly those of the code under test.
 */
#include <sys/mman.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define SWEEP_MAX	100000	/* a sweep longer than this does not end */

/* Head of the mapping that guard_dup returns an address in. */
struct guard {
	struct guard	*next;
	char		*p;
	size_t		 len;		/* of the whole mapping */
};

static struct test	*tests, **tests_end = &tests;
static const struct test *current;
static char		 note[256];
static int		 failures;	/* of the current test */
static struct guard	*guards;

static atomic_ulong	 allocs, allocs_failed, fail_first, fail_last;

void	*__real_malloc(size_t);
void	*__real_calloc(size_t, size_t);
void	*__real_realloc(void *, size_t);
void	*__real_reallocarray(void *, size_t, size_t);
char	*__real_strdup(const char *);
char	*__real_strndup(const char *, size_t);
void	*__wrap_malloc(size_t);
void	*__wrap_calloc(size_t, size_t);
void	*__wrap_realloc(void *, size_t);
void	*__wrap_reallocarray(void *, size_t, size_t);
char	*__wrap_strdup(const char *);
char	*__wrap_strndup(const char *, size_t);

void
test_register(struct test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

void
test_note(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(note, sizeof(note), fmt, ap);
	va_end(ap);
}

/* The file's name without folders and ".c". */
static struct sv
test_unit(const char *file)
{
	const char	*base = strrchr(file, '/');
	struct sv	 s = sv_from(base == NULL ? file : base + 1);

	if (sv_ends(s, SV(".c")))
		s.n -= 2;
	return s;
}

static void
fail_line(const char *file, int line, const char *expr)
{
	struct sv	 unit = test_unit(current->file);

	failures++;
	printf("FAIL %.*s: %s %s:%d %s", SV_ARG(unit), current->name, file,
	    line, expr);
	if (note[0] != '\0')
		printf(" [%s]", note);
}

bool
test_check(bool ok, const char *file, int line, const char *expr)
{
	if (ok)
		return true;
	fail_line(file, line, expr);
	printf("\n");
	return false;
}

bool
test_int(intmax_t a, intmax_t b, const char *file, int line, const char *expr)
{
	if (a == b)
		return true;
	fail_line(file, line, expr);
	printf(": %" PRIdMAX ", not %" PRIdMAX "\n", a, b);
	return false;
}

static void
print_bytes(struct sv s)
{
	size_t	i;

	printf("\"");
	for (i = 0; i < s.n && i < 400; i++) {
		unsigned char	c = (unsigned char)s.p[i];

		if (c < 0x20 || c >= 0x7f || c == '\\' || c == '"')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf(i < s.n ? "\"..." : "\"");
}

bool
test_sv(struct sv a, struct sv b, const char *file, int line, const char *expr)
{
	if (sv_eq(a, b))
		return true;
	fail_line(file, line, expr);
	printf(": ");
	print_bytes(a);
	printf(", not ");
	print_bytes(b);
	printf("\n");
	return false;
}

char *
guard_dup(struct sv s)
{
	size_t		 page = (size_t)sysconf(_SC_PAGESIZE);
	size_t		 data = (s.n + page - 1) / page * page;
	struct guard	*g;
	char		*base;

	/* head page, data pages, guard page */
	base = mmap(NULL, data + 2 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED ||
	    mprotect(base + page + data, page, PROT_NONE) == -1) {
		perror("guard_dup");
		exit(1);
	}
	g = (struct guard *)(void *)base;
	g->len = data + 2 * page;
	g->p = base + page + data - s.n;
	if (s.n > 0)
		memcpy(g->p, s.p, s.n);
	g->next = guards;
	guards = g;
	return g->p;
}

void
guard_free(char *p)
{
	struct guard	**gp, *g;

	if (p == NULL)
		return;
	for (gp = &guards; (g = *gp) != NULL; gp = &g->next) {
		if (g->p == p) {
			*gp = g->next;
			munmap(g, g->len);
			return;
		}
	}
	fprintf(stderr, "guard_free: not from guard_dup\n");
	exit(1);
}

static void
alloc_arm(unsigned long first, unsigned long last)
{
	atomic_store(&allocs, 0);
	atomic_store(&allocs_failed, 0);
	atomic_store(&fail_first, first);
	atomic_store(&fail_last, last);
}

void
alloc_fail_at(unsigned long n)
{
	alloc_arm(n, n);
}

void
alloc_fail_from(unsigned long n)
{
	alloc_arm(n, n == 0 ? 0 : (unsigned long)-1);
}

unsigned long
alloc_count(void)
{
	return atomic_load(&allocs);
}

unsigned long
alloc_failed(void)
{
	return atomic_load(&allocs_failed);
}

static bool
alloc_fails(void)
{
	unsigned long	i = atomic_fetch_add(&allocs, 1) + 1;

	if (i < atomic_load(&fail_first) || i > atomic_load(&fail_last))
		return false;
	atomic_fetch_add(&allocs_failed, 1);
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return alloc_fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return alloc_fails() ? NULL : __real_realloc(p, n);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return alloc_fails() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t n)
{
	return alloc_fails() ? NULL : __real_strndup(s, n);
}

static void
sweep(bool (*fn)(void), void (*arm)(unsigned long), const char *file,
    int line, const char *name)
{
	unsigned long	n, failed;
	bool		ok;

	for (n = 1; n <= SWEEP_MAX; n++) {
		arm(n);
		ok = fn();
		failed = alloc_failed();
		alloc_fail_at(0);
		if (failed == 0) {
			test_check(ok, file, line, name);
			return;
		}
	}
	test_check(false, file, line, "allocation sweep ends");
}

void
test_alloc_sweep(bool (*fn)(void), const char *file, int line,
    const char *name)
{
	sweep(fn, alloc_fail_at, file, line, name);
	sweep(fn, alloc_fail_from, file, line, name);
}

int
main(void)
{
	int	npass = 0, nfail = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (current = tests; current != NULL; current = current->next) {
		struct sv	unit = test_unit(current->file);

		failures = 0;
		note[0] = '\0';
		current->run();
		alloc_fail_at(0);
		if (failures > 0) {
			nfail++;
			continue;
		}
		npass++;
		printf("PASS %.*s: %s\n", SV_ARG(unit), current->name);
	}
	printf("%d passed, %d failed\n", npass, nfail);
	return nfail > 0;
}
