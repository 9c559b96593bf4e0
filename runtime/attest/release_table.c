/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's table: a file of entries, each with what a guest must be and the secrets that it then gets. */
#include <stdlib.h>
#include <string.h>

#include "attest/bytes.h"
#include "attest/release.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/read.h"

struct file_entry {
	struct strs digests, secrets;
	char *verify, *comment;
};
struct file {
	struct opt_u64 version;
	char *verify;
	struct jlist entries;
};

#define F(type, field) .off = offsetof(type, field)
static const struct jfield entry_f[] = {
	{.name = "comment", .kind = J_STR, F(struct file_entry, comment)},
	{.name = "policyDigests",
	 .kind = J_STRS,
	 .flags = J_NONEMPTY,
	 F(struct file_entry, digests)},
	{.name = "verify", .kind = J_STR, .flags = J_NONEMPTY, F(struct file_entry, verify)},
	{.name = "secrets",
	 .kind = J_STRS,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 F(struct file_entry, secrets)},
};
static const struct jtable entry_t = {.f = entry_f,
				      .n = ARRAY_LEN(entry_f),
				      .size = sizeof(struct file_entry),
				      .flags = J_STRICT};
static const struct jfield file_f[] = {
	{.name = "version", .kind = J_UINT, .flags = J_REQUIRED, F(struct file, version)},
	{.name = "verify", .kind = J_STR, .flags = J_NONEMPTY, F(struct file, verify)},
	{.name = "entries",
	 .kind = J_OBJS,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 .sub = &entry_t,
	 F(struct file, entries)},
};
static const struct jtable file_t = {
	.f = file_f, .n = ARRAY_LEN(file_f), .size = sizeof(struct file), .flags = J_STRICT};
#undef F

struct ctx {
	const struct json_doc *d;
	int (*read)(void *arg, const char *name, struct bytes *ret, struct err *e);
	void *arg;
	struct arena *a;
	struct err *e;
};

bool broker_name_good(const char *name)
{
	size_t n = strlen(name);

	return n && n <= BROKER_NAME_MAX && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n;
}

static int names(struct ctx *c, const struct json_node *n, const struct strs *l)
{
	const struct json_node *at = json_get(n, "secrets")->child;

	for (size_t i = 0; i < l->n; i++, at = at->next)
		if (!broker_name_good(l->v[i]))
			return json_err(c->d, at, c->e,
					"expected a secret's name (letters, digits, '.', '_', '-'; "
					"at most %u), found %s",
					BROKER_NAME_MAX, json_found(c->a, at));
	return 0;
}

static int digests(struct ctx *c, const struct json_node *n, struct release_entry *r)
{
	const struct json_node *list = json_get(n, "policyDigests");
	uint8_t v[BROKER_DIGEST_LEN];

	for (n = list && list->type == JSON_ARRAY ? list->child : NULL; n; n = n->next) {
		const char *hex = str_prefix(n->s, "sha256:");

		if (!hex_bytes(hex ? hex : n->s, v, sizeof(v)))
			return json_err(c->d, n, c->e,
					"expected 32 bytes as 64 hexadecimal digits, found %s",
					json_found(c->a, n));
		expect_one(&r->digests, v, sizeof(v), c->a);
	}
	return 0;
}

/* What the broker itself expects of a report may not stand in a file, and something must tell containers apart. */
static int fits_us(struct ctx *c, const struct json_node *n, const struct release_entry *r)
{
	if (r->expect.any_report_data || r->expect.report_data.set)
		return json_err(c->d, n, c->e,
				"%s: reportData and anyReportData: what REPORT_DATA must be is the "
				"broker's alone",
				r->verify);
	if (!r->expect.any_measurement && !r->expect.measurements.set)
		return json_err(c->d, n, c->e,
				"%s: expected measurements, or anyMeasurement to give them up: no "
				"report would ever be accepted",
				r->verify);
	if (!r->digests.set && !r->expect.host_data.set)
		return json_err(c->d, n, c->e,
				"expected policyDigests, or hostData in %s: every container of "
				"that image would get these secrets",
				r->verify);
	return 0;
}

static int entry(struct ctx *c, const struct json_node *n, const struct file_entry *in,
		 const char *verify, struct release_entry *ret)
{
	struct bytes text;
	int r;

	*ret = (struct release_entry){.verify = in->verify ? in->verify : verify,
				      .names = in->secrets};
	if (!ret->verify)
		return json_err(c->d, n, c->e,
				"expected \"verify\", here or for the whole table: the file of a "
				"verification policy");
	if ((r = names(c, n, &in->secrets)) < 0 || (r = digests(c, n, ret)) < 0 ||
	    (r = c->read(c->arg, ret->verify, &text, c->e)) < 0 ||
	    (r = expect_read(ret->verify, text, c->a, &ret->expect, c->e)) < 0)
		return r;
	return fits_us(c, n, ret);
}

int release_table_read(const char *name, struct bytes text,
		       int (*read)(void *arg, const char *name, struct bytes *ret, struct err *e),
		       void *arg, struct arena *a, struct release_table *ret, struct err *e)
{
	struct json_doc d;
	struct ctx c = {.d = &d, .read = read, .arg = arg, .a = a, .e = e};
	struct release_table t;
	struct file f = {0};
	const struct json_node *n;
	int r = json_read(name, (const char *) text.v, text.n, a, &d, e);

	if (r == 0)
		r = json_decode(&d, d.root, &file_t, &f, a, e);
	if (r == 0 && f.version.v != 1)
		r = json_err(&d, json_get(d.root, "version"), e, "expected 1, found %llu",
			     (unsigned long long) f.version.v);
	if (r < 0)
		return r;
	t.n = f.entries.n;
	t.v = arena_array(a, t.n, sizeof(*t.v));
	n = json_get(d.root, "entries")->child;
	for (size_t i = 0; i < t.n && r == 0; i++, n = n->next)
		r = entry(&c, n, (const struct file_entry *) f.entries.v + i, f.verify, &t.v[i]);
	if (r == 0)
		*ret = t;
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

struct strs release_table_names(const struct release_table *t, struct arena *a)
{
	struct strs all = {.set = true};
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->v[i].names.n;
	all.v = arena_array(a, n + 1, sizeof(*all.v));
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i].names.n; k++)
			if (!strs_has(&all, t->v[i].names.v[k]))
				all.v[all.n++] = t->v[i].names.v[k];
	qsort(all.v, all.n, sizeof(*all.v), by_name);
	return all;
}
