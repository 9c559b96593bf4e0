/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit show: records as lines for people, or as they are. Whoever reads has not verified them: the text says who wrote
 * what, `audit verify` whether that is true. Complete lines only; what a writer has not finished is not shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "audit/lines.h"
#include "base/fd.h"
#include "base/str.h"
#include "cmd/audit.h"
#include "json/read.h"

struct show {
	struct globals *g;
	const struct audit_opts *o;
	int dir_fd;
	uint64_t file; /* the one that is read: the number of its first record */
	uint64_t at;   /* how far */
	bool begun;
};

static const char *text_of(const struct json_node *n, const char *key)
{
	const struct json_node *m = json_get(n, key);

	return m && (m->type == JSON_STRING || m->type == JSON_NUMBER) ? m->s : NULL;
}

/* Names come from outside: nothing of them is to reach the terminal as a command. */
static void put(struct buf *b, const char *s, size_t width)
{
	size_t n = 0;

	for (; s && *s; s++, n++) {
		uint8_t c = (uint8_t) *s;

		buf_put_u8(b, c < 0x20 || c == 0x7f ? '?' : c);
	}
	for (; n < width; n++)
		buf_put_u8(b, ' ');
	buf_put_u8(b, ' ');
}

static void put_pair(struct buf *b, const char *key, const char *val)
{
	buf_put(b, key, strlen(key));
	buf_put(b, "=", 1);
	put(b, val, 0);
}

/* The members that are an event's own stand behind "caller". */
static void put_details(struct buf *b, const struct json_node *root)
{
	const struct json_node *m = json_get(root, "caller");

	for (m = m ? m->next : NULL; m; m = m->next) {
		if (str_eq(m->key, "prev") || str_eq(m->key, "mac") || str_eq(m->key, "args"))
			continue;
		put_pair(b, m->key, m->type == JSON_NULL ? "unknown" : m->s ? m->s : "?");
	}
	if (text_of(root, "reason"))
		put_pair(b, "reason", text_of(root, "reason"));
}

static void put_row(struct buf *b, const struct json_node *root)
{
	put(b, text_of(root, "seq"), 6);
	put(b, text_of(root, "time"), 30);
	put(b, text_of(root, "event"), 12);
	put(b, text_of(root, "outcome"), 7);
	put(b, text_of(root, "id") ? text_of(root, "id") : "-", 16);
	put_pair(b, "uid", text_of(root, "uid"));
	put_pair(b, "caller", text_of(root, "caller"));
	put_details(b, root);
	b->n--;
	buf_put(b, "\n", 1);
}

static bool wanted(const struct show *s, const struct json_node *root)
{
	const char *id = text_of(root, "id"), *time = text_of(root, "time");

	if (s->o->container && (!id || !str_eq(id, s->o->container)))
		return false;
	/* both are UTC and of one form, so the order of the texts is that of the times */
	return !s->o->since || (time && strcmp(time, s->o->since) >= 0);
}

static int show_line(struct show *s, const struct one_line *l, struct err *e)
{
	buf_auto b = BUF_WRITER(8 * AUDIT_LINE_MAX);
	struct json_doc d;
	struct err sub = ERR_INIT;
	arena_auto a = {0};

	if (l->too_long || json_read("record", l->p, l->n, &a, &d, &sub) < 0 ||
	    d.root->type != JSON_OBJECT) {
		static const char bad[] = "(not a record: see audit verify)\n";

		if (s->o->container || s->o->since || s->o->json)
			return 0;
		buf_put(&b, bad, sizeof(bad) - 1);
		return cmd_print(&b, e);
	}
	if (!wanted(s, d.root))
		return 0;
	if (s->o->json) {
		buf_put(&b, l->p, l->n);
		buf_put(&b, "\n", 1);
	} else {
		put_row(&b, d.root);
	}
	return cmd_print(&b, e);
}

/* What is there of the file that we are in. */
static int show_file(struct show *s, struct err *e)
{
	static struct lines l;
	struct one_line one;
	char name[AUDIT_NAME_MAX];
	fd_auto int fd = -EBADF;
	int r;

	audit_file_name(s->file, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "reading %s of the audit log", name);
	lines_init(&l, fd, s->at, UINT64_MAX);
	while ((r = lines_next(&l, &one)) > 0 && one.ended) {
		r = show_line(s, &one, e);
		if (r < 0)
			return r;
		s->at = l.at;
	}
	return r < 0 ? err_neg(e, r, "reading %s of the audit log", name) : 0;
}

/* Reads on to the end of the last file. */
static int show_all(struct show *s, struct err *e)
{
	for (;;) {
		arena_auto a = {0};
		struct u64s files;
		size_t i;
		int r = audit_files(s->dir_fd, &a, &files, e);

		if (r < 0)
			return r;
		/* the list first: what is added to a file before the next one begins is read here */
		if (s->begun) {
			r = show_file(s, e);
			if (r < 0)
				return r;
		}
		for (i = 0; i < files.n && s->begun && files.v[i] <= s->file; i++)
			continue;
		if (i == files.n)
			return 0;
		s->file = files.v[i];
		s->at = 0;
		s->begun = true;
		r = show_file(s, e);
		if (r < 0)
			return r;
	}
}

static int follow(struct show *s, const char *dir, int watch, struct err *e)
{
	char events[4096];
	int r;

	if (inotify_add_watch(watch, dir, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		return err_sys(e, "watching %s", dir);
	for (;;) {
		r = show_all(s, e);
		if (r < 0)
			return r;
		if (read(watch, events, sizeof(events)) < 0 && errno != EINTR)
			return err_sys(e, "watching %s", dir);
	}
}

int audit_show(struct globals *g, const char *dir, const struct audit_opts *o, struct err *e)
{
	struct show s = {.g = g, .o = o};
	fd_auto int dir_fd = -EBADF, watch = -EBADF;

	if (o->since &&
	    (strlen(o->since) < 4 || strspn(o->since, "0123456789-:.TZ") != strlen(o->since)))
		return err_set_id(
			e, ERR_USAGE, -EINVAL,
			"--since: expected a time in UTC as 2026-01-31T12:00, found \"%s\"",
			o->since);
	dir_fd = audit_dir_open(dir, e);
	if (dir_fd < 0)
		return dir_fd;
	s.dir_fd = dir_fd;
	if (!o->follow)
		return show_all(&s, e);
	watch = inotify_init1(IN_CLOEXEC);
	if (watch < 0)
		return err_sys(e, "watching %s", dir);
	return follow(&s, dir, watch, e);
}
