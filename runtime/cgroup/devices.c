/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ordered list of device rules means.
 *
 * Theory of operation: the rules name finitely many major and minor numbers, so the device space falls
 * into finitely many cells in which all devices are treated alike: each named (major, minor), "any other
 * minor" of each named major, "any other major". For each cell the answer is a constant set of access
 * bits: for every bit, the last rule that matches the cell and speaks of the bit decides. Whatever is
 * generated for a kernel (v1 list, v2 program) is generated from the cells, so the order of rules and
 * overlaps between them are settled in one place. No rule, no access.
 */
#include <errno.h>
#include <stdlib.h>

#include "cgroup/internal.h"

#define ANY (-1)

static bool of_type(const struct pol_device_rule *r, char type)
{
	return r->type == 'a' || r->type == (uint32_t) type;
}

static bool matches(const struct pol_device_rule *r, char type, int64_t major, int64_t minor)
{
	return of_type(r, type) && (r->major < 0 || r->major == major) &&
	       (r->minor < 0 || r->minor == minor);
}

static uint8_t access_of(const struct pol_device_rule *rules, size_t n, char type, int64_t major,
			 int64_t minor)
{
	uint8_t allowed = 0;

	for (size_t i = 0; i < n; i++) {
		if (!matches(&rules[i], type, major, minor))
			continue;
		if (rules[i].allow)
			allowed |= (uint8_t) (rules[i].access & 7);
		else
			allowed &= (uint8_t) ~rules[i].access;
	}
	return allowed;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

/* Sorts, drops doubles, and puts "any other" at the end. */
static size_t finish_list(int64_t *v, size_t n)
{
	size_t out = 0;

	if (n)
		qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || v[out - 1] != v[i])
			v[out++] = v[i];
	v[out++] = ANY;
	return out;
}

/* Device numbers have 12 and 20 bits; what a rule says beyond that matches nothing. */
static bool exists(int64_t v)
{
	return v >= 0 && v <= INT32_MAX;
}

static size_t list_majors(const struct pol_device_rule *rules, size_t n, char type, int64_t *v)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (of_type(&rules[i], type) && exists(rules[i].major))
			v[k++] = rules[i].major;
	return finish_list(v, k);
}

/* The minors that rules name for one major; for "any other major", in rules for all majors. */
static size_t list_minors(const struct pol_device_rule *rules, size_t n, char type, int64_t major,
			  int64_t *v)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (of_type(&rules[i], type) && exists(rules[i].minor) &&
		    (rules[i].major < 0 || rules[i].major == major))
			v[k++] = rules[i].minor;
	return finish_list(v, k);
}

static void add_cell(struct arena *a, struct cg_dev_cells *c, size_t *cap, struct cg_dev_cell cell)
{
	c->v = arena_room(a, c->v, c->n, cap, sizeof(*c->v));
	c->v[c->n++] = cell;
	c->all &= cell.access == 7;
}

void cg_devices_resolve(const struct pol_device_rule *rules, size_t n, struct arena *a,
			struct cg_dev_cells *ret)
{
	static const char types[] = {'b', 'c'};
	int64_t *majors = arena_array(a, n + 1, sizeof(*majors)),
		*minors = arena_array(a, n + 1, sizeof(*minors));
	struct cg_dev_cells c = {.all = true};
	size_t cap = 0;

	for (size_t t = 0; t < ARRAY_LEN(types); t++) {
		size_t n_majors = list_majors(rules, n, types[t], majors);

		for (size_t i = 0; i < n_majors; i++) {
			size_t n_minors = list_minors(rules, n, types[t], majors[i], minors);

			for (size_t j = 0; j < n_minors; j++)
				add_cell(a, &c, &cap,
					 (struct cg_dev_cell){types[t], majors[i], minors[j],
							      access_of(rules, n, types[t],
									majors[i], minors[j])});
		}
	}
	*ret = c;
}

int cg_devices_apply(const struct cg *cg, const struct pol_resources *r, struct err *e)
{
	const struct cg_hier *h = cg_where(cg, CTL_DEVICES);
	arena_auto a = {0};
	struct cg_dev_cells cells;

	if (r->devices.n == 0)
		return 0;
	if (!h)
		return err_set(
			e, -EOPNOTSUPP,
			"linux.resources.devices: neither the devices controller nor cgroup2 is available");
	cg_devices_resolve(r->devices.v, r->devices.n, &a, &cells);
	return cg_hier_is_v2(h) ? cg_devices_load(h, &cells, &a, e)
				: cg_devices_write(h, &cells, &a, e);
}

static void inspect_v1(const struct cg_hier *h, const struct cg_dev_cells *cells, struct arena *a,
		       struct cg_seen *ret)
{
	size_t size = 64u << 10;
	char *text = arena_alloc(a, size);
	size_t lines = 0;

	ret->file = "devices.list";
	if (cg_read(h, "devices.list", text, size) < 0)
		return;
	ret->verdict = cg_devices_compare(cells, text, a);
	for (const char *s = text; *s; s++)
		lines += *s == '\n';
	ret->have = str_eq(text, "a *:* rwm")
			    ? "all devices"
			    : arena_printf(a, "a list of %zu", lines + (*text != 0));
}

static void inspect_v2(const struct cg_hier *h, const struct cg_dev_cells *cells, struct arena *a,
		       struct cg_seen *ret)
{
	unsigned n = 0;
	int r = cg_devices_attached(h, cells, a, &n);

	ret->file = "program";
	if (r < 0)
		return;
	ret->verdict = r ? CG_SAME : CG_DIFFERS;
	ret->have = r	? arena_printf(a, "attached, one of %u", n)
		    : n ? arena_printf(a, "not one of %u programs", n)
			: "no program";
	if (cells->all)
		ret->have = n ? arena_printf(a, "%u programs", n) : "all devices";
}

void cgroup_inspect_devices(const struct cg *cg, const struct pol_resources *r, struct arena *a,
			    struct cg_seen *ret)
{
	const struct cg_hier *h = cg_where(cg, CTL_DEVICES);
	struct cg_dev_cells cells;

	*ret = (struct cg_seen){.field = "devices", .have = "?", .verdict = CG_UNSEEN};
	if (r->devices.n == 0)
		return;
	cg_devices_resolve(r->devices.v, r->devices.n, a, &cells);
	ret->want = cells.all ? "all devices" : arena_printf(a, "%zu rules", r->devices.n);
	ret->file = "?";
	if (h && cg_hier_is_v2(h))
		inspect_v2(h, &cells, a, ret);
	else if (h)
		inspect_v1(h, &cells, a, ret);
}
