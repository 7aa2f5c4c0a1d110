/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What ACME servers say: whole, cut off at every byte, of wrong types, and
 * without memory to keep it; dates, links, and problems as people see them.
 */
#include <stdlib.h>

#include "acme/wire.h"
#include "tests/unit/test.h"

#define URN	"urn:ietf:params:acme:error:"

#define DIRECTORY \
	"{\"newNonce\":\"https://ca/nonce\"," \
	"\"newAccount\":\"https://ca/acct\"" \
	",\"newOrder\":\"https:\\/\\/ca\\/order\",\"revokeCert\":" \
	"\"https://ca/rev\",\"renewalInfo\":\"https://ca/ari\",\"meta\":{" \
	"\"profiles\":{\"classic\":\"https://x\",\"short\":1}," \
	"\"externalAccountRequired\":true},\"aRandomKey\":\"https://x\"}"

#define ORDER \
	"{\"status\":\"valid\",\"authorizations\":[\"https://ca/a/1\",7," \
	"\"https://ca/a/2\"],\"finalize\":\"https://ca/f\",\"certificate\":" \
	"\"https://ca/c\",\"error\":{\"type\":\"" URN "dns\",\"detail\":" \
	"\"NXDOMAIN\"}}"

#define AUTHZ \
	"{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\"," \
	"\"value\":\"a.example\"},\"challenges\":[{\"type\":\"dns-01\"," \
	"\"url\":\"https://ca/1\",\"token\":\"x\"},{\"type\":\"http-01\"," \
	"\"url\":\"https://ca/2\",\"token\":\"to-ken_1\",\"error\":{" \
	"\"type\":\"" URN "unauthorized\",\"detail\":\"404\"}}," \
	"{\"type\":\"tls-alpn-01\",\"url\":\"https://ca/3\"}]}"

#define WINDOW \
	"{\"suggestedWindow\":{\"start\":\"2027-01-15T08:00:00Z\"," \
	"\"end\":\"2027-01-16T08:00:00.25+00:00\"}}"

TEST(directories)
{
	struct acme_directory d;

	if (!CHECK_INT(acme_directory_read(&d, SV(DIRECTORY)), 0))
		return;
	CHECK_STR(d.new_nonce, "https://ca/nonce");
	CHECK_STR(d.new_account, "https://ca/acct");
	CHECK_STR(d.new_order, "https://ca/order");
	CHECK_STR(d.revoke_cert, "https://ca/rev");
	CHECK_STR(d.renewal_info, "https://ca/ari");
	CHECK_STR(d.profiles, "classic short ");
	CHECK(d.eab_required);
	acme_directory_fini(&d);
	/* The least. */
	CHECK_INT(acme_directory_read(&d, SV("{\"newNonce\":\"n\","
	    "\"newAccount\":\"a\",\"newOrder\":\"o\",\"meta\":[]}")), 0);
	CHECK(d.revoke_cert == NULL && d.renewal_info == NULL &&
	    d.profiles == NULL && !d.eab_required);
	acme_directory_fini(&d);
}

TEST(orders)
{
	static const struct {
		const char	*status;
		enum acme_state	 state;
	} states[] = {
		{ "\"pending\"", ACME_PENDING }, { "\"ready\"", ACME_READY },
		{ "\"processing\"", ACME_PROCESSING },
		{ "\"valid\"", ACME_VALID }, { "\"invalid\"", ACME_INVALID },
		{ "\"Valid\"", ACME_INVALID }, { "1", ACME_INVALID },
		{ "null", ACME_INVALID }, { "\"\"", ACME_INVALID },
	};
	struct acme_order	o;
	struct buf		b = BUF_INIT;
	size_t			i;

	if (!CHECK_INT(acme_order_read(&o, SV(ORDER)), 0))
		return;
	CHECK_INT(o.state, ACME_VALID);
	CHECK_INT(o.nauthz, 2);
	CHECK_STR(o.authz[1], "https://ca/a/2");
	CHECK_STR(o.finalize, "https://ca/f");
	CHECK_STR(o.certificate, "https://ca/c");
	CHECK_STR(o.problem, "NXDOMAIN (dns): the name does not resolve: has "
	    "it an A or AAAA record?");
	acme_order_fini(&o);
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		test_note("%s", states[i].status);
		buf_reset(&b);
		buf_printf(&b, "{\"finalize\":\"f\",\"status\":%s}",
		    states[i].status);
		CHECK_INT(acme_order_read(&o, buf_sv(&b)), 0);
		CHECK_INT(o.state, states[i].state);
		CHECK(o.nauthz == 0 && o.certificate == NULL &&
		    o.problem == NULL);
		acme_order_fini(&o);
	}
	/* More than anybody has. */
	buf_reset(&b);
	buf_puts(&b, "{\"finalize\":\"f\",\"authorizations\":[\"0\"");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, ",\"%zu\"", i);
	buf_puts(&b, "]}");
	CHECK_INT(acme_order_read(&o, buf_sv(&b)), 0);
	CHECK_INT(o.nauthz, ACME_AUTHZ_MAX);
	acme_order_fini(&o);
	buf_fini(&b);
}

TEST(authorizations)
{
	struct acme_authz a;

	if (!CHECK_INT(acme_authz_read(&a, SV(AUTHZ), "http-01"), 0))
		return;
	CHECK_INT(a.state, ACME_PENDING);
	CHECK_STR(a.name, "a.example");
	CHECK_STR(a.types, "dns-01, http-01, tls-alpn-01");
	CHECK_STR(a.url, "https://ca/2");
	CHECK_STR(a.token, "to-ken_1");
	CHECK(sv_starts(sv_from(a.problem), SV("404 (unauthorized): ")));
	acme_authz_fini(&a);
	/* Without a token there is no challenge. */
	CHECK_INT(acme_authz_read(&a, SV(AUTHZ), "tls-alpn-01"), 0);
	CHECK(a.url == NULL);
	acme_authz_fini(&a);
	CHECK_INT(acme_authz_read(&a, SV(AUTHZ), "tls-sni-01"), 0);
	CHECK(a.url == NULL && a.token == NULL);
	acme_authz_fini(&a);
}

/* Tokens become paths and file names, URLs request lines. */
TEST(tokens_and_urls_that_would_be_something_else)
{
	static const char *const tokens[] = {
		"a/b", "..", ".", "", "a b", "a\\u0000b", "a\\n", "\xc3\xa4",
		"a%2f", "a=",
	};
	static const char *const urls[] = {
		"", "a b", "a\\r\\nX: y", "\\u0001", "\xc3\xa4", "a\\u0000b",
		"a\\u007f",
	};
	struct acme_authz	a;
	struct acme_order	o;
	struct buf		b = BUF_INIT;
	size_t			i;

	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		test_note("token %zu", i);
		buf_reset(&b);
		buf_printf(&b, "{\"identifier\":{\"value\":\"a\"},\"challenges"
		    "\":[{\"type\":\"t\",\"url\":\"u\",\"token\":\"%s\"}]}",
		    tokens[i]);
		CHECK_INT(acme_authz_read(&a, buf_sv(&b), "t"), 0);
		CHECK(a.url == NULL);
		acme_authz_fini(&a);
	}
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		test_note("url %zu", i);
		buf_reset(&b);
		buf_printf(&b, "{\"finalize\":\"%s\"}", urls[i]);
		CHECK_INT(acme_order_read(&o, buf_sv(&b)), -1);
		/* Nor is it asked for an authorization there. */
		buf_reset(&b);
		buf_printf(&b, "{\"finalize\":\"f\",\"authorizations\":"
		    "[\"%s\"]}", urls[i]);
		CHECK_INT(acme_order_read(&o, buf_sv(&b)), 0);
		CHECK_INT(o.nauthz, 0);
		acme_order_fini(&o);
	}
	buf_reset(&b);
	buf_puts(&b, "{\"finalize\":\"");
	for (i = 0; i <= ACME_URL_MAX; i++)
		buf_putc(&b, 'u');
	buf_puts(&b, "\"}");
	CHECK_INT(acme_order_read(&o, buf_sv(&b)), -1);
	buf_fini(&b);
}

TEST(windows)
{
	static const char *const bad[] = {
		"{}", "[]", "{\"suggestedWindow\":1}",
		"{\"suggestedWindow\":{\"start\":\"2027-01-15T08:00:00Z\"}}",
		"{\"suggestedWindow\":{\"end\":\"2027-01-15T08:00:00Z\"}}",
		"{\"suggestedWindow\":{\"start\":\"2027-01-15T08:00:01Z\","
		    "\"end\":\"2027-01-15T08:00:00Z\"}}",
		"{\"suggestedWindow\":{\"start\":\"tomorrow\","
		    "\"end\":\"2027-01-15T08:00:00Z\"}}",
		"{\"suggestedWindow\":{\"start\":1,\"end\":2}}",
	};
	struct acme_window	w;
	size_t			i;

	CHECK_INT(acme_window_read(&w, SV(WINDOW)), 0);
	CHECK_INT(w.start, 1800000000);
	CHECK_INT(w.end, 1800086400);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("%s", bad[i]);
		CHECK_INT(acme_window_read(&w, sv_from(bad[i])), -1);
	}
}

/* ---- whatever it is ---- */

static int
read_all(struct sv s)
{
	struct acme_directory	d;
	struct acme_order	o;
	struct acme_authz	a;
	struct acme_window	w;
	int			n = 0;

	if (acme_directory_read(&d, s) == 0) {
		n++;
		acme_directory_fini(&d);
	}
	if (acme_order_read(&o, s) == 0) {
		n++;
		acme_order_fini(&o);
	}
	if (acme_authz_read(&a, s, "http-01") == 0) {
		n++;
		acme_authz_fini(&a);
	}
	if (acme_window_read(&w, s) == 0)
		n++;
	return n;
}

TEST(cut_off_anywhere)
{
	static const char *const all[] = { DIRECTORY, ORDER, AUTHZ, WINDOW };
	struct buf	b = BUF_INIT;
	size_t		i, n;
	char	       *p;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		CHECK_INT(read_all(sv_from(all[i])), 1);
		for (n = 0; n < strlen(all[i]); n++) {
			test_note("%zu, %zu bytes", i, n);
			p = guard_dup(sv_make(all[i], n));
			CHECK_INT(read_all(sv_make(p, n)), 0);
			buf_reset(&b);
			acme_problem_put(&b, 400, SV("a"), sv_make(p, n));
			CHECK_SV(buf_sv(&b), "the CA answers 400: no problem "
			    "document but a: is something between here and "
			    "the CA?");
			guard_free(p);
		}
	}
	buf_fini(&b);
}

TEST(what_is_none_of_it)
{
	static const char *const bad[] = {
		"", "<html><body>502 Bad Gateway</body></html>", "null", "[]",
		"\"text\"", "1", "{}",
		"{\"newNonce\":{},\"newAccount\":[],\"newOrder\":1}",
		"{\"finalize\":null}",
		"{\"identifier\":\"a\",\"challenges\":{}}",
	};
	struct buf	b = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		test_note("%s", bad[i]);
		CHECK_INT(read_all(sv_from(bad[i])), 0);
	}
	/* Too long, and too many of anything. */
	buf_puts(&b, ORDER);
	while (b.n <= 1024 * 1024)
		buf_putc(&b, ' ');
	CHECK_INT(read_all(buf_sv(&b)), 0);
	buf_reset(&b);
	buf_puts(&b, "{\"finalize\":\"f\",\"x\":[0");
	for (i = 0; i < 20000; i++)
		buf_puts(&b, ",0");
	buf_puts(&b, "]}");
	CHECK_INT(read_all(buf_sv(&b)), 0);
	buf_fini(&b);
}

static bool
read_with_little_memory(void)
{
	struct acme_directory	d;
	struct acme_order	o;
	struct acme_authz	a;
	struct acme_window	w;
	struct buf		b = BUF_INIT;
	bool			good;

	good = acme_directory_read(&d, SV(DIRECTORY)) == 0;
	if (good)
		acme_directory_fini(&d);
	if (good && (good = acme_order_read(&o, SV(ORDER)) == 0)) {
		good = o.nauthz == 2 && o.problem != NULL;
		acme_order_fini(&o);
	}
	if (good && (good = acme_authz_read(&a, SV(AUTHZ), "http-01") == 0)) {
		good = a.url != NULL && a.problem != NULL;
		acme_authz_fini(&a);
	}
	good = good && acme_window_read(&w, SV(WINDOW)) == 0;
	acme_problem_put(&b, 400, SV(""), SV("{\"type\":\"" URN "caa\"}"));
	good = good && !b.failed;
	buf_fini(&b);
	return good;
}

TEST(without_memory)
{
	ALLOC_SWEEP(read_with_little_memory);
}

/* ---- problems ---- */

TEST(problems_as_people_see_them)
{
	static const struct {
		int			 status;
		const char		*ctype, *body, *line;
		enum acme_trouble	 trouble;
	} rows[] = {
		{ 400, "application/problem+json", "{\"type\":\"" URN
		    "badNonce\",\"detail\":\"old\"}",
		    "the CA answers 400: old (badNonce)", ACME_BAD_NONCE },
		{ 403, "", "{\"type\":\"" URN "rateLimited\",\"detail\":"
		    "\"slow\"}", "the CA answers 403: slow (rateLimited): the "
		    "CA has had enough requests for now; use the staging "
		    "directory for tests", ACME_RATE_LIMITED },
		{ 429, "text/plain", "slow down", "the CA answers 429: no "
		    "problem document but text/plain: is something between "
		    "here and the CA?", ACME_RATE_LIMITED },
		{ 400, "", "{\"type\":\"" URN "accountDoesNotExist\"}",
		    "the CA answers 400:  (accountDoesNotExist)",
		    ACME_NO_ACCOUNT },
		{ 403, "", "{\"type\":\"" URN "orderNotReady\",\"detail\":"
		    "\"x\"}", "the CA answers 403: x (orderNotReady)",
		    ACME_NOT_READY },
		{ 409, "", "{\"type\":\"" URN "alreadyReplaced\",\"detail\":"
		    "\"x\"}", "the CA answers 409: x (alreadyReplaced)",
		    ACME_REPLACED },
		{ 404, "", "{\"type\":\"" URN "malformed\",\"detail\":\"x\"}",
		    "the CA answers 404: x (malformed)", ACME_MALFORMED },
		{ 400, "", "{\"type\":\"about:blank\",\"detail\":\"x\"}",
		    "the CA answers 400: x (about:blank)", ACME_OTHER },
		{ 400, "", "{\"type\":\"" URN "tls\",\"detail\":\"x\"}",
		    "the CA answers 400: x (tls): the CA can't speak TLS with "
		    "what answers on port 443", ACME_OTHER },
		{ 400, "", "{\"type\":\"" URN "invalidProfile\",\"detail\":"
		    "\"x\"}", "the CA answers 400: x (invalidProfile): look "
		    "at tls_autocert.profile", ACME_OTHER },
		{ 400, "", "{\"detail\":\"\\u001b]0;x\\u0007\\n\\t\\u007f.\"}",
		    "the CA answers 400:  ]0;x    . (no type)", ACME_OTHER },
		{ 400, "", "{\"type\":\"" URN "compound\",\"detail\":\"two\","
		    "\"subproblems\":[{\"type\":\"" URN "caa\",\"detail\":"
		    "\"no\",\"identifier\":{\"value\":\"b.example\"}},{}]}",
		    "the CA answers 400: two (" URN "compound); b.example: no "
		    "(caa): a CAA record of the name forbids this CA",
		    ACME_OTHER },
		{ 400, "", "{\"detail\":1,\"type\":[],\"subproblems\":[1]}",
		    "the CA answers 400:  (no type)", ACME_OTHER },
		{ 502, "text/html", "<html>", "the CA answers 502: no problem "
		    "document but text/html: is something between here and "
		    "the CA?", ACME_OTHER },
		{ 500, "", "", "the CA answers 500: no problem document but "
		    "nothing that has a type: is something between here and "
		    "the CA?", ACME_OTHER },
	};
	struct buf	b = BUF_INIT, line = BUF_INIT;
	size_t		i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("row %zu", i);
		buf_reset(&b);
		CHECK_INT(acme_problem_put(&b, rows[i].status,
		    sv_from(rows[i].ctype), sv_from(rows[i].body)),
		    rows[i].trouble);
		CHECK_SV(buf_sv(&b), rows[i].line);
	}
	/* A novel is cut. */
	buf_reset(&b);
	buf_puts(&b, "{\"detail\":\"");
	for (i = 0; i < 2000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\"}");
	acme_problem_put(&line, 400, SV(""), buf_sv(&b));
	CHECK(line.n > 300 && line.n < 400);
	buf_fini(&line);
	buf_fini(&b);
}

/* ---- dates and headers ---- */

TEST(dates)
{
	static const struct {
		const char	*text;
		int64_t		 t;
	} rows[] = {
		{ "2027-01-15T08:00:00Z", 1800000000 },
		{ "2027-01-15t08:00:00z", 1800000000 },
		{ "2027-01-15 08:00:00.123456789Z", 1800000000 },
		{ "2027-01-15T10:30:00+02:30", 1800000000 },
		{ "2027-01-15T03:00:00-05:00", 1800000000 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T23:59:60Z", 951868800 },
		{ "2100-03-01T00:00:00Z", 4107542400 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Fri, 15 Jan 2027 08:00:00 GMT", 1800000000 },
		{ "Fri, 31 Dec 2027 23:59:59 GMT", 1830297599 },
		{ "", -1 }, { "Z", -1 }, { "2027", -1 }, { "2027-01-15", -1 },
		{ "2027-01-15T08:00:00", -1 }, { "2027-13-15T08:00:00Z", -1 },
		{ "2027-00-15T08:00:00Z", -1 }, { "2027-01-32T08:00:00Z", -1 },
		{ "2027-01-15T24:00:00Z", -1 }, { "2027-01-15T08:60:00Z", -1 },
		{ "2027-01-15T08:00:00Zx", -1 }, { "1969-01-01T00:00:00Z", -1 },
		{ "2027-1-15T08:00:00Z", -1 }, { "2027-01-15T08:00:00+0200",
		    -1 }, { "2027--1-15T08:00:00Z", -1 },
		{ "2027-01-15T08:-1:00Z", -1 }, { "tomorrow", -1 },
		{ "Fri, 15 Jam 2027 08:00:00 GMT", -1 },
		{ "Fri, 15 Jan 2027", -1 }, { "Fri,", -1 },
	};
	size_t	i, n;
	char   *p;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].text);
		for (n = 0; n <= strlen(rows[i].text); n++) {
			p = guard_dup(sv_make(rows[i].text, n));
			if (n == strlen(rows[i].text))
				CHECK_INT(acme_date(sv_make(p, n)),
				    rows[i].t);
			else
				acme_date(sv_make(p, n));
			guard_free(p);
		}
	}
}

TEST(retry_after)
{
	static const struct {
		const char	*text;
		int64_t		 wait;
	} rows[] = {
		{ "", 0 }, { "0", 0 }, { "120", 120 }, { " 7 ", 7 },
		{ "-1", 0 }, { "1.5", 0 }, { "soon", 0 },
		{ "99999999999", INT32_MAX },
		{ "99999999999999999999999", 0 },
		{ "Fri, 15 Jan 2027 08:02:00 GMT", 120 },
		{ "Fri, 15 Jan 2027 07:59:00 GMT", 0 },
		{ "2027-01-15T09:00:00Z", 3600 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].text);
		CHECK_INT(acme_retry_after(sv_from(rows[i].text), 1800000000),
		    rows[i].wait);
	}
}

TEST(links)
{
	static const struct {
		const char *value, *first, *second;
	} rows[] = {
		{ "<https://ca/1>;rel=\"alternate\"", "https://ca/1", "" },
		{ " <u> ; rel=alternate ", "u", "" },
		{ "<u>; title=\"a;b, <c>\"; REL=\"Alternate\"", "u", "" },
		{ "<i>;rel=\"index\", <u>;rel=\"alternate\"", "u", "" },
		{ "<u>;rel=\"alternate\", <i>;rel=\"index\"", "u", "" },
		{ "<u>;rel=\"alternate\",<v>;rel=\"alternate\"", "u", "v" },
		{ "<a,b;c>;rel=\"alternate\"", "a,b;c", "" },
		{ "<u>;rel=\"up\"", "", "" }, { "<u>", "", "" },
		{ "<u>;rel", "", "" }, { "<u", "", "" }, { "u", "", "" },
		{ "", "", "" }, { "<>;rel=\"alternate\"", "", "" },
		{ "<u>;rel=\"alternate", "", "" },
		{ "<u>;rel=\"", "", "" },
	};
	struct sv	value;
	size_t		i, n;
	char	       *p;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		test_note("%s", rows[i].value);
		value = sv_from(rows[i].value);
		CHECK_SV(acme_link(&value, "alternate"), rows[i].first);
		CHECK_SV(acme_link(&value, "alternate"), rows[i].second);
		for (n = 0; n < strlen(rows[i].value); n++) {
			p = guard_dup(sv_make(rows[i].value, n));
			value = sv_make(p, n);
			acme_link(&value, "alternate");
			guard_free(p);
		}
	}
}
