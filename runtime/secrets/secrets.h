/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where secrets come from. A backend calls secrets_fetch() when everything else that can be refused is decided, hands the
 * block over to whatever starts the workload, and closes it. kavach-secrets(7) describes the sources for users.
 */
#ifndef KAVACH_SECRETS_SECRETS_H
#define KAVACH_SECRETS_SECRETS_H

#include <sys/types.h>

#include "exec/secret_block.h"
#include "policy/policy.h"

enum secrets_when { SECRETS_CREATE = 1, SECRETS_EXEC };

/* secrets_wanted: whether there is anything to fetch; without secrets in the policy it costs nothing. */
bool secrets_wanted(const struct policy *p, enum secrets_when when);
/*
 * secrets_fetch: gets the secrets of the policy for container `id` from their sources into *ret, which the caller closes
 * whatever comes of it. One that is required and cannot be had is an error which says which, by what rule, from where and
 * why, never what; another is left out with a warning.
 */
int secrets_fetch(const struct policy *p, enum secrets_when when, const char *id,
		  struct secret_block *ret, struct err *e);

/* ---- sources, private to secrets/ ---- */

/* One source: up to `room` bytes of the secret into value; returns how many, or -errno with *e set: "open FILE: why". More
 * than room is -EFBIG, none is -ENODATA: both by source_read(). */
struct source {
	const struct pol_secret *secret;
	const char *id; /* of the container */
	uint8_t *value;
	size_t room;
};
ssize_t source_file(const struct source *s, struct err *e);
ssize_t source_credential(const struct source *s, struct err *e);
ssize_t source_program(const struct source *s, struct err *e);
ssize_t source_socket(const struct source *s, struct err *e);

/* A program or a service that does not answer in this time has failed. */
#define SOURCE_SECONDS 10
int64_t source_now_ms(void);
/* source_wait: until fd is readable or writable (POLLIN, POLLOUT), or `deadline` (source_now_ms()) is there: -ETIMEDOUT. */
int source_wait(int fd, short events, int64_t deadline);
/* source_read: reads fd to its end. deadline 0: a file. Never more than room bytes are kept: -EFBIG. */
ssize_t source_read(int fd, const struct source *s, int64_t deadline);

#endif
