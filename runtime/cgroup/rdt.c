/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups in resctrl. mkdir makes one, the kernel fills it with files; a write of lines to `schemata` sets its shares, a pid
 * in `tasks` moves a task. rmdir moves the tasks to the root group without a word, which is why a group that was named
 * by the config, and may have other containers in it, is only removed when it is empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/str.h"
#include "cgroup/rdt.h"

#define SCHEMATA_MAX 16384

static const struct cfield rows[] = {
	{.name = "group", .kind = C_STR, .off = offsetof(struct rdt, group)},
	{.name = "mon", .kind = C_STR, .off = offsetof(struct rdt, mon)},
	{.name = "made", .kind = C_BOOL, .off = offsetof(struct rdt, made)},
	{.name = "named", .kind = C_BOOL, .off = offsetof(struct rdt, named)},
};
const struct ctable rdt_table = {
	.name = "rdt", .f = rows, .n = ARRAY_LEN(rows), .size = sizeof(struct rdt)};

const struct rdt_root host_rdt = {.path = RDT_ROOT};

/* ---- schemata ---- */

/* The end of a word of a schema: "0=ff" ends at ';', a line at its own end. */
static size_t word_len(const char *p, const char *ends)
{
	size_t n = strcspn(p, ends);

	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return n;
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* "00fF" and "ff" are the same mask, "070" and the kernel's " 70" the same share. */
static bool same_value(const char *a, size_t an, const char *b, size_t bn)
{
	while (an > 1 && *a == ' ')
		a++, an--;
	while (bn > 1 && *b == ' ')
		b++, bn--;
	while (an > 1 && *a == '0')
		a++, an--;
	while (bn > 1 && *b == '0')
		b++, bn--;
	return an == bn && strncasecmp(a, b, an) == 0;
}

/* The line of a resource ("L3:") in a text, behind the colon; NULL. */
static const char *find_line(const char *text, const char *name, size_t n)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *q = skip_blanks(p);

		if (strncmp(q, name, n) == 0 && q[n] == ':')
			return q + n + 1;
	}
	return NULL;
}

/* Whether a line says the same of domain "0=". */
static bool domain_is(const char *line, const char *want, size_t n)
{
	size_t key = strcspn(want, "=");

	while (key < n && *line && *line != '\n') {
		const char *w = skip_blanks(line);
		size_t len = word_len(w, ";\n"), k = strcspn(w, "=");

		if (k < len && same_value(w, k, want, key))
			return same_value(w + k + 1, len - k - 1, want + key + 1, n - key - 1);
		line += strcspn(line, ";\n");
		line += *line == ';';
	}
	return false;
}

static bool line_differs(const char *have, const char *want)
{
	size_t name = strcspn(want, ":\n");
	const char *line = want[name] == ':' ? find_line(have, want, name) : NULL;
	const char *p = want + name + 1;

	if (!line)
		return true;
	for (;;) {
		size_t n;

		p = skip_blanks(p);
		n = word_len(p, ";\n");
		if (n && !domain_is(line, p, n))
			return true;
		p += strcspn(p, ";\n");
		if (*p != ';')
			return false;
		p++;
	}
}

bool rdt_schema_differs(const char *have, const char *want)
{
	for (const char *p = want; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		p = skip_blanks(p);
		if (*p && *p != '\n' && line_differs(have, p))
			return true;
	}
	return false;
}

/* Lines of l3CacheSchema, but for those of MB if there is a memBwSchema. */
static void put_l3(struct buf *b, const char *l3, bool has_mb)
{
	while (*l3) {
		size_t n = strcspn(l3, "\n");
		const char *q = skip_blanks(l3);

		if (n && !(has_mb && str_prefix(q, "MB:"))) {
			buf_put(b, l3, n);
			buf_put(b, "\n", 1);
		}
		l3 += n + (l3[n] == '\n');
	}
}

static void put_line(struct buf *b, const char *line)
{
	buf_put(b, line, strlen(line));
	buf_put(b, "\n", 1);
}

/* S-50: the cache, the bandwidth, then schemata, each line over what came before. "" when nothing is to be set. */
static char *schema_of(const struct pol_rdt *p, struct arena *a)
{
	buf_auto b = BUF_WRITER(SCHEMATA_MAX);

	if (p->l3)
		put_l3(&b, p->l3, p->mb);
	if (p->mb)
		put_line(&b, p->mb);
	for (size_t i = 0; i < p->schemata.n; i++)
		put_line(&b, p->schemata.v[i]);
	return b.bad ? NULL : arena_strndup(a, (const char *) b.p, b.n);
}

/* ---- directories ---- */

static int open_dir(int at, const char *path, struct err *e)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? err_sys(e, "linux.intelRdt: opening group %s of resctrl", path) : fd;
}

static int open_group(const struct rdt_root *root, const struct rdt *r, struct err *e)
{
	fd_auto int top = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return err_sys(e, "linux.intelRdt: opening %s", root->path);
	return open_dir(top, r->group, e);
}

static int read_schemata(int group, char *buf, size_t size, struct err *e)
{
	ssize_t n = io_read_small(group, "schemata", buf, size);

	return n < 0 ? err_neg(e, (int) n, "linux.intelRdt: reading schemata") : 0;
}

/* The kernel's words are in a file of their own. */
static int refused(const struct rdt_root *root, int r, const char *what, struct err *e)
{
	fd_auto int top = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char said[512];
	ssize_t n = io_read_small(top, "info/last_cmd_status", said, sizeof(said));
	bool has = n > 0 && !str_eq(said, "ok");

	return err_neg(e, r, "linux.intelRdt: %s%s%s", what, has ? ": " : "", has ? said : "");
}

/* ---- deciding ---- */

static int check_existing(int group, const struct rdt *r, const char *want, struct err *e)
{
	char have[SCHEMATA_MAX];
	int n = read_schemata(group, have, sizeof(have), e);

	if (n < 0 || !rdt_schema_differs(have, want))
		return n;
	return err_set(e, -EEXIST,
		       "linux.intelRdt.closID: group \"%s\" is there with another schema than the "
		       "config asks for",
		       r->group);
}

int rdt_plan(const struct rdt_root *root, const struct pol_rdt *p, const char *id, struct arena *a,
	     struct rdt *ret, struct err *e)
{
	struct rdt r = {.named = p->clos_id != NULL};
	struct err sub = ERR_INIT;
	fd_auto int fd = -EBADF;
	const char *want;

	*ret = (struct rdt){0};
	if (!p->set)
		return 0;
	want = schema_of(p, a);
	if (!want)
		return err_set(e, -EFBIG, "linux.intelRdt: the schema is longer than %d bytes",
			       SCHEMATA_MAX);
	r.group = arena_strdup(a, !r.named ? id : str_eq(p->clos_id, "/") ? "." : p->clos_id);
	r.mon = p->monitoring ? arena_strdup(a, id) : NULL;
	fd = open_group(root, &r, &sub);
	r.made = fd == -ENOENT;
	if (fd < 0 && !r.made) {
		*e = sub;
		return fd;
	}
	if (r.made && r.named && !*want)
		return err_set(
			e, -ENOENT,
			"linux.intelRdt.closID: resctrl has no group \"%s\", and the config no "
			"schema to make it with",
			r.group);
	if (!r.made && !r.named)
		return err_set(e, -EEXIST, "linux.intelRdt: resctrl has a group \"%s\" already",
			       r.group);
	if (!r.made && *want) {
		int n = check_existing(fd, &r, want, e);

		if (n < 0)
			return n;
	}
	*ret = r;
	return 0;
}

/* ---- doing ---- */

static int make_dir(const struct rdt_root *root, int at, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(at, name, 0755) < 0) {
		char what[320];

		snprintf(what, sizeof(what), "making the group \"%s\"", name);
		return refused(root, -errno, what, e);
	}
	fd = open_dir(at, name, e);
	if (fd >= 0 && root->made)
		root->made(fd);
	return fd;
}

static int set_schema(const struct rdt_root *root, int group, const char *text, struct err *e)
{
	int r = *text ? io_write_at(group, "schemata", 0, text, strlen(text)) : 0;
	char what[160];

	if (r == 0)
		return 0;
	snprintf(what, sizeof(what), "writing \"%.*s\" to schemata", (int) strcspn(text, "\n"),
		 text);
	return refused(root, r, what, e);
}

int rdt_make(const struct rdt_root *root, const struct rdt *r, const struct pol_rdt *p,
	     struct err *e)
{
	fd_auto int top = -EBADF, group = -EBADF, mons = -EBADF, mon = -EBADF;
	arena_auto a = {0};
	int n = 0;

	if (!r->group)
		return 0;
	top = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return err_sys(e, "linux.intelRdt: opening %s", root->path);
	group = r->made ? make_dir(root, top, r->group, e) : open_dir(top, r->group, e);
	if (group < 0)
		return group;
	if (r->made)
		n = set_schema(root, group, schema_of(p, &a), e);
	if (n < 0 || !r->mon)
		return n;
	mons = open_dir(group, "mon_groups", e);
	if (mons < 0)
		return err_context(e, "linux.intelRdt.enableMonitoring");
	mon = make_dir(root, mons, r->mon, e);
	return mon < 0 ? err_context(e, "linux.intelRdt.enableMonitoring") : 0;
}

int rdt_enter(const struct rdt_root *root, const struct rdt *r, pid_t pid, struct err *e)
{
	fd_auto int group = -EBADF, mons = -EBADF, mon = -EBADF;
	char num[24];
	size_t len = num_fmt_u64(num, (uint64_t) pid);
	int n;

	if (!r->group)
		return 0;
	group = open_group(root, r, e);
	if (group < 0)
		return group;
	n = io_write_at(group, "tasks", 0, num, len);
	if (n == 0 && r->mon) {
		mons = openat(group, "mon_groups", O_PATH | O_DIRECTORY | O_CLOEXEC);
		mon = openat(mons, r->mon, O_PATH | O_DIRECTORY | O_CLOEXEC);
		n = mon < 0 ? -errno : io_write_at(mon, "tasks", 0, num, len);
	}
	return n < 0 ? refused(root, n, "moving the container's process into its group", e) : 0;
}

int rdt_update(const struct rdt_root *root, const struct rdt *r, const char *l3, const char *mb,
	       struct err *e)
{
	const struct pol_rdt p = {.l3 = (char *) (uintptr_t) l3, .mb = (char *) (uintptr_t) mb};
	fd_auto int group = -EBADF;
	arena_auto a = {0};
	const char *text;

	if (!r->group || r->named)
		return err_set(
			e, -ENOTSUP,
			"the container has no resctrl group of its own whose schema could be "
			"changed");
	text = schema_of(&p, &a);
	if (!text)
		return err_set(e, -EFBIG, "the schema is longer than %d bytes", SCHEMATA_MAX);
	group = open_group(root, r, e);
	return group < 0 ? group : set_schema(root, group, text, e);
}

static int remove_dir(int at, const char *name, struct err *e)
{
	if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, "removing group %s of resctrl", name);
}

static bool is_used(int group)
{
	char buf[32];

	return io_read_small(group, "tasks", buf, sizeof(buf)) !=
	       0; /* an error, too, is no "empty" */
}

int rdt_remove(const struct rdt_root *root, const struct rdt *r, struct err *e)
{
	fd_auto int top = -EBADF, group = -EBADF, mons = -EBADF;
	int n = 0;

	if (!r->group)
		return 0;
	top = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group = openat(top, r->group, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (group < 0)
		return errno == ENOENT || errno == EBADF ? 0 : err_sys(e, "opening %s", r->group);
	if (r->mon) {
		mons = openat(group, "mon_groups", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		n = mons < 0 ? 0 : remove_dir(mons, r->mon, e);
	}
	if (n < 0 || !r->made || (r->named && is_used(group)))
		return n;
	return remove_dir(top, r->group, e);
}

/* ---- statistics ---- */

/* The line of a resource in a group's schemata, with its name; members as runc names them. */
static void put_schema(struct jsonw *w, int group, const char *resource, const char *key)
{
	char text[SCHEMATA_MAX], line[1024];
	const char *l;

	if (group < 0 || io_read_small(group, "schemata", text, sizeof(text)) < 0)
		return;
	l = find_line(text, resource, strlen(resource));
	if (!l)
		return;
	snprintf(line, sizeof(line), "%s:%.*s", resource, (int) word_len(l, "\n"), l);
	jw_kstr(w, key, line);
}

static void put_number(struct jsonw *w, int dir, const char *file, const char *key)
{
	char text[32];
	uint64_t v;

	if (io_read_small(dir, file, text, sizeof(text)) > 0 &&
	    num_parse_u64(text, UINT64_MAX, &v) == 0)
		jw_ku64(w, key, v);
}

/* One object for each cache: mon_data/mon_L3_00, ... */
static void put_monitor(struct jsonw *w, int group)
{
	static const struct {
		const char *list, *file[2], *key[2];
	} kinds[] = {
		{"mbm_stats",
		 {"mbm_total_bytes", "mbm_local_bytes"},
		 {"mbm_total_bytes", "mbm_local_bytes"}},
		{"cmt_stats", {"llc_occupancy", NULL}, {"llc_occupancy", NULL}},
	};
	char name[40];

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		jw_key(w, kinds[k].list);
		jw_arr(w);
		for (unsigned i = 0; i < 256; i++) {
			fd_auto int dir = -EBADF;

			snprintf(name, sizeof(name), "mon_data/mon_L3_%02u", i);
			dir = openat(group, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (dir < 0)
				break;
			jw_obj(w);
			for (size_t f = 0; f < 2 && kinds[k].file[f]; f++)
				put_number(w, dir, kinds[k].file[f], kinds[k].key[f]);
			jw_obj_end(w);
		}
		jw_arr_end(w);
	}
}

void rdt_stats(struct jsonw *w, const struct rdt_root *root, const struct rdt *r)
{
	fd_auto int top = -EBADF, group = -EBADF, mon = -EBADF;
	char path[600];

	if (!r->group)
		return;
	top = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	group = openat(top, r->group, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (group < 0)
		return;
	jw_key(w, "intel_rdt");
	jw_obj(w);
	put_schema(w, top, "L3", "l3_cache_schema_root");
	put_schema(w, group, "L3", "l3_cache_schema");
	put_schema(w, top, "MB", "mem_bw_schema_root");
	put_schema(w, group, "MB", "mem_bw_schema");
	if (r->mon) {
		snprintf(path, sizeof(path), "mon_groups/%s", r->mon);
		mon = openat(group, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	/* a group that is only ours says as much as one to watch us by */
	put_monitor(w, mon >= 0 ? mon : group);
	jw_obj_end(w);
}
