/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Start-up. With no argument it prints a free port of 127.0.0.1; with a
 * port it waits until somebody accepts connections there; with a port and a
 * command it runs the command, prints the milliseconds from fork() until
 * the port accepts, and ends the command again.
 *
 * usage: start [port [command [argument ...]]]
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE	10.0	/* seconds */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
sleep_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

static struct sockaddr_in
local(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons((uint16_t)atoi(port));
	return a;
}

static bool
is_up(const char *port)
{
	struct sockaddr_in a = local(port);
	int fd, r;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	r = connect(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return r == 0;
}

static void
await(const char *port, pid_t child)
{
	double end = now() + PATIENCE;

	while (!is_up(port)) {
		if (now() > end ||
		    (child > 0 && waitpid(child, NULL, WNOHANG) == child))
			errx(1, "nobody listens on port %s", port);
		sleep_us(50);
	}
}

static void
print_free_port(void)
{
	struct sockaddr_in a = local("0");
	socklen_t n = sizeof(a);
	int fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&a, n) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		err(1, "no port");
	printf("%d\n", ntohs(a.sin_port));
}

static void
end_child(pid_t child)
{
	double end = now() + PATIENCE;

	kill(child, SIGTERM);
	while (waitpid(child, NULL, WNOHANG) != child) {
		if (now() > end)
			kill(child, SIGKILL);
		sleep_us(1000);
	}
}

static void
time_start(char *argv[])
{
	double begin = now();
	pid_t child;

	if ((child = fork()) == -1)
		err(1, "fork");
	if (child == 0) {
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	await(argv[0], child);
	printf("start_ms %.2f\n", (now() - begin) * 1e3);
	end_child(child);
}

int
main(int argc, char *argv[])
{
	if (argc == 1)
		print_free_port();
	else if (argc == 2)
		await(argv[1], 0);
	else
		time_start(argv + 1);
	return 0;
}
