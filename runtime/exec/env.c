/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of the program: exactly the config's, each name once (the last one wins), HOME from the container's
 * passwd file when it is missing or empty, and the LISTEN_* variables of socket activation.
 *
 * The passwd file is the image's, so hostile: it is opened inside the root without following magic links (a link to
 * /proc/self/fd/N would read our descriptors), read up to a limit, and looked up by number only: a user whose *name*
 * is "1000" is nobody's business (CVE-2016-3697).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "exec/ctx.h"

#define PASSWD_MAX (1u << 20)
#define HOME_MAX 4096

/* name:password:uid:gid:gecos:home:shell -> home, when the uid is ours. Cuts the line. */
static char *home_of_line(char *line, uint32_t uid)
{
	char *field[6], *p = line;
	uint32_t got;

	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = p;
		p = p ? strchr(p, ':') : NULL;
		if (p)
			*p++ = '\0';
	}
	if (!field[5] || num_parse_u32(field[2], &got) < 0 || got != uid)
		return NULL;
	return *field[5] && strlen(field[5]) < HOME_MAX ? field[5] : NULL;
}

char *env_find_home(int passwd_fd, uint32_t uid, struct arena *a)
{
	struct stat st;
	char *text, *line, *next, *home;

	if (passwd_fd < 0 || fstat(passwd_fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > PASSWD_MAX)
		return NULL;
	text = arena_alloc(a, (size_t) st.st_size + 1);
	if (io_read_full(passwd_fd, text, (size_t) st.st_size) < 0)
		return NULL;
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		home = home_of_line(line, uid);
		if (home)
			return home;
	}
	return NULL;
}

static const char *find_home(struct stage *s)
{
	/* O_NONBLOCK: it may be a FIFO that nobody writes to */
	fd_late int fd = path_open_in(s->root_fd, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
				      0);
	const char *home = env_find_home(fd, s->proc->uid, s->a);

	return home ? home : "/";
}

/* ---- names seen, for lists that an orchestrator made long: open addressing, never more than half full ---- */

struct names {
	const char **v;
	size_t mask;
};

static size_t name_len(const char *entry)
{
	return strcspn(entry, "=");
}

static bool names_add(struct names *t, const char *entry)
{
	size_t n = name_len(entry), h = 5381;

	for (size_t i = 0; i < n; i++)
		h = h * 33 + (unsigned char) entry[i];
	for (h &= t->mask; t->v[h]; h = (h + 1) & t->mask)
		if (name_len(t->v[h]) == n && memcmp(t->v[h], entry, n) == 0)
			return false;
	t->v[h] = entry;
	return true;
}

static struct names names_new(struct arena *a, size_t n)
{
	size_t size = 16;

	while (size < 2 * n)
		size *= 2;
	return (struct names){arena_array(a, size, sizeof(char *)), size - 1};
}

char **env_build(struct stage *s)
{
	const struct strs *env = &s->proc->env;
	size_t room = env->n + 4, at = room;
	char **out = arena_array(s->a, room + 1, sizeof(*out));
	struct names seen = names_new(s->a, room);
	const char *home = env_get(env, "HOME");

	/* From the last to the first, filling from the end, so that the last one of a name is the one that stays. */
	if (s->boot->listen_fds) {
		if (s->boot->listen_fdnames)
			out[--at] = arena_printf(s->a, "LISTEN_FDNAMES=%s",
						 s->boot->listen_fdnames);
		out[--at] = arena_printf(s->a, "LISTEN_PID=%d", (int) getpid());
		out[--at] = arena_printf(s->a, "LISTEN_FDS=%u", s->boot->listen_fds);
	}
	if (str_empty(home))
		out[--at] = arena_printf(s->a, "HOME=%s", find_home(s));
	for (size_t i = at; i < room; i++)
		names_add(&seen, out[i]);
	for (size_t i = env->n; i-- > 0;)
		if (names_add(&seen, env->v[i]))
			out[--at] = env->v[i];
	return out + at;
}
