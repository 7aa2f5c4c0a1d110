/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The unit test harness. A test program is one file tests/unit/ROOM_FILE.c
 * linked with tests/unit/test.o, which holds main(), and with the objects
 * that the room may use. Its tests register themselves:
 *
 *	TEST(trims_blanks)
 *	{
 *		CHECK_SV(sv_trim(SV(" a ")), "a");
 *	}
 *
 * It prints a PASS or FAIL line for each test, then `N passed, N failed',
 * and exits with 1 if any failed. A failed check does not end its test; every
 * check gives whether it held, so write `if (!CHECK(p != NULL)) return;'.
 *
 * Link flags of every test program:
 *
 *	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *	-Wl,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/sv.h"

struct test {
	const char	*file;
	const char	*name;
	void		(*run)(void);
	struct test	*next;
};

void	test_register(struct test *);

#define TEST(id)							\
	static void test_fn_##id(void);					\
	static struct test test_rec_##id =				\
	    { __FILE__, #id, test_fn_##id, NULL };			\
	__attribute__((constructor)) static void			\
	test_reg_##id(void)						\
	{								\
		test_register(&test_rec_##id);				\
	}								\
	static void test_fn_##id(void)

/* What the following checks are about: shown with each that fails, until
 * the next note or the test's end. For rows of tables. */
void	test_note(const char *, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(e)	test_check((e), __FILE__, __LINE__, #e)
#define CHECK_INT(a, b)	test_int((intmax_t)(a), (intmax_t)(b),		\
			    __FILE__, __LINE__, #a " == " #b)
/* The second is a string: a view against it, or a string against it. */
#define CHECK_SV(v, s)	test_sv((v), sv_from(s), __FILE__, __LINE__,	\
			    #v " == " #s)
#define CHECK_STR(v, s)	test_sv(sv_from(v), sv_from(s), __FILE__,	\
			    __LINE__, #v " == " #s)
/* Two views, for bytes that may hold NUL. */
#define CHECK_SVEQ(a, b) test_sv((a), (b), __FILE__, __LINE__, #a " == " #b)

bool	test_check(bool, const char *file, int line, const char *expr);
bool	test_int(intmax_t, intmax_t, const char *file, int line, const char *);
bool	test_sv(struct sv, struct sv, const char *file, int line, const char *);

/* A copy whose last byte stands right before an inaccessible page, so that
 * a read past the end is a crash whatever the sanitizer. */
char	*guard_dup(struct sv);
void	 guard_free(char *);

/* The n-th allocation from now on fails (n = 1: the next), once; 0: none.
 * With _from also all after it. */
void	 alloc_fail_at(unsigned long n);
void	 alloc_fail_from(unsigned long n);
/* Allocations asked for, and failed, since the last alloc_fail call. */
unsigned long alloc_count(void);
unsigned long alloc_failed(void);

/*
 * Run fn, which says whether it saw success, with the first allocation
 * failing, then with the second, and so on until none failed; then once
 * more where all after the n-th fail too. A run in which none failed must
 * succeed. What fn leaks on the way LeakSanitizer reports.
 */
#define ALLOC_SWEEP(fn)	test_alloc_sweep((fn), __FILE__, __LINE__, #fn)
void	 test_alloc_sweep(bool (*fn)(void), const char *file, int line,
	    const char *name);

#endif
