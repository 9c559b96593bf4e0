/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between commands and the audit log. A log that was set up is written to by every command that changes something; rules
 * can ask for one in another place, for more sinks, or demand it (kavach-rules(5)). The state record keeps what the rules
 * asked for at the creation, so that later commands need not read them.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/sha256.h"
#include "base/str.h"
#include "cmd/audited.h"

enum {
	NOTE_REQUIRED = 1,
	NOTE_WANTED = 2,
	NOTE_OFF = 4,
	NOTE_FSYNC = 8,
	NOTE_JOURNALD = 16,
	NOTE_SYSLOG = 32,
};

void audited_by_rules(struct globals *g, const struct rules_audit *r, bool spoken)
{
	struct audit_use *u = &g->audit;
	bool other = !str_eq0(u->dir, r->dir);

	u->wanted = r->enabled || r->required;
	u->required = r->required;
	u->off = spoken && !r->enabled && !r->required;
	u->dir = r->dir;
	u->more = (struct audit_settings){.fsync = r->fsync,
					  .journald = r->journald,
					  .syslog = r->syslog,
					  .rotate_bytes = r->rotate_bytes,
					  .keep = r->keep};
	u->end_seen = false;
	/* commands with --regex come by once for each container */
	if (u->on && (other || u->off)) {
		audit_close(&u->log);
		u->on = false;
	}
	if (u->on)
		u->log.more = u->more;
	else
		u->looked = false;
}

void audited_by_record(struct globals *g, const struct state_record *r)
{
	const struct rules_audit rules = {
		.enabled = r->audit & NOTE_WANTED,
		.required = r->audit & NOTE_REQUIRED,
		.fsync = r->audit & NOTE_FSYNC,
		.journald = r->audit & NOTE_JOURNALD,
		.syslog = r->audit & NOTE_SYSLOG,
		.dir = r->audit_dir,
	};

	audited_by_rules(g, &rules, r->audit & (NOTE_WANTED | NOTE_OFF));
}

void audited_note(const struct globals *g, struct state_record *r)
{
	const struct audit_use *u = &g->audit;

	r->audit_dir = u->dir ? arena_strdup(g->a, u->dir) : NULL;
	r->audit = (u->required ? NOTE_REQUIRED : 0u) | (u->wanted ? NOTE_WANTED : 0u) |
		   (u->off ? NOTE_OFF : 0u) | (u->more.fsync ? NOTE_FSYNC : 0u) |
		   (u->more.journald ? NOTE_JOURNALD : 0u) | (u->more.syslog ? NOTE_SYSLOG : 0u);
}

/* Looks for the log once; what is wrong with it is said once. */
static int find(struct globals *g, struct err *e)
{
	struct audit_use *u = &g->audit;
	const char *dir;
	int r;

	if (u->looked)
		return u->on ? 0 : -ENOENT;
	u->looked = true;
	if (u->off) /* the rules say so, though there may be a log */
		return -ENOENT;
	r = cmd_probe_host(g, e);
	if (r < 0)
		return r;
	dir = u->dir ? u->dir : audit_default_dir(g->host.rootless, g->a);
	r = audit_open(dir, &u->log, e);
	if (r == -ENOENT && u->wanted)
		err_set(e, r,
			"the site rules ask for an audit log, and there is none in %s: "
			"kavach audit init makes it",
			dir);
	if (r < 0)
		return r;
	u->log.more = u->more;
	u->on = true;
	return 0;
}

static int look(struct globals *g, struct err *e)
{
	struct err sub = ERR_INIT;
	int r = find(g, &sub);

	if (r == 0 || !sub.code)
		return r;
	if (g->audit.required) {
		*e = sub;
		return r;
	}
	log_warn("%s", sub.msg);
	return -ENOENT;
}

bool audited_on(struct globals *g)
{
	struct err ignored = ERR_INIT;

	return look(g, &ignored) == 0;
}

int audited_ready(struct globals *g, struct err *e)
{
	int r = look(g, e);

	if (!g->audit.required || r == 0)
		return 0;
	if (!e->code)
		err_set(e, -ENOENT, "the audit log cannot be written");
	return err_context(e, "audit.required");
}

static int append(struct globals *g, const struct audit_event *ev, struct err *e)
{
	int r = look(g, e);

	return r < 0 ? r : audit_append(&g->audit.log, ev, NULL, e);
}

static struct audit_event event(enum audit_event_kind kind, enum audit_outcome outcome,
				const char *id, const struct state_record *rec,
				const struct audit_field *f, size_t n)
{
	struct audit_event ev = {.kind = kind,
				 .outcome = outcome,
				 .id = id,
				 .score = -1,
				 .by = AUDITED_BY,
				 .fields = f,
				 .n_fields = n};
	const struct backend_ops *ops;
	struct err ignored = ERR_INIT;

	if (rec) {
		ev.config_digest = rec->config_digest;
		ev.policy_digest = rec->policy_digest;
		ev.score = (int) rec->strength - 1;
		ops = rec->backend ? backend_find(rec->backend, &ignored) : NULL;
		ev.backend = ops ? ops->name : NULL;
	}
	return ev;
}

int audited(struct globals *g, enum audit_event_kind kind, enum audit_outcome outcome,
	    const char *id, const struct state_record *rec, const struct audit_field *f, size_t n,
	    struct err *e)
{
	const struct audit_event ev = event(kind, outcome, id, rec, f, n);
	struct err sub = ERR_INIT;
	int r = append(g, &ev, &sub);

	if (r == 0 || (!sub.code && !g->audit.required))
		return 0;
	if (!g->audit.required) {
		log_warn("%s", sub.msg);
		return 0;
	}
	if (!sub.code)
		err_set(&sub, r, "the audit log cannot be written");
	*e = sub;
	return err_context(e, "audit.required");
}

/* After the fact. */
static void put(struct globals *g, const struct audit_event *ev)
{
	struct err sub = ERR_INIT;

	if (append(g, ev, &sub) < 0 && sub.code)
		log_warn("%s", sub.msg);
}

int audited_result(struct globals *g, enum audit_event_kind kind, const char *id,
		   const struct state_record *rec, const struct audit_field *f, size_t n, int r,
		   const struct err *why)
{
	struct audit_event ev = event(kind, r < 0 ? AUDIT_FAILED : AUDIT_OK, id, rec, f, n);

	ev.reason = r < 0 ? why->msg : NULL;
	put(g, &ev);
	return r;
}

int audited_failure(struct globals *g, enum audit_event_kind kind, const char *id,
		    const struct state_record *rec, const struct err *why)
{
	struct audit_event ev = event(kind, AUDIT_FAILED, id, rec, NULL, 0);
	const struct audit_field during = {.name = "during", .s = audit_event_name(kind)};

	ev.reason = why->msg;
	if (why->id == ERR_CONFIG || why->id == ERR_HOOK) {
		ev.kind = why->id == ERR_HOOK ? AUDIT_HOOK_FAILURE : AUDIT_REFUSAL;
		ev.outcome = why->id == ERR_HOOK ? AUDIT_FAILED : AUDIT_REFUSED;
		ev.fields = &during;
		ev.n_fields = 1;
	}
	put(g, &ev);
	return why->code;
}

static void put_exit(struct globals *g, const struct state_record *rec, const char *of, pid_t pid,
		     const int *status)
{
	const struct audit_field f[] = {
		{.name = "of", .s = of},
		{.name = "process", .n = pid},
		{.name = "status", .null = !status, .n = status ? *status : 0},
	};
	const struct audit_event ev = event(AUDIT_EXIT, AUDIT_OK, rec->id, rec, f, ARRAY_LEN(f));

	put(g, &ev);
}

void audited_exit(struct globals *g, const struct state_record *rec, const char *of, pid_t pid,
		  int status)
{
	put_exit(g, rec, of, pid, &status);
	g->audit.end_seen = pid == (pid_t) rec->pid;
}

void audited_gone(struct globals *g, const struct state_record *rec)
{
	if (rec->pid > 0 && !g->audit.end_seen)
		put_exit(g, rec, "delete", (pid_t) rec->pid, NULL);
}

void audited_oom(struct globals *g, const struct state_record *rec, int64_t more)
{
	struct audit_field f = {.name = "kills"};
	const struct audit_event ev = event(AUDIT_OOM, AUDIT_OK, rec->id, rec, &f, 1);

	if (!audited_on(g))
		return;
	f.n = rec->cg.layout == CG_NONE ? 0 : cgroup_oom_count(&rec->cg);
	f.n = (f.n > 0 ? f.n : 0) + (more > 0 ? more : 0);
	if (f.n > 0)
		put(g, &ev);
}

char *audited_args(struct globals *g, const struct strs *args)
{
	char *hex = arena_alloc(g->a, SHA256_HEX);
	uint8_t d[SHA256_LEN];
	struct sha256 s;

	sha256_init(&s);
	for (size_t i = 0; i < args->n; i++)
		sha256_add(&s, args->v[i], strlen(args->v[i]) + 1);
	sha256_end(&s, d);
	sha256_hex(d, hex);
	return hex;
}

const char *audited_secrets(struct globals *g, const struct policy *p, bool exec)
{
	static const char *const ways[] = {
		[POL_SECRET_FILE] = "file", [POL_SECRET_ENV] = "env", [POL_SECRET_STDIN] = "stdin"};
	const char *text = NULL;

	for (size_t i = 0; i < p->secrets.n; i++) {
		const struct pol_secret *s = &p->secrets.v[i];

		if (exec && !s->exec)
			continue;
		text = arena_printf(g->a, "%s%s%s %s%s%s", text ? text : "", text ? ", " : "",
				    s->name, ways[s->give], s->target ? " " : "",
				    s->target ? s->target : "");
	}
	return text;
}
