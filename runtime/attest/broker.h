/* SPDX-License-Identifier: Apache-2.0 */
/* What `serve` and `release` share: their files, and the log. Everything is read before anything foreign is looked at. */
#ifndef KAVACH_ATTEST_BROKER_H
#define KAVACH_ATTEST_BROKER_H

#include "attest/cmd.h"
#include "attest/release.h"

/* Options that both have, first in their own options. */
struct broker_opts {
	const char *policy, *secrets, *sign, *log, *roots;
	struct strs certs, crls;
};
#define BROKER_OPTS(type)                                                                          \
	{"policy",                                                                                 \
	 0,                                                                                        \
	 OPT_STR,                                                                                  \
	 "FILE",                                                                                   \
	 "the table: who gets which secrets",                                                      \
	 offsetof(type, b.policy)},                                                                \
		{"secrets",                                                                        \
		 0,                                                                                \
		 OPT_STR,                                                                          \
		 "DIR",                                                                            \
		 "a file for each secret, named like it",                                          \
		 offsetof(type, b.secrets)},                                                       \
		{"certs",                                                                          \
		 0,                                                                                \
		 OPT_STRS,                                                                         \
		 "FILE|DIR",                                                                       \
		 "certificates beside those of the evidence; may be repeated",                     \
		 offsetof(type, b.certs)},                                                         \
		{"crl",                                                                            \
		 0,                                                                                \
		 OPT_STRS,                                                                         \
		 "FILE|DIR",                                                                       \
		 "revocation list by AMD's root; may be repeated",                                 \
		 offsetof(type, b.crls)},                                                          \
		{"sign-key",                                                                       \
		 0,                                                                                \
		 OPT_STR,                                                                          \
		 "FILE",                                                                           \
		 "sign answers with this private key on P-256 (PEM)",                              \
		 offsetof(type, b.sign)},                                                          \
		{"log",                                                                            \
		 0,                                                                                \
		 OPT_STR,                                                                          \
		 "FILE",                                                                           \
		 "append the log to this file (default: standard error)",                          \
		 offsetof(type, b.log)},                                                           \
	{                                                                                          \
		"root-of-trust", 0, OPT_STR, "FILE", NULL, offsetof(type, b.roots)                 \
	} /* tests only */

/* What was read of it. */
struct broker_files {
	struct broker broker;
	struct attest_file certs[CERTS_MAX];
	size_t n_certs;
	struct bytes roots;
	struct certs given, trusted; /* parsed behind confine_self() */
	struct p256 *sign;
	int log; /* fd */
};

/* broker_open: reads the table with its verification policies, the secrets that it names (into memory that is locked as far as
 * the limit goes and in no core dump), certificates and key, and opens the log. */
int broker_open(const struct broker_opts *o, struct arena *a, struct broker_files *ret,
		struct err *e);
/* broker_parse_certs: behind confine_self(). */
int broker_parse_certs(struct broker_files *f, struct err *e);
void broker_close(struct broker_files *f);

/* One line of the log, written whole: JSON with the time, the event and what else is known of it. */
struct broker_event {
	const char *event; /* "released", "refused", "started" */
	const char *peer, *why;
	const struct release_request *q; /* its digest and names; NULL: there is none */
	const char *key;		 /* that answers are signed with */
	const struct strs *sockets;
};
/* broker_log: -errno when the line did not get out, or not to the disk: then nothing may be released. */
int broker_log(int fd, const struct broker_event *ev, struct err *e);

/* serve.c */
struct serve_limits {
	unsigned seconds, nonce_seconds, connections;
};
/* broker_listen_unix, broker_listen_tcp: a listening socket; the path's is for its owner only, a stale one is replaced.
 * where: "192.0.2.1:7443" or "[2001:db8::1]:7443"; port 0 takes a free one. *ret_name is what it is called now. */
int broker_listen_unix(const char *path, struct err *e);
int broker_listen_tcp(const char *where, struct arena *a, char **ret_name, struct err *e);
/* broker_serve: until a signal ends the process, or an error that is not a client's. */
int broker_serve(struct broker_files *f, const int *listeners, size_t n,
		 const struct serve_limits *limits, struct err *e);

#endif
