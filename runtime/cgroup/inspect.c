/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control group says, against what it was told. The files say the same thing in other words than they were
 * written in: sizes are rounded down to pages, lists of CPUs are put in order, keyed files have a line per device. A value
 * that allows less than was asked for is told from one that allows more, where a file has such a direction.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "cgroup/internal.h"

#define FILE_MAX (64u << 10)

/* ---- numbers ---- */

/* v1 has no word for "no limit" but the largest number of bytes in whole pages. */
#define UNLIMITED (1ULL << 62)

static bool number(const char *s, size_t n, uint64_t *ret)
{
	char text[32];

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	if (str_eq(text, "max") || str_eq(text, "-1")) {
		*ret = UINT64_MAX;
		return true;
	}
	if (num_parse_u64(text, UINT64_MAX, ret) < 0)
		return false;
	if (*ret >= UNLIMITED)
		*ret = UINT64_MAX;
	return true;
}

/* values of `unified` are the user's own text */
#define BLANK " \t\n"

static size_t word_len(const char *s)
{
	return strcspn(s, BLANK);
}

/* What a limit in this file is a multiple of: hugetlb.2MB.max. */
static uint64_t granule(const char *file)
{
	static const char units[] = "KMG";
	const char *size = str_prefix(file, "hugetlb."), *unit;
	uint64_t v;
	size_t n;

	if (size) {
		n = strspn(size, "0123456789");
		unit = size[n] ? strchr(units, size[n]) : NULL;
		if (unit && number(size, n, &v) && v < 1 << 20)
			return v << 10 * (unit - units + 1);
	}
	if (size || str_prefix(file, "memory."))
		return (uint64_t) sysconf(_SC_PAGESIZE);
	return 1;
}

static enum cg_verdict compare_limits(uint64_t want, uint64_t have, uint64_t grain)
{
	if (have == want || (have < want && want != UINT64_MAX && want - have < grain))
		return CG_SAME;
	return have < want ? CG_TIGHTER : CG_DIFFERS;
}

static enum cg_verdict limit(const char *file, const char *want, const char *have)
{
	uint64_t w, h;

	if (!number(want, strlen(want), &w) || !number(have, word_len(have), &h))
		return CG_DIFFERS;
	return compare_limits(w, h, granule(file));
}

/* "50000 100000": so much of each period. */
static bool share(const char *s, uint64_t *quota, uint64_t *period)
{
	size_t n = word_len(s);

	*period = 0;
	if (!number(s, n, quota))
		return false;
	s += n + strspn(s + n, " ");
	return !*s || number(s, word_len(s), period);
}

static enum cg_verdict cpu_max(const char *file, const char *want, const char *have)
{
	uint64_t w, wp, h, hp;

	(void) file;
	if (!share(want, &w, &wp) || !share(have, &h, &hp))
		return CG_DIFFERS;
	if (!wp || !hp || wp == hp)
		return compare_limits(w, h, 1);
	if (w == UINT64_MAX || h == UINT64_MAX)
		return w == h ? CG_SAME : h == UINT64_MAX ? CG_DIFFERS : CG_TIGHTER;
	/* another period: the shares count; both are below a second in microseconds times CPUs */
	return (double) h / (double) hp <= (double) w / (double) wp ? CG_TIGHTER : CG_DIFFERS;
}

/* ---- lists of numbers: "0-3,8" ---- */

#define LIST_BITS 8192

static bool parse_list(const char *s, uint8_t bits[LIST_BITS / 8])
{
	memset(bits, 0, LIST_BITS / 8);
	while (*s && *s != '\n') {
		char *end;
		unsigned long from, to;

		if (*s < '0' || *s > '9')
			return false;
		from = to = strtoul(s, &end, 10);
		if (*end == '-') {
			if (end[1] < '0' || end[1] > '9')
				return false;
			to = strtoul(end + 1, &end, 10);
		}
		if (to >= LIST_BITS || from > to)
			return false;
		for (; from <= to; from++)
			bits[from / 8] |= (uint8_t) (1u << from % 8);
		if (*end && *end != ',' && *end != '\n')
			return false;
		s = *end == ',' ? end + 1 : end;
	}
	return true;
}

static enum cg_verdict list(const char *file, const char *want, const char *have)
{
	uint8_t w[LIST_BITS / 8], h[LIST_BITS / 8];
	bool same = true;

	(void) file;
	if (!parse_list(want, w) || !parse_list(have, h))
		return CG_DIFFERS;
	for (size_t i = 0; i < sizeof(w); i++) {
		if (h[i] & ~w[i])
			return CG_DIFFERS;
		same &= h[i] == w[i];
	}
	return same ? CG_SAME : CG_TIGHTER;
}

/* ---- keyed files: "8:0 rbps=1048576 wbps=max", "8:0 1048576", "eth0 5", "oom_kill_disable 1" ---- */

/* The rest of the line that begins with the first word of `want`, or NULL. */
static const char *line_of(const char *have, const char *want)
{
	size_t n = word_len(want);

	while (have && *have) {
		if (strncmp(have, want, n) == 0 && have[n] == ' ')
			return have + n + 1;
		have = strchr(have, '\n');
		have = have ? have + 1 : NULL;
	}
	return NULL;
}

/* The value of "name=" in a line, up to a blank or its end. */
static const char *value_of(const char *line, const char *name, size_t n)
{
	while (line && *line && *line != '\n') {
		if (strncmp(line, name, n) == 0)
			return line + n;
		line += word_len(line);
		line += strspn(line, " \t");
	}
	return NULL;
}

static enum cg_verdict keyed(const char *file, const char *want, const char *have)
{
	const char *line = line_of(have, want), *w = want + word_len(want);
	enum cg_verdict worst = CG_SAME;

	(void) file;
	for (w += strspn(w, BLANK); *w; w += word_len(w), w += strspn(w, BLANK)) {
		size_t name = strcspn(w, "= \n"), n = word_len(w);
		bool named = w[name] == '=';
		const char *h = !line ? NULL : named ? value_of(line, w, name + 1) : line;
		uint64_t x, y = UINT64_MAX; /* what is not there is no limit */
		enum cg_verdict v;

		name = named ? name + 1 : 0;
		if (!number(w + name, n - name, &x) || (h && !number(h, word_len(h), &y)))
			return CG_DIFFERS;
		v = compare_limits(x, y, 1);
		if (v != CG_SAME && !named && !str_prefix(file, "blkio.throttle."))
			v = CG_DIFFERS; /* a weight or a priority */
		worst = v > worst ? v : worst;
	}
	return worst;
}

static enum cg_verdict oom_control(const char *file, const char *want, const char *have)
{
	uint64_t w, h;

	(void) file;
	return number(want, strlen(want), &w) && cg_flat_get(have, "oom_kill_disable", &h) && w == h
		       ? CG_SAME
		       : CG_DIFFERS;
}

/* "100", "default 100", or any text: that one, or a line of it. */
static enum cg_verdict exact(const char *file, const char *want, const char *have)
{
	const char *rest = str_prefix(have, "default ");
	size_t n = strlen(want);

	(void) file;
	for (const char *s = rest ? rest : have; s; s = strchr(s, '\n'), s = s ? s + 1 : NULL)
		if (strncmp(s, want, n) == 0 && (!s[n] || s[n] == '\n'))
			return CG_SAME;
	return CG_DIFFERS;
}

static const struct {
	const char *begin, *end; /* of the file's name; NULL: any */
	enum cg_verdict (*compare)(const char *file, const char *want, const char *have);
} rows[] = {
	{"cpu.max", ".max", cpu_max},
	{"cpuset.", "cpus", list},
	{"cpuset.", "mems", list},
	{"memory.oom_control", NULL, oom_control},
	{"io.max", NULL, keyed},
	{"rdma.max", NULL, keyed},
	{"io.", NULL, exact}, /* weights; a device's is a line of its own */
	{"blkio.throttle.", NULL, keyed},
	{"net_prio.ifpriomap", NULL, keyed},
	{"blkio.", "_device", keyed},
	{"memory.swappiness", NULL, exact},
	{"memory.low", NULL, exact},
	{"memory.min", NULL, exact},
	{"memory.", NULL, limit},
	{"hugetlb.", NULL, limit},
	{"cpu.cfs_quota_us", NULL, limit},
	{"cpu.rt_runtime_us", NULL, limit},
	{NULL, ".max", limit},
	{NULL, NULL, exact},
};

enum cg_verdict cg_compare(const char *file, const char *want, const char *have)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((!rows[i].begin || str_prefix(file, rows[i].begin)) &&
		    (!rows[i].end || str_has_suffix(file, rows[i].end)))
			return rows[i].compare(file, want, have);
	return CG_DIFFERS; /* not reached: the last row is for all */
}

/* ---- the files ---- */

/* Whether a later knob writes over this one: the same file, and the same key in it. */
static bool overwritten(const struct cg_knobs *k, size_t i)
{
	const struct cg_knob *a = &k->v[i];

	for (size_t j = i + 1; j < k->n; j++) {
		const struct cg_knob *b = &k->v[j];
		const char *key = strchr(a->value, ' ');
		size_t n = key ? (size_t) (key - a->value) : 0;

		/* memory.low in bytes and "max": the same file without a key */
		if (a->v2 == b->v2 && str_eq(a->file, b->file) &&
		    (!key || str_eq(a->file, "cpu.max") ||
		     (strncmp(a->value, b->value, n + 1) == 0 && !strchr(a->value, '='))))
			return true;
	}
	return false;
}

static const char *shown(const char *want, const char *have, struct arena *a)
{
	const char *line = strchr(want, ' ') ? line_of(have, want) : NULL;

	if (strchr(want, ' ') && !line && strchr(have, '\n'))
		return "no such line";
	if (line)
		return arena_strndup(a, line, strcspn(line, "\n"));
	return *have ? arena_strndup(a, have, strcspn(have, "\n")) : "empty";
}

static void look_at(const struct cg *cg, const struct cg_knob *k, char *buf, struct arena *a,
		    struct cg_seen *ret)
{
	const struct cg_hier *h = k->v2 ? cg_unified(cg) : cg_hier_v1(cg, k->ctl);
	const char *file = k->file, *value = k->value;
	ssize_t n = h ? cg_read(h, file, buf, FILE_MAX) : -ENOENT;

	if (n == -ENOENT && h && k->alt_file) {
		file = k->alt_file;
		value = k->alt_value;
		n = cg_read(h, file, buf, FILE_MAX);
	}
	*ret = (struct cg_seen){.field = str_prefix(k->field, "linux.resources."),
				.file = file,
				.want = value,
				.have = "?",
				.verdict = CG_UNSEEN};
	if (n == -ENOENT && (k->flags & CGK_OPTIONAL)) {
		ret->have = "no such file";
		ret->verdict = CG_SAME;
	}
	if (n < 0)
		return;
	ret->verdict = cg_compare(file, value, buf);
	ret->have = shown(value, buf, a);
}

int cgroup_inspect(const struct cg *cg, const struct pol_resources *r, struct arena *a,
		   struct cg_seen **ret, size_t *ret_n, struct err *e)
{
	struct pol_resources res = *r;
	struct cg_world world;
	struct cg_knobs knobs;
	size_t n = 0;
	char *buf;
	int rc;

	/* who wrote it was told already that these are nothing on v2 */
	if (!cg_hier_v1(cg, "net_cls"))
		res.net_classid.set = false;
	if (!cg_hier_v1(cg, "net_prio"))
		res.net_prio.n = 0;
	res.check_before_update.v = false;
	rc = cg_world_of(cg, &res, true, &world, a, e);
	if (rc == 0)
		rc = cgroup_knobs(&res, &world, a, &knobs, e);
	if (rc < 0)
		return rc;
	buf = arena_alloc(a, FILE_MAX);
	*ret = arena_array(a, knobs.n, sizeof(**ret));
	for (size_t i = 0; i < knobs.n; i++)
		if (!overwritten(&knobs, i))
			look_at(cg, &knobs.v[i], buf, a, &(*ret)[n++]);
	*ret_n = n;
	return 0;
}
