/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the service manager is told of the life of the process, and the
 * watchdog: a sign of life goes out only after every worker has answered.
 * To be called from the main worker. Without a service manager all of this
 * does nothing.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/node.h"

/* Everything listens. home is the main worker's node. */
void	service_ready(struct node *home);
void	service_reloading(void);
/* ok: or the old configuration stays in force. */
void	service_reloaded(bool ok);
/* Clients are being sent away, which may take so long. */
void	service_stopping(int64_t timeout_ms);
/* Before the main worker goes. */
void	service_end(void);

#endif
