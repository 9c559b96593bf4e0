/* SPDX-License-Identifier: Apache-2.0 */
/* audit: the log of what was done to containers: setting it up, checking it, reading it (kavach-audit(7)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hmac.h"
#include "base/jsonw.h"
#include "base/num.h"
#include "base/str.h"
#include "cmd/audit.h"
#include "cmd/audited.h"

#define VERIFY_FAILED 2 /* exit status: the log is not what was written */

static int parse_size(const char *s, uint64_t *ret, struct err *e)
{
	static const struct name_val units[] = {{"", 0}, {"K", 10}, {"M", 20}, {"G", 30}};
	size_t n = strspn(s, "0123456789");
	const struct name_val *unit = name_find(units, ARRAY_LEN(units), s + n);
	char digits[24];

	if (unit && n > 0 && n < 12) {
		memcpy(digits, s, n);
		digits[n] = 0;
		if (num_parse_u64(digits, 1ull << 30, ret) == 0) {
			*ret <<= unit->val;
			if (*ret >= AUDIT_ROTATE_MIN)
				return 0;
		}
	}
	return err_set_id(e, ERR_USAGE, -EINVAL,
			  "--rotate: expected a size of at least 4K, as 64M, found \"%s\"", s);
}

static int settings(const struct audit_opts *o, struct audit_settings *ret, struct err *e)
{
	*ret = (struct audit_settings){.fsync = o->fsync,
				       .journald = o->journald,
				       .syslog = o->syslog,
				       .rotate_bytes = AUDIT_ROTATE,
				       .keep = (uint32_t) o->keep.v};
	return o->rotate ? parse_size(o->rotate, &ret->rotate_bytes, e) : 0;
}

static int print(struct buf *b, const char *s, struct err *e)
{
	buf_put(b, s, strlen(s));
	return cmd_print(b, e);
}

static int init(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e)
{
	buf_auto b = BUF_WRITER(4096);
	uint8_t key[AUDIT_KEY_LEN];
	struct audit_settings s;
	char hex[SHA256_HEX];
	int r = settings(o, &s, e);

	if (r == 0)
		r = audit_init(dir, &s, AUDITED_BY, key, e);
	if (r < 0)
		return r;
	sha256_hex(key, hex);
	explicit_bzero(key, sizeof(key));
	if (o->json) {
		char name[AUDIT_ID_HEX];
		struct audit_state st = {0};
		struct jsonw w;

		r = audit_head(dir, &st, e);
		memcpy(name, st.log, sizeof(name));
		jw_init(&w, &b, false);
		jw_obj(&w);
		jw_kstr(&w, "dir", dir);
		jw_kstr(&w, "log", r == 0 ? name : NULL);
		jw_kstr(&w, "key", hex);
		jw_obj_end(&w);
		r = print(&b, "\n", e);
	} else {
		r = print(&b,
			  arena_printf(g->a,
				       "The audit log is kept in %s from now on.\n"
				       "This key verifies it. It is shown once and is not on this "
				       "machine: keep it elsewhere.\n\n%s\n",
				       dir, hex),
			  e);
	}
	explicit_bzero(b.p, b.n);
	return r;
}

static int set(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e)
{
	struct audit log = AUDIT_CLOSED;
	struct audit_settings s;
	int r = settings(o, &s, e);

	(void) g;
	if (r < 0)
		return r;
	r = audit_open(dir, &log, e);
	if (r == -ENOENT && !e->code)
		return err_set(e, r, "there is no audit log in %s", dir);
	if (r == 0)
		r = audit_set(&log, &s, AUDITED_BY, e);
	audit_close(&log);
	return r;
}

static int head(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e)
{
	buf_auto b = BUF_WRITER(4096);
	struct audit_state st;
	char hex[SHA256_HEX];
	struct jsonw w;
	int r = audit_head(dir, &st, e);

	if (r < 0)
		return r;
	sha256_hex(st.head, hex);
	if (!o->json)
		return print(&b,
			     arena_printf(g->a, "%llu:%s\n", (unsigned long long) st.seq - 1, hex),
			     e);
	jw_init(&w, &b, false);
	jw_obj(&w);
	jw_kstr(&w, "log", st.log);
	jw_ku64(&w, "seq", st.seq - 1);
	jw_kstr(&w, "digest", hex);
	jw_obj_end(&w);
	return print(&b, "\n", e);
}

/* ---- verify ---- */

/* Surrounding white space is an editor's. */
static int parse_key(const char *s, const char *from, uint8_t key[AUDIT_KEY_LEN], struct err *e)
{
	static const char space[] = " \t\r\n";

	s += strspn(s, space);
	if (strcspn(s, space) != 2u * AUDIT_KEY_LEN || !hex_parse(s, AUDIT_KEY_LEN, key) ||
	    s[2 * AUDIT_KEY_LEN + strspn(s + 2 * AUDIT_KEY_LEN, space)])
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"%s: expected a key of 64 hexadecimal digits, as audit init shows it",
			from);
	return 0;
}

static int read_key(struct globals *g, const struct audit_opts *o, uint8_t key[AUDIT_KEY_LEN],
		    struct err *e)
{
	struct bytes text;
	int r;

	if (o->key && o->key_file)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--key and --key-file are the same thing");
	if (o->key)
		return parse_key(o->key, "--key", key, e);
	r = cmd_read_file(g->a, o->key_file, 4096, &text, e);
	if (r < 0)
		return err_context(e, "--key-file");
	r = parse_key((const char *) text.v, o->key_file, key, e);
	explicit_bzero(text.v, text.n);
	return r;
}

static int parse_head(const char *s, struct audit_verify *v, struct err *e)
{
	const char *colon = strchr(s, ':');
	char digits[24] = "";

	if (colon && colon - s < (int) sizeof(digits))
		memcpy(digits, s, (size_t) (colon - s));
	if (num_parse_u64(digits, UINT64_MAX, &v->anchor_seq) < 0 ||
	    strlen(colon + 1) != 2u * SHA256_LEN || !hex_parse(colon + 1, SHA256_LEN, v->anchor))
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--head: expected NUMBER:DIGEST as audit head prints it, found \"%s\"", s);
	v->has_anchor = true;
	return 0;
}

struct report {
	struct globals *g;
	struct strs found;
};

static void found(void *arg, const char *text)
{
	struct report *r = arg;
	char **v = arena_array(r->g->a, r->found.n + 1, sizeof(*v));

	if (r->found.n)
		memcpy(v, r->found.v, r->found.n * sizeof(*v));
	v[r->found.n++] = arena_strdup(r->g->a, text);
	r->found.v = v;
}

static void put_json(struct buf *b, const struct report *rep, const struct audit_verdict *v,
		     bool keyed)
{
	char hex[SHA256_HEX];
	struct jsonw w;

	sha256_hex(v->head, hex);
	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kbool(&w, "intact", v->problems == 0);
	jw_kbool(&w, "keyed", keyed);
	jw_kstr(&w, "log", v->log);
	jw_ku64(&w, "first", v->first);
	jw_ku64(&w, "next", v->next);
	jw_kstr(&w, "digest", hex);
	jw_ku64(&w, "files", v->files);
	jw_ku64(&w, "recoveries", v->recoveries);
	jw_ku64(&w, "pending", v->pending);
	jw_kstrs(&w, "problems", &rep->found);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

static void put_line(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
	buf_put(b, "\n", 1);
}

static void put_text(struct buf *b, const struct report *rep, const struct audit_verdict *v,
		     bool keyed)
{
	struct arena *a = rep->g->a;
	unsigned long long first = v->first, last = v->next ? v->next - 1 : 0;

	for (size_t i = 0; i < rep->found.n; i++)
		put_line(b, rep->found.v[i]);
	if (v->problems >= AUDIT_PROBLEMS_MAX)
		put_line(b, "too much is wrong: the rest was not read");
	if (v->pending)
		put_line(b,
			 arena_printf(
				 a,
				 "%llu bytes behind the last record: a writer did not finish, the "
				 "next one will",
				 (unsigned long long) v->pending));
	if (v->recoveries)
		put_line(b,
			 arena_printf(a,
				      "%llu times a writer had not finished (records \"recovery\")",
				      (unsigned long long) v->recoveries));
	if (first && !v->problems)
		put_line(b, arena_printf(a, "records before %llu were removed by rotation", first));
	if (!keyed)
		put_line(
			b,
			"no key was given: only the chain of digests was checked, which whoever can "
			"write the log can make anew");
	put_line(b, v->problems
			    ? arena_printf(a, "the audit log %s is NOT intact: %llu problem%s",
					   v->log, (unsigned long long) v->problems,
					   v->problems == 1 ? "" : "s")
			    : arena_printf(a, "audit log verified: log %s, records %llu to %llu",
					   v->log, first, last));
}

static int verify(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e)
{
	buf_auto b = BUF_WRITER(1u << 20);
	struct report rep = {.g = g};
	struct audit_verify v = {.found = found, .arg = &rep};
	struct audit_verdict verdict;
	uint8_t key[AUDIT_KEY_LEN];
	int r = 0;

	if (o->key || o->key_file) {
		r = read_key(g, o, key, e);
		v.k0 = key;
	}
	if (r == 0 && o->head)
		r = parse_head(o->head, &v, e);
	if (r == 0)
		r = audit_verify_dir(dir, &v, &verdict, e);
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return r;
	if (o->json)
		put_json(&b, &rep, &verdict, v.k0);
	else
		put_text(&b, &rep, &verdict, v.k0);
	r = cmd_print(&b, e);
	return r < 0 ? r : verdict.problems ? VERIFY_FAILED : 0;
}

/* ---- the command ---- */

#define O(field) offsetof(struct audit_opts, field)

static const struct opt opts_table[] = {
	{"dir", 'd', OPT_STR, "DIR", "where the log is (default: /var/log/kavach)", O(dir)},
	{"json", 0, OPT_FLAG, NULL, "JSON; show: the records as they are in the log", O(json)},
	{"key", 0, OPT_STR, "KEY", "verify: the key that init showed", O(key)},
	{"key-file", 0, OPT_STR, "FILE", "verify: a file with that key; - is standard input",
	 O(key_file)},
	{"head", 0, OPT_STR, "NUMBER:DIGEST", "verify: a record that was seen elsewhere", O(head)},
	{"container", 'c', OPT_STR, "ID", "show: records of one container only", O(container)},
	{"since", 's', OPT_STR, "TIME", "show: from this time on (2026-01-31T12:00, in UTC)",
	 O(since)},
	{"follow", 'f', OPT_FLAG, NULL, "show: go on with what is added", O(follow)},
	{"fsync", 0, OPT_FLAG, NULL, "init, set: each record is on the disk at once", O(fsync)},
	{"journald", 0, OPT_FLAG, NULL, "init, set: send the records to the journal too",
	 O(journald)},
	{"syslog", 0, OPT_FLAG, NULL, "init, set: send number and digest of each to syslog",
	 O(syslog)},
	{"rotate", 0, OPT_STR, "SIZE", "init, set: size from which on a new file begins (64M)",
	 O(rotate)},
	{"keep", 0, OPT_U32, "N", "init, set: older files that are kept (default: all)", O(keep)},
};

/* Which options a part of the command does not take. */
enum { WITH_SETTINGS = 1, WITH_KEY = 2, WITH_FILTER = 4, WITH_JSON = 8 };

static const struct {
	const char *name;
	unsigned takes;
	int (*run)(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e);
} parts[] = {
	{"init", WITH_SETTINGS | WITH_JSON, init},
	{"set", WITH_SETTINGS, set},
	{"head", WITH_JSON, head},
	{"verify", WITH_KEY | WITH_JSON, verify},
	{"show", WITH_FILTER | WITH_JSON, audit_show},
};

static int check_opts(const struct audit_opts *o, const char *part, unsigned takes, struct err *e)
{
	const struct {
		const char *name;
		unsigned with;
		bool given;
	} t[] = {
		{"json", WITH_JSON, o->json},
		{"key", WITH_KEY, o->key},
		{"key-file", WITH_KEY, o->key_file},
		{"head", WITH_KEY, o->head},
		{"container", WITH_FILTER, o->container},
		{"since", WITH_FILTER, o->since},
		{"follow", WITH_FILTER, o->follow},
		{"fsync", WITH_SETTINGS, o->fsync},
		{"journald", WITH_SETTINGS, o->journald},
		{"syslog", WITH_SETTINGS, o->syslog},
		{"rotate", WITH_SETTINGS, o->rotate},
		{"keep", WITH_SETTINGS, o->keep.set},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (t[i].given && !(t[i].with & takes))
			return err_set_id(e, ERR_USAGE, -EINVAL, "audit %s does not take --%s",
					  part, t[i].name);
	return 0;
}

static int cmd_audit(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	struct audit_opts *o = opts;
	char *dir;
	int r;

	(void) argc;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!str_eq(argv[0], parts[i].name))
			continue;
		r = check_opts(o, argv[0], parts[i].takes, e);
		if (r == 0)
			r = cmd_probe_host(g, e);
		if (r == 0)
			r = cmd_abs_path(
				g->a, o->dir ? o->dir : audit_default_dir(g->host.rootless, g->a),
				&dir, e);
		return r < 0 ? r : parts[i].run(g, dir, o, e);
	}
	return err_set_id(e, ERR_USAGE, -EINVAL,
			  "audit: expected init, set, head, verify or show, found \"%s\"", argv[0]);
}

const struct command command_audit = {
	.name = "audit",
	.args = "init|set|head|verify|show",
	.help = "the tamper-evident log of what was done to containers",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct audit_opts),
	.min_args = 1,
	.max_args = 1,
	.run = cmd_audit,
};
