/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Names to addresses (RFC 1035, 3596), in the loop and without a thread:
 * /etc/hosts, then the name servers of /etc/resolv.conf over UDP with its
 * search list. Not getaddrinfo(), which blocks and in a static program needs
 * the very libraries that it was linked without. Nothing is cached: names
 * are asked for when a connection is opened, and connections are kept.
 *
 * Limits: no TCP for answers over 512 bytes (what came is used), no other
 * source of names, no IDNA.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/net.h"

#define DNS_ADDRS	8	/* most addresses of a name; IPv4 come first */
#define DNS_NAME_MAX	253

/* ---- asking ---- */

struct dns_query;

/* Where to look; NULL to dns_resolve() for /etc. */
struct dns_files {
	const char	*hosts;
	const char	*resolv_conf;
	uint16_t	 port;		/* of the name servers */
};

/* Resolve a name, or a numeric address; done is called later, never from
 * within, with the addresses, or with n == 0 and why, a static text. What
 * takes longer than the caller likes is cancelled: without an answer it ends
 * by itself after about three seconds a name server and name tried. NULL: no
 * memory. */
struct dns_query *dns_resolve(struct worker *, struct sv name, uint16_t port,
	    const struct dns_files *,
	    void (*done)(void *arg, const struct addr *v, size_t n,
	    const char *why), void *arg);
/* done will not be called. */
void	dns_cancel(struct dns_query *);

/* ---- messages and files: pure ---- */

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

#define DNS_MESSAGE_MAX	512	/* over UDP without extensions */

/* Write a question; its length, or 0 if name is none: labels of 1 to 63
 * bytes, DNS_NAME_MAX altogether, perhaps a dot at the end. */
size_t	dns_put_question(unsigned char out[DNS_MESSAGE_MAX], uint16_t id,
	    struct sv name, enum dns_type);

enum dns_result {
	DNS_FOUND,		/* addresses, perhaps none */
	DNS_NO_NAME,		/* NXDOMAIN */
	DNS_BROKEN,		/* the server can't say */
	DNS_FOREIGN		/* not an answer to this question */
};

/* Read the answer to a question and put its addresses behind the *n ones
 * that v has, up to DNS_ADDRS. Whatever it holds, it must repeat the
 * question. */
enum dns_result dns_read_answer(struct sv answer, struct sv question,
	    uint16_t port, struct addr v[DNS_ADDRS], size_t *n);

/* The addresses of a name in a hosts file. */
size_t	dns_hosts_find(struct sv hosts, struct sv name, uint16_t port,
	    struct addr v[DNS_ADDRS]);

#define DNS_SERVERS	3
#define DNS_SEARCH	6

struct dns_conf {
	struct addr	server[DNS_SERVERS];
	size_t		nserver;
	struct sv	search[DNS_SEARCH];	/* views into the text */
	size_t		nsearch;
	unsigned	ndots;
};

/* Read resolv.conf(5); without a server in it 127.0.0.1 is the one. What is
 * not understood is passed over. */
void	dns_conf_read(struct dns_conf *, struct sv text, uint16_t port);

#endif
