/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A node is what one worker knows: its hub, the configuration in force, the
 * clients connected here, and counters. The server is what the workers
 * share. Everything in a node is touched by its own worker only; others
 * send mail.
 */
#ifndef CLIENT_NODE_H
#define CLIENT_NODE_H

#include <sys/queue.h>

#include <stdatomic.h>

#include "client/enc.h"
#include "conf/conf.h"
#include "hub/filter.h"
#include "hub/hub.h"
#include "jwt/jwt.h"
#include "net/net.h"
#include "util/buf.h"
#include "util/glob.h"
#include "util/json.h"
#include "ws/deflate.h"

struct client;
struct node;
struct token_verifier;

enum client_method {
	METHOD_CONNECT, METHOD_SUBSCRIBE, METHOD_UNSUBSCRIBE, METHOD_PUBLISH,
	METHOD_PRESENCE, METHOD_PRESENCE_STATS, METHOD_HISTORY, METHOD_RPC,
	METHOD_SEND, METHOD_REFRESH, METHOD_SUB_REFRESH, METHOD_MAX
};
extern const char *const client_method_name[METHOD_MAX];

/* Bounds of the duration histograms, in seconds; the last is +Inf. */
#define DURATION_BUCKETS	12
extern const double duration_bound[DURATION_BUCKETS - 1];

struct duration_stats {
	uint64_t	bucket[DURATION_BUCKETS];
	uint64_t	count;
	uint64_t	sum_ns;
};
void	duration_observe(struct duration_stats *, int64_t ns);

/* Disconnect codes that are counted one by one: 3000-3099 and 3500-3599;
 * others share one counter. */
#define CODE_SLOTS	201
unsigned disconnect_slot(uint32_t code);
/* The code of a slot, or 0 for the shared one. */
uint32_t disconnect_slot_code(unsigned slot);

#define ERROR_SLOTS	16	/* error codes 100-114, the last for others */

/* What clients are sent. */
enum out_type {
	OUT_REPLY, OUT_PUB, OUT_PUSH, OUT_PING, OUT_MAX
};

/* What carries clients: see struct transport. */
enum transport_kind {
	TRANSPORT_WEBSOCKET, TRANSPORT_SSE, TRANSPORT_HTTP_STREAM,
	TRANSPORT_UNI_WEBSOCKET, TRANSPORT_UNI_SSE, TRANSPORT_UNI_HTTP_STREAM,
	TRANSPORT_MAX
};
extern const char *const transport_name[TRANSPORT_MAX];

struct transport_stats {
	uint64_t	accepted;	/* clients */
	uint64_t	inflight;	/* clients connected */
	uint64_t	open[2];	/* connections, in JSON, in protobuf */
	uint64_t	sent[OUT_MAX], sent_size[OUT_MAX];
	uint64_t	received, received_size;
	uint64_t	pongs;		/* application's */
	struct duration_stats ping_pong;
	uint64_t	outgoing_close[CODE_SLOTS];
};

/* Counters of one node; summed over the nodes when somebody asks. */
struct node_stats {
	uint64_t	connections_accepted;
	uint64_t	subscriptions_accepted;
	uint64_t	num_clients;	/* connected, not only open */
	uint64_t	transport_open;	/* all, connected or not */
	uint64_t	commands[METHOD_MAX];
	uint64_t	command_errors[METHOD_MAX][ERROR_SLOTS];
	struct duration_stats command_duration[METHOD_MAX];
	uint64_t	disconnects[CODE_SLOTS];
	uint64_t	unsubscribes;		/* by the server */
	uint64_t	published;		/* by clients and the API */
	struct transport_stats transport[TRANSPORT_MAX];
};

LIST_HEAD(client_list, client);

/* Shared by the workers. Set up before they start; afterwards only the
 * atomic members change. */
struct server {
	unsigned	  n;
	struct worker	 *worker[WORKERS_MAX];
	struct node	 *node[WORKERS_MAX];
	struct hub	 *hub[WORKERS_MAX];
	char		  uid[37];		/* of this process */
	char		  name[256];		/* node.name or host_port */
	int64_t		  started_wall_ms;
	_Atomic int64_t	  rate_at;		/* see admission_enter() */
	_Atomic int64_t	  cert_not_after;	/* of the external port's, Unix
						 * s; 0: none */
	bool		  wants_cert;		/* one is being obtained, if
						 * there is none */
	atomic_uint	  acme_failures;	/* in a row, to obtain one */
	atomic_uint	  transports;		/* open, for connection_limit */
	/* A worker has let its last client go while draining; runs there. */
	void		(*drained)(struct node *);
};

struct node {
	struct worker	 *w;
	struct server	 *srv;
	struct hub	  hub;
	const struct conf *conf;
	struct token_verifier *verifier, *sub_verifier;	/* of conf */
	struct http_client *http;
	const struct tls_stats *tls;		/* of the worker, or NULL */
	struct jwks	 *jwks;
	struct glob	**origin;	/* of conf, in its order */
	size_t		  norigin;
	bool		  origin_any;
	struct node_stats stats;
	void		 *api;		/* of the room above: its counters */
	struct client_list clients;
	size_t		  nclients;
	struct timer	  tick;
	bool		  draining;
	bool		  drain_reported; /* of srv->drained */
	/* Lent to whatever runs in this turn. */
	struct json	  json;
	struct ws_zip	  zip;
	struct buf	  reply;	/* replies to the frame in hand */
	struct enc	  reply_enc;	/* writes them */
	struct client	 *replying;	/* whose they are */
	struct buf	  scratch;	/* unescaped strings of one command */
	struct buf	  push;		/* a push being encoded */
	bool		  delivering;	/* a fan-out walks the register */
	struct fan {	/* what the subscribers of one fan-out share */
		bool		doomed;	/* some have lost their position */
		bool		tried;	/* patch has been made, or can't be */
		bool		patch_is_text;	/* JSON can carry it */
		struct buf	patch;
		const struct hub_pub *tags_of;	/* or NULL: whose are loaded */
		struct filter_tags tags;
	} fan;
};

/* A node for worker w, entered in srv; takes its own reference to conf. -1
 * when out of memory, with nothing left behind. */
int	node_init(struct server *srv, struct worker *w, const struct conf *);
/* After the worker has stopped. */
void	node_free(struct node *);
/* Put another configuration in force. Connections live on; what is read at
 * connect time stays as it was for them. -1: no memory or a key that can't be
 * used (logged); nothing changed. */
int	node_set_conf(struct node *, const struct conf *);

/* Whether a browser of this Origin may open a WebSocket (spec 1). An empty
 * view stands for no Origin header. */
bool	node_origin_allowed(struct node *, struct sv origin);

/* Send every client away with 3001, spread over conf->shutdown
 * .disconnect_spread, and when no request of HTTP is in hand either, call
 * srv->drained. */
void	node_drain(struct node *);
void	node_client_gone(struct node *);	/* by client.c */

/*
 * Ask every node: run(n, arg) is called once on each worker with the same
 * arg (which it must only read or change atomically) and a result of its
 * own, zeroed, of result_size bytes; afterwards done(home, g) runs on the
 * calling worker with all n results. -1 when out of memory.
 */
struct gather {
	struct node	 *home;
	void		 *arg;
	unsigned	  left;
	void		(*run)(struct node *, void *arg, void *result);
	void		(*done)(struct gather *);
	size_t		  result_size;
	unsigned char	 *results;	/* n of them, aligned as malloc's */
	struct gather_mail *mail;
};
int	node_gather(struct node *home, size_t result_size, void *arg,
	    void (*run)(struct node *, void *arg, void *result),
	    void (*done)(struct gather *));
static inline void *
gather_result(const struct gather *g, unsigned i)
{
	return g->results + i * g->result_size;
}

#endif
