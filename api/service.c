/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * See service.h.
 */
#include <inttypes.h>

#include "api/service.h"
#include "net/activate.h"
#include "util/clock.h"

#define USEC_PER_MSEC	1000
#define STOP_SPARE_MS	5000	/* for what comes after the last client */

static struct {
	struct node	*home;
	struct timer	 watchdog;
	bool		 asking;	/* the workers have not all answered */
} service;

static void
answer(struct node *n, void *arg, void *result)
{
	(void)n;
	(void)arg;
	(void)result;
}

static void
all_answered(struct gather *g)
{
	(void)g;
	service.asking = false;
	notify_send("WATCHDOG=1");
}

static void
ask(struct timer *t)
{
	struct worker *w = service.home->w;

	timer_set(w, t, w->now + notify_watchdog_ms());
	if (service.asking)
		return;
	service.asking = true;
	if (node_gather(service.home, 1, NULL, answer, all_answered) == -1)
		service.asking = false;
}

/* see service.h */
void
service_ready(struct node *home)
{
	service.home = home;
	service.watchdog.fn = ask;
	notify_send("READY=1\nSTATUS=serving clients");
	if (notify_watchdog_ms() > 0)
		timer_set(home->w, &service.watchdog, home->w->now);
}

/* see service.h */
void
service_reloading(void)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    clock_mono_ns() / (NSEC_PER_MSEC / USEC_PER_MSEC));
}

/* see service.h */
void
service_reloaded(bool ok)
{
	notify_send("READY=1\nSTATUS=%s", ok ? "serving clients" :
	    "serving clients; the last reload failed, see the log");
}

/* see service.h */
void
service_stopping(int64_t timeout_ms)
{
	notify_send("STOPPING=1\nSTATUS=sending clients away\n"
	    "EXTEND_TIMEOUT_USEC=%" PRId64,
	    (timeout_ms + STOP_SPARE_MS) * USEC_PER_MSEC);
}

/* see service.h */
void
service_end(void)
{
	timer_stop(&service.watchdog);
}
