/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-audit-hook: writes kavach's audit log for containers that another runtime starts. An engine calls it as an OCI
 * hook, with the container's state on standard input:
 *
 *	kavach-audit-hook [--dir DIR] [--required] STAGE
 *
 * createRuntime (or prestart), poststart and poststop become the records create, start and delete. What only the runtime
 * itself sees (exec, kill, a refusal, the policy) is not in such a log. The other stages run in the container's
 * namespaces, from where the log is out of reach, and should be.
 *
 * Without --required a log that cannot be written is a line on standard error; with it, a failure, at which the runtime
 * gives the container up (poststop: is told and goes on). That no log was set up is silent without --required.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "host/host.h"
#include "json/read.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

struct call {
	const char *dir, *stage;
	bool required;
	struct arena *a;
	const char *id, *bundle;
	int64_t pid;
};

static const struct name_val stages[] = {
	{"prestart", AUDIT_CREATE},
	{"createRuntime", AUDIT_CREATE},
	{"poststart", AUDIT_START},
	{"poststop", AUDIT_DELETE},
};

static int usage(struct err *e)
{
	return err_set_id(e, ERR_USAGE, -EINVAL,
			  "usage: kavach-audit-hook [--dir DIR] [--required] "
			  "prestart|createRuntime|poststart|poststop");
}

static int parse_args(int argc, char **argv, struct call *c, struct err *e)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (str_eq(argv[i], "--required"))
			c->required = true;
		else if (str_eq(argv[i], "--dir") && i + 1 < argc && argv[i + 1][0] == '/')
			c->dir = argv[++i];
		else
			return usage(e);
	}
	if (i + 1 != argc || !name_find(stages, ARRAY_LEN(stages), argv[i]))
		return usage(e);
	c->stage = argv[i];
	return 0;
}

static const char *string(const struct json_node *root, const char *key)
{
	const struct json_node *n = json_get(root, key);

	return n && n->type == JSON_STRING && n->n ? n->s : NULL;
}

static int read_state(struct call *c, struct err *e)
{
	const struct json_node *pid;
	struct json_doc d;
	struct bytes text;
	int r;

	r = io_read_fd(STDIN_FILENO, JSON_MAX_SIZE, c->a, &text);
	if (r < 0)
		return err_neg(e, r, "reading the container's state from standard input");
	r = json_read("state", (const char *) text.v, text.n, c->a, &d, e);
	if (r < 0)
		return r;
	c->id = string(d.root, "id");
	c->bundle = string(d.root, "bundle");
	if (d.root->type != JSON_OBJECT || !c->id || !c->bundle || c->bundle[0] != '/')
		return err_set(e, -EINVAL,
			       "state: expected an object with the strings id and bundle");
	pid = json_get(d.root, "pid"); /* absent when there is no process any more */
	if (pid && (pid->type != JSON_NUMBER || num_parse_i64(pid->s, 0, INT32_MAX, &c->pid) < 0))
		return err_set(e, -EINVAL, "state: pid: expected a process number");
	return 0;
}

/* What the container was made from, as far as its runtime's caller has left it alone. NULL: it cannot be read. */
static const char *config_digest(struct call *c)
{
	char *hex = arena_alloc(c->a, SHA256_HEX);
	uint8_t d[SHA256_LEN];
	struct bytes text;

	if (io_read_at(AT_FDCWD, path_join(c->a, c->bundle, "config.json"), 0, JSON_MAX_SIZE, c->a,
		       &text) < 0)
		return NULL;
	sha256(text.v, text.n, d);
	sha256_hex(d, hex);
	return hex;
}

static int record(struct call *c, struct err *e)
{
	const struct audit_field f[] = {
		{.name = "stage", .s = c->stage},
		{.name = "bundle", .s = c->bundle},
		{.name = "process", .n = c->pid, .null = c->pid == 0},
	};
	struct audit_event ev = {.outcome = AUDIT_OK,
				 .id = c->id,
				 .score = -1,
				 .by = "kavach-audit-hook " PACKAGE_VERSION,
				 .fields = f,
				 .n_fields = ARRAY_LEN(f)};
	struct audit log = AUDIT_CLOSED;
	int r;

	ev.kind = (enum audit_event_kind) name_find(stages, ARRAY_LEN(stages), c->stage)->val;
	if (ev.kind == AUDIT_CREATE)
		ev.config_digest = config_digest(c);
	r = audit_open(c->dir, &log, e);
	if (r == -ENOENT && !e->code && c->required)
		err_set(e, r, "there is no audit log in %s: kavach audit init makes it", c->dir);
	if (r == 0)
		r = audit_append(&log, &ev, NULL, e);
	audit_close(&log);
	return r;
}

static int run(int argc, char **argv, struct call *c, struct err *e)
{
	struct host host = {0};
	int r = parse_args(argc, argv, c, e);

	if (r < 0) {
		c->required = true; /* a mistake in the hook's configuration is to be seen */
		return r;
	}
	r = read_state(c, e);
	if (r == 0 && !c->dir) {
		r = host_probe(&host, e);
		c->dir = audit_default_dir(host.rootless, c->a);
	}
	return r < 0 ? r : record(c, e);
}

int main(int argc, char **argv)
{
	arena_auto a = {0};
	struct call c = {.a = &a};
	struct err e = ERR_INIT;
	int r = run(argc, argv, &c, &e);

	if (r < 0 && e.code)
		fprintf(stderr, "kavach-audit-hook: %s\n", e.msg);
	return r < 0 && c.required;
}
