/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The machine that gets certificates, answered with whatever: of the input's
 * lines the first is the state file, and each of the rest one answer, whose
 * first byte chooses status, header lines and content type. "0" and so on
 * fetch one of the bodies that a CA would send.
 */
#include <assert.h>
#include <string.h>

#include "acme/order.h"

#define STEPS	60
#define CA	"https://ca.example"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char *const bodies[] = {
	"{\"newNonce\":\"" CA "/n\",\"newAccount\":\"" CA "/a\",\"newOrder\":"
	    "\"" CA "/o\",\"renewalInfo\":\"" CA "/r\"}",
	"{\"status\":\"pending\",\"authorizations\":[\"" CA "/z\"],"
	    "\"finalize\":\"" CA "/f\"}",
	"{\"status\":\"ready\",\"finalize\":\"" CA "/f\"}",
	"{\"status\":\"processing\",\"finalize\":\"" CA "/f\"}",
	"{\"status\":\"valid\",\"finalize\":\"" CA "/f\",\"certificate\":\""
	    CA "/c\"}",
	"{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"url\":\"" CA "/h\","
	    "\"token\":\"t\"}]}",
	"{\"status\":\"valid\",\"identifier\":{\"value\":\"a.example\"}}",
	"{\"type\":\"urn:ietf:params:acme:error:badNonce\"}",
	"{\"type\":\"urn:ietf:params:acme:error:accountDoesNotExist\"}",
	"{\"type\":\"urn:ietf:params:acme:error:orderNotReady\"}",
};

/* Cheap; keys need no more here. */
static void
no_random(void *p, size_t n)
{
	memset(p, 7, n);
}

static void
answer(struct acme_reply *r, struct sv line)
{
	static const struct sv	link = SV_INIT("<" CA "/x>;rel=\"alternate\"");
	unsigned char		c = line.n > 0 ? (unsigned char)line.p[0] : 0;

	memset(r, 0, sizeof(*r));
	r->why = c == '!' ? "refused" : NULL;
	r->status = c & 1 ? 200 : c & 2 ? 400 : c & 4 ? 503 : 301;
	r->ctype = c & 8 ? SV("application/pem-certificate-chain") :
	    SV("application/json");
	r->nonce = c & 16 ? SV("") : SV("nonce");
	r->location = c & 32 ? sv_skip(line, 1) : SV(CA "/l");
	r->retry_after = c & 64 ? sv_skip(line, 1) : SV("");
	r->link = c & 128 ? &link : NULL;
	r->nlink = c & 128 ? 1 : 0;
	r->body = sv_skip(line, 1);
	if (r->body.n == 1 && *r->body.p >= '0' && *r->body.p <= '9')
		r->body = sv_from(bodies[*r->body.p - '0']);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct sv	name = SV_INIT("a.example");
	const struct acme_want	want = { .directory = SV_INIT(CA), .name =
				    &name, .nname = 1, .can = { true, true },
				    .preferred_chain = SV_INIT("X") };
	struct sv		rest = sv_make(p, n);
	struct acme_disk	disk = { .state = sv_cut(&rest, '\n') };
	struct acme	       *a = acme_new(&want, no_random);
	struct acme_step	s;
	struct acme_reply	r;
	int64_t			now = 1800000000;
	int			i;

	disk.account = SV("-----BEGIN EC PRIVATE KEY-----\n"
	    "MDECAQEEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHoAoGCCqGSM49\n"
	    "AwEH\n-----END EC PRIVATE KEY-----\n");
	acme_load(a, &disk);
	for (i = 0; i < STEPS; i++) {
		acme_next(a, now, &s);
		assert(s.say.n == 0 || memchr(s.say.p, '\n', s.say.n) == NULL);
		if (s.what == ACME_WAIT || s.what == ACME_IDLE) {
			assert(s.until > now);
			now = s.until > now + 1000000 ? now + 1000000 :
			    s.until;
		} else if (s.what == ACME_REQUEST) {
			assert(s.url.n > 0);
			answer(&r, sv_cut(&rest, '\n'));
			acme_reply(a, now, &r);
		} else {
			acme_done(a, now, rest.n % 16 == 1 ? "failed" : NULL);
		}
	}
	acme_free(a);
	return 0;
}
