/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What must be right about the verification of tokens. Expressions are
 * compiled on the way.
 *
 * A named group of an expression can stand in the URL from which keys are
 * fetched. What it matches comes from a token that nobody has verified yet:
 * if it could match any text, whoever makes up a token could choose where
 * its keys come from. So it must be a list of fixed words. As Centrifugo
 * does, classes of characters are refused in the whole expression then.
 */
#include "conf/load.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* What an expression consists of, as far as it matters here. */
enum part {
	PART_CHAR,	/* stands for itself, or is '|' */
	PART_OPEN,	/* of a group without a name */
	PART_NAMED,	/* of one with a name */
	PART_CLOSE,
	PART_CLASS,
	PART_OTHER	/* repetition, assertion, any character, flags */
};

/* The part at the front of *re, which is not empty, and is taken off; for
 * PART_NAMED its name. */
static enum part
next_part(struct sv *re, struct sv *name)
{
	char c = re->p[0], next = re->n > 1 ? re->p[1] : '\0';

	if (sv_starts(*re, SV("(?P<")) || sv_starts(*re, SV("(?<"))) {
		*re = sv_skip(*re, re->p[2] == 'P' ? 4 : 3);
		*name = sv_cut(re, '>');
		return PART_NAMED;
	}
	if (sv_starts(*re, SV("(?:"))) {
		*re = sv_skip(*re, 3);
		return PART_OPEN;
	}
	*re = sv_skip(*re, c == '\\' ? 2 : 1);
	switch (c) {
	case '\\':
		if (next != '\0' && strchr("dDwWsSpP", next) != NULL)
			return PART_CLASS;
		return is_alnum(next) ? PART_OTHER : PART_CHAR;
	case '[':
		return PART_CLASS;
	case '(':
		return PART_OPEN;	/* flags are told by the next, ? */
	case ')':
		return PART_CLOSE;
	default:
		return strchr(".*+?{^$", c) != NULL ? PART_OTHER : PART_CHAR;
	}
}

/* Whether words, perhaps in groups, are all up to the end of the group that
 * re is the inside of. Classes are not looked for: see unsafe. */
static bool
is_words(struct sv re)
{
	enum part part = PART_CHAR;
	size_t depth = 1;
	struct sv name;

	while (re.n > 0 && depth > 0) {
		part = next_part(&re, &name);
		if (part == PART_OTHER)
			return false;
		if (part == PART_CLOSE)
			depth--;
		else if (part != PART_CHAR)
			depth++;
	}
	return true;
}

/* Whether a URL holds {{name}}. */
static bool
has_place(const char *url, struct sv name)
{
	struct conf_path place = { .n = 0 };

	conf_path_add(&place, SV("{{"));
	conf_path_add(&place, name);
	conf_path_add(&place, SV("}}"));
	return strstr(url, place.s) != NULL;
}

/* Why what an expression matches must not go into a URL, or NULL. */
static const char *
unsafe(struct sv re, const char *url)
{
	const char *places = strstr(url, "{{");
	struct sv name;

	if (places == NULL || strstr(places, "}}") == NULL)
		return NULL;
	while (re.n > 0)
		switch (next_part(&re, &name)) {
		case PART_CLASS:
			return "must hold no class of characters, because "
			    "jwks_public_endpoint holds a group";
		case PART_NAMED:
			if (has_place(url, name) && !is_words(re))
				return "the group in jwks_public_endpoint "
				    "must be a list of words";
			break;
		default:
			break;
		}
	return NULL;
}

static void
check_safety(struct conf_load *l, const char *group, const char *name,
    const char *re, const struct conf_token *t)
{
	const char *why = unsafe(sv_from(re), t->jwks_public_endpoint);

	if (why != NULL)
		conf_bad(l, t->insecure_skip_jwks_endpoint_safety_check ?
		    CONF_WARN : CONF_BAD, group, name, why);
}

/* see load.h */
void
conf_check_pem(struct conf_load *l, const char *group, const char *name,
    const char *value)
{
	struct buf b = BUF_INIT;
	const char *why;

	if (*value != '\0' && conf_pem_read(value, &b, &why) == -1)
		conf_bad(l, CONF_BAD, group, name, why);
	buf_wipe(&b);
}

static void
check_token(struct conf_load *l, const char *group, struct conf_token *t)
{
	conf_check_pem(l, group, "rsa_public_key", t->rsa_public_key);
	conf_check_pem(l, group, "ecdsa_public_key", t->ecdsa_public_key);
	if (*t->audience != '\0' && *t->audience_regex != '\0')
		conf_bad(l, CONF_BAD, group, "audience_regex",
		    "can't be used together with audience");
	if (*t->issuer != '\0' && *t->issuer_regex != '\0')
		conf_bad(l, CONF_BAD, group, "issuer_regex",
		    "can't be used together with issuer");
	conf_compile(l, group, "audience_regex", t->audience_regex,
	    &t->audience_re);
	conf_compile(l, group, "issuer_regex", t->issuer_regex,
	    &t->issuer_re);
	if (*t->jwks_public_endpoint != '\0' &&
	    strncmp(t->jwks_public_endpoint, "https://", 8) != 0 &&
	    strncmp(t->jwks_public_endpoint, "http://", 7) != 0)
		conf_bad(l, CONF_BAD, group, "jwks_public_endpoint",
		    "must begin with https:// or http://");
	check_safety(l, group, "audience_regex", t->audience_regex, t);
	check_safety(l, group, "issuer_regex", t->issuer_regex, t);
}

static void
check_claim(struct conf_load *l, const char *group, const char *claim)
{
	for (; *claim != '\0'; claim++)
		if (!conf_is_letter(*claim)) {
			conf_bad(l, CONF_BAD, group, "user_id_claim",
			    "must be of letters and _ only");
			break;
		}
}

/* see load.h */
void
conf_check_tokens(struct conf_load *l)
{
	struct conf_client *c = &l->c->client;

	check_claim(l, "client.token", c->token.user_id_claim);
	check_token(l, "client.token", &c->token);
	check_claim(l, "client.subscription_token",
	    c->subscription_token.token.user_id_claim);
	if (c->subscription_token.enabled)
		check_token(l, "client.subscription_token",
		    &c->subscription_token.token);
}
