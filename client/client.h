/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * A client: one connection that speaks the client protocol (spec 3), from
 * its first command to its disconnect. What carries it is behind struct
 * transport, how its messages are spelled and framed behind the wire form.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/code.h"
#include "client/node.h"
#include "http/server.h"

/* How messages go over the wire: see wire_forms[]. A publication is encoded
 * once on each worker for each form in use there (struct hub_fanout). */
enum wire_form {
	WIRE_WS_JSON, WIRE_WS_PB, WIRE_WS_JSON_DEFLATE, WIRE_WS_PB_DEFLATE,
	WIRE_SSE, WIRE_STREAM_JSON, WIRE_STREAM_PB,
	WIRE_UNI_WS, WIRE_UNI_WS_DEFLATE, WIRE_UNI_SSE, WIRE_UNI_STREAM,
	WIRE_MAX
};

/* What is around a message: one WebSocket frame (text for JSON, binary for
 * protobuf); events of Server-Sent Events; lines of JSON or messages of
 * protobuf behind their lengths. The latter two are pieces of an HTTP answer
 * that ends with its connection, without chunks (http_begin()). */
enum wire_framing { FRAMING_WS, FRAMING_SSE, FRAMING_STREAM };

struct wire {
	enum wire_framing framing;
	bool		  protobuf;	/* otherwise JSON */
	bool		  uni;		/* bare Push instead of Reply */
	bool		  deflate;	/* long WebSocket messages */
};
extern const struct wire wire_forms[WIRE_MAX];

/* How a publication's data are encoded: as they are; as a JSON string, for
 * who negotiated delta; as a delta of the publication before. */
enum pub_kind { PUB_PLAIN, PUB_STRING, PUB_DELTA, PUB_KINDS };
_Static_assert((int)WIRE_MAX * (int)PUB_KINDS <= HUB_WIRE_MAX,
    "one slot for each");

/* A subscription of a client to a channel. What only some have is apart. */
struct client_sub {
	struct hub_sub		 hub;	/* first */
	struct client		*client;
	SLIST_ENTRY(client_sub)	 entry;
	uint16_t		 flags;
	struct sub_state	*x;		/* NULL: nothing special */
	struct sub_setup	*setup;		/* until it is answered */
};

enum {
	SUB_POSITIONED = 1 << 0,	/* gaps are noticed */
	SUB_PRESENCE = 1 << 1,
	SUB_JOIN_LEAVE = 1 << 2,
	SUB_PUSH_JOIN_LEAVE = 1 << 3,
	SUB_SERVER_SIDE = 1 << 4,
	SUB_DELTA = 1 << 5,
	SUB_DELTA_READY = 1 << 6,	/* the client has a base */
	SUB_DOOMED = 1 << 7,		/* has lost its position */
	SUB_BY_TOKEN = 1 << 8,		/* named by the connection token */
	SUB_UNWANTED = 1 << 10,		/* to be ended when it is answered */
	SUB_MARK = 1 << 9,		/* lent to connect_same_channels() */
	SUB_ANNOUNCED = 1 << 11		/* its join has been told */
};

enum client_state {
	CLIENT_NEW,		/* waits for connect */
	CLIENT_REFUSED,		/* its connect was answered with an error */
	CLIENT_CONNECTED,
	CLIENT_CLOSED		/* the end is queued, nothing more goes out */
};

#define CLIENT_SESSION_MAX	64

/*
 * What carries clients. A transport embeds struct client first in a struct of
 * its own, made by client_open(); its connection's callbacks come in as
 * client_input() and so on.
 */
struct transport {
	enum transport_kind kind;
	/* Commands come by other requests: connect tells session and node. */
	bool		  emulated;
	/* Say that the client is sent away and close the connection when
	 * that has been written (conn_close_drained()). Called once; nothing
	 * is sent afterwards. */
	void		(*close)(struct client *, uint32_t code,
			    const char *reason);
	/* How long output may wait for the peer, ms; 0: for ever. */
	int64_t		(*write_timeout)(const struct conf *);
	/* The ping of the transport itself, for clients with frame_ping.
	 * NULL: no memory. May be absent if there are none. */
	struct blob	*(*ping)(void);
	/* The client has been accepted; its first message follows. May be
	 * NULL. */
	void		(*accepted)(struct client *);
	/* The connect command was refused with an error code; the client is
	 * in state CLIENT_REFUSED. Must send it away. NULL: it gets the
	 * error as a reply. */
	void		(*refused)(struct client *, uint32_t error);
	/* The session by which requests find the client, for the answer to
	 * connect; its length. NULL: there is none. */
	size_t		(*session)(const struct client *,
			    char out[CLIENT_SESSION_MAX]);
};

/* What is known of a connection's beginning; only kept where it is of use:
 * by a client that a proxy or its certificate named, or for the log. */
struct client_about {
	char		*user;		/* as told by another, or NULL */
	bool		 proven;	/* by a certificate */
	char		*agent;		/* its User-Agent, or NULL */
	int64_t		 opened;	/* monotonic ms */
	uint64_t	 bytes_in, bytes_out;
};

struct client {
	struct conn		*conn;
	struct node		*node;
	const struct transport	*tr;
	LIST_ENTRY(client)	 entry;
	struct hub_sub		 user;	/* in HUB_USERS once connected */
	SLIST_HEAD(, client_sub) subs;
	uint32_t		 nsubs;
	uint8_t			 state, form;
	bool			 frame_ping;	/* the transport pings */
	bool			 ping_out;	/* a ping waits for its pong */
	bool			 waiting;	/* for a command's answer */
	bool			 retry;		/* run the command again then */
	bool			 admitted;	/* see admission.h */
	bool			 key_tried;	/* and has been, or not */
	bool			 in_input;	/* client_input() is running */
	struct client_request	*request;	/* what waits, if it is one */
	struct backlog		*backlog;	/* input behind that one */
	struct jwks_wait	*key_wait;	/* a key is fetched, or NULL */
	struct admission	*admission;	/* being asked for, or NULL */
	struct connecting	*connecting;	/* connect waits for channels */
	struct client_about	*about;		/* or NULL */
	char			*info;		/* conn_info JSON, or NULL */
	uint32_t		 ninfo;
	int64_t			 cmd_started;	/* ns, of the one waiting */
	/* Deadlines in monotonic ms, 0: none. */
	int64_t			 stale_at, ping_at, pong_at, expire_at,
				 shutdown_at, tick_at;
	int64_t			 ping_sent;	/* ns */
	uint8_t			 id[16];	/* UUID, see client_id() */
};

/* ---- life; called by transports ---- */

/* A client for the request in x, in `size' zeroed bytes of which struct
 * client is the first; limits on connections are looked at. The caller takes
 * the connection from x, sets conn->proto and starts with
 * client_set_timer(). NULL: x has been answered (503; 403 to a page of
 * another site whose visitor is known by a certificate or a header). */
struct client *client_open(struct http_exchange *x, const struct transport *,
	    enum wire_form, size_t size);
/* Take it out of every register and free it: the transport's on_close, or
 * when the connection could not be taken from the exchange. */
void	client_free(struct client *);
/* The connection has ended on the peer's initiative or by a broken rule of
 * the transport, with this close code (0: none), which is for the log. The
 * client leaves all channels now; false: it has been sent away before. */
bool	client_ended(struct client *, unsigned code);
/* One whole message from the peer: commands, or with a one-way form a
 * ConnectRequest. p is only borrowed. While a command waits for its answer
 * more may come: it is kept. */
void	client_input(struct client *, struct sv p);
/* The connection's timer has fired. */
void	client_timer(struct client *);
/* A pong frame came (connections with frame_ping). */
void	client_pong_frame(struct client *);
/* ---- for the rooms above and this one ---- */

/* Send the peer away. reason NULL: the code's own text. Safe everywhere,
 * also during a fan-out. */
void	client_disconnect(struct client *, uint32_t code, const char *reason);
/* Unsubscribe on the server's behalf: an unsubscribe push is sent, also when
 * the client is not subscribed (spec 12.48). */
void	client_unsubscribe_push(struct client *, struct sv channel,
	    uint32_t code);
/* Subscribe it on the server's behalf; it is told by a push. */
struct sub_request;
struct sub_options;
void	client_subscribe(struct client *, const struct sub_request *,
	    const struct sub_options *);
/* Prolong its connection or (expired) end it; expire_at in Unix s, 0: never.
 * It is told by a push. info, JSON, replaces conn_info unless empty. */
void	client_refresh(struct client *, bool expired, int64_t expire_at,
	    struct sv info);
/* Unsubscribe it on the server's behalf, told by a push, also when it is not
 * subscribed (spec 12.48). A subscription still being set up is ended as
 * soon as it is answered (spec 12.41). */
void	client_unsubscribe(struct client *, struct sv channel);
/* The client's id: 36 characters and a NUL. */
const char *client_id(const struct client *, char out[37]);
struct sv client_user(const struct client *);
static inline struct client *
client_of_user_sub(struct hub_sub *s)
{
	return (struct client *)(void *)((char *)s -
	    offsetof(struct client, user));
}

/* ---- between the files of this room ---- */

/* Counters of what carries it. */
static inline struct transport_stats *
client_stats(const struct client *c)
{
	return &c->node->stats.transport[c->tr->kind];
}
/* Leave all channels, and the register of users. */
void	client_leave(struct client *);
struct client_sub *client_find_sub(struct client *, struct sv channel);
/* What others see of the client, in the channel of s (or NULL). The views
 * are the client's and the id's. */
struct hub_info client_info(const struct client *, const struct client_sub *s,
	    char id[37]);
/* Queue a message of the given type for the peer: takes the reference.
 * Disconnects who is too slow. */
void	client_send(struct client *, struct blob *, enum out_type);
/* A push to one client: begun in the node's buffer; the caller writes it, and
 * has it sent. */
struct enc client_push_begin(struct client *);
void	client_push_send(struct client *, const struct enc *);
/* Replies to the frame in hand go out together; a reply of client c is
 * written with what this returns. */
struct enc *client_reply_begin(struct client *);
void	client_reply_flush(struct client *);
/* Answer the command under way (cmd_id) with an error. */
void	client_reply_error(struct client *, enum client_method, uint32_t id,
	    uint32_t code);
/* Fetch the key that verifying t asked for (JWT_KEY_UNKNOWN), with the
 * command in hand set aside meanwhile. false: it has been tried, or can't
 * be. */
bool	client_fetch_key(struct client *, const struct jwt *t);
/* Set the command in hand aside: it waits, and is run again from its text
 * when client_resume() is called. */
void	client_retry(struct client *);
/* The answer to a command that waited has been given: go on. */
void	client_resume(struct client *);
/* hub_ops of every node. */
extern const struct hub_ops client_hub_ops;

/* command.c: handle one command. */
struct command;
void	client_command(struct client *, const struct command *);
/* Whether and when the connection's timer fires next. */
void	client_set_timer(struct client *);

#endif
