/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules as the v1 controller takes them.
 *
 * Theory of operation: the kernel keeps either "all but these" or "none but these". In the first form any
 * overlap with an entry is refused, in the second one entry must cover the whole access. There are no
 * exceptions from exceptions: "c *:* m" cannot be taken back for 1:3. So the entries are made from the
 * cells, general ones first, and every cell is then checked against the entries that cover it. Rules that
 * would come out wider than they were meant are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/internal.h"

static const struct cg_dev_cell *find(const struct cg_dev_cells *c, char type, int64_t major,
				      int64_t minor)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].type == type && c->v[i].major == major && c->v[i].minor == minor)
			return &c->v[i];
	return NULL;
}

static char *entry(struct arena *a, const struct cg_dev_cell *c, uint8_t access)
{
	char s[64];
	int n = snprintf(s, sizeof(s), "%c ", c->type);

	n += c->major < 0 ? snprintf(s + n, sizeof(s) - (size_t) n, "*:")
			  : snprintf(s + n, sizeof(s) - (size_t) n, "%lld:", (long long) c->major);
	n += c->minor < 0 ? snprintf(s + n, sizeof(s) - (size_t) n, "* ")
			  : snprintf(s + n, sizeof(s) - (size_t) n, "%lld ", (long long) c->minor);
	snprintf(s + n, sizeof(s) - (size_t) n, "%s%s%s", access & 1 ? "r" : "",
		 access & 2 ? "w" : "", access & 4 ? "m" : "");
	return arena_strdup(a, s);
}

/*
 * The entries that cover a cell besides its own: (*, *), (major, *), (*, minor). In the cells of other
 * majors, (*, minor) is the cell with major "any other".
 */
static uint8_t covered(const struct cg_dev_cells *c, const struct cg_dev_cell *cell, uint8_t flip,
		       bool *ret_wider)
{
	const struct cg_dev_cell *over[3] = {find(c, cell->type, -1, -1),
					     find(c, cell->type, cell->major, -1),
					     find(c, cell->type, -1, cell->minor)};
	uint8_t own = cell->access ^ flip, best = 0;

	for (size_t i = 0; i < ARRAY_LEN(over); i++) {
		uint8_t other;

		if (!over[i] || over[i] == cell)
			continue;
		other = over[i]->access ^ flip;
		*ret_wider |= (other & ~own) != 0;
		if (other == own)
			best = own;
	}
	return best;
}

/* Entries for one of the two forms: flip 0: allowed access on top of "none", 7: denied on top of "all". */
static int entries(const struct cg_dev_cells *c, uint8_t flip, struct arena *a, struct strs *ret,
		   struct err *e)
{
	ret->v = arena_array(a, c->n + 1, sizeof(*ret->v));
	for (size_t i = 0; i < c->n; i++) {
		const struct cg_dev_cell *cell = &c->v[i];
		bool wider = false;
		uint8_t have = covered(c, cell, flip, &wider);

		if (wider)
			return err_set(
				e, -EOPNOTSUPP,
				"linux.resources.devices: cgroup v1 cannot make an exception for \"%s\" from a more "
				"general rule",
				entry(a, cell, 7));
		if ((cell->access ^ flip) && have != (cell->access ^ flip))
			ret->v[ret->n++] = entry(a, cell, cell->access ^ flip);
	}
	return 0;
}

int cg_devices_v1(const struct cg_dev_cells *c, struct arena *a, struct strs *ret_deny,
		  struct strs *ret_allow, struct err *e)
{
	const struct cg_dev_cell *b = find(c, 'b', -1, -1), *ch = find(c, 'c', -1, -1);
	static char everything[] = "a";
	struct strs list = {0}, first = {.v = arena_array(a, 1, sizeof(char *)), .n = 1};
	bool open = b && ch && b->access == 7 && ch->access == 7;
	int r;

	first.v[0] = everything; /* switches the form, and empties the list */
	r = entries(c, open ? 7 : 0, a, &list, e);
	if (r < 0)
		return r;
	*ret_deny = open ? list : first;
	*ret_allow = open ? first : list;
	return 0;
}

static int write_list(const struct cg_hier *h, const char *file, const struct strs *l, bool lenient,
		      struct err *e)
{
	fd_auto int fd = -EBADF;
	char path[PATH_MAX];
	int r = cg_path(path, h, file);

	if (l->n == 0)
		return 0;
	if (r == 0) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return err_neg(e, r, "linux.resources.devices: open %s", path);
	for (size_t i = 0; i < l->n; i++)
		if (write(fd, l->v[i], strlen(l->v[i])) < 0 && !(lenient && errno == EPERM))
			return err_sys(e, "linux.resources.devices: writing \"%s\" to %s", l->v[i],
				       path);
	return 0;
}

/* In the "all but" form, the parent may not have all itself, and what it lacks nobody can give: EPERM is
 * no widening. */
int cg_devices_write(const struct cg_hier *h, const struct cg_dev_cells *c, struct arena *a,
		     struct err *e)
{
	struct strs deny, allow;
	bool open;
	int r;

	r = cg_devices_v1(c, a, &deny, &allow, e);
	if (r < 0)
		return r;
	open = allow.n == 1 && str_eq(allow.v[0], "a");
	r = write_list(h, open ? "devices.allow" : "devices.deny", open ? &allow : &deny, open, e);
	return r < 0 ? r
		     : write_list(h, open ? "devices.deny" : "devices.allow", open ? &deny : &allow,
				  false, e);
}

/* ---- reading ---- */

/* "c 1:3 rwm" -> the device as text and the access bits. */
static bool parse_entry(char *line, uint8_t *ret_access)
{
	static const char letters[] = "rwm";
	char *access = strrchr(line, ' ');

	if (!access || access == line)
		return false;
	*access++ = 0;
	*ret_access = 0;
	for (; *access; access++) {
		const char *l = strchr(letters, *access);

		if (!l)
			return false;
		*ret_access |= (uint8_t) (1u << (l - letters));
	}
	return true;
}

static uint8_t allowed(const struct strs *entries, const char *device, struct arena *a)
{
	uint8_t access, sum = 0;

	for (size_t i = 0; i < entries->n; i++) {
		char *copy = arena_strdup(a, entries->v[i]);

		if (parse_entry(copy, &access) && str_eq(copy, device))
			sum |= access;
	}
	return sum;
}

/* Whether the one list allows something that the other does not. */
static bool allows_more(const struct strs *one, const struct strs *other, struct arena *a)
{
	uint8_t access;

	for (size_t i = 0; i < one->n; i++) {
		char *copy = arena_strdup(a, one->v[i]);

		if (!parse_entry(copy, &access) || (access & ~allowed(other, copy, a)))
			return true;
	}
	return false;
}

/* In the "all but" form the kernel does not show the exceptions. */
enum cg_verdict cg_devices_compare(const struct cg_dev_cells *c, const char *text, struct arena *a)
{
	struct strs have = str_split(a, text, '\n'), deny, allow;
	bool all = have.n == 1 && str_eq(have.v[0], "a *:* rwm");
	struct err ignored = ERR_INIT;

	if (cg_devices_v1(c, a, &deny, &allow, &ignored) < 0)
		return CG_UNSEEN;
	if (allow.n == 1 && str_eq(allow.v[0], "a"))
		return !all ? CG_TIGHTER : deny.n ? CG_UNSEEN : CG_SAME;
	if (all || allows_more(&have, &allow, a))
		return CG_DIFFERS;
	return allows_more(&allow, &have, a) ? CG_TIGHTER : CG_SAME;
}
