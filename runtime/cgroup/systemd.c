/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions of the systemd driver: the names of slice and scope, and the properties. Nothing is done here.
 *
 * What systemd is told, and why so little. The limits are written by kavach itself, exactly as with the cgroupfs
 * manager; systemd gets the same values only because it writes all that it knows again at a daemon-reload or
 * when a neighbour changes, and would undo ours. So the properties are made from the very file contents that are written
 * (one table, below), and what systemd has no word for is not its concern.
 *
 * Devices are the exception: DevicePolicy stays "auto" and DeviceAllow unset. systemd would attach a program of its own
 * beside ours, which can only take rights away (all programs of a cgroup must agree), cannot express
 * denials in the middle of a list, and looks up device groups in /proc/devices. Ours stays attached through
 * a daemon-reload, because systemd replaces no program but its own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/num.h"
#include "cgroup/gvariant.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

#define UNIT_MAX 255 /* UNIT_NAME_MAX of systemd, with the NUL 256 */
#define CPUS_MAX 8192
#define PERIOD_DEFAULT 100000
#define USEC_PER_SEC 1000000
#define QUOTA_STEP 10000 /* systemd counts the quota in steps of 10 ms per second */

/* ---- names ---- */

static bool unit_char(char c)
{
	return isalnum((unsigned char) c) || strchr(":-_.\\@", c);
}

static char *escape(struct arena *a, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	char *out = arena_alloc(a, 4 * strlen(s) + 1), *o = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char) *s;

		if (unit_char(*s)) {
			*o++ = *s;
			continue;
		}
		*o++ = '\\';
		*o++ = 'x';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	return out;
}

static int bad_path(struct err *e, const char *path, const char *why)
{
	return err_set(e, -EINVAL,
		       "linux.cgroupsPath: expected \"slice:prefix:name\", found \"%s\": %s", path,
		       why);
}

/* "a-b.slice" is "/a.slice/a-b.slice"; NULL: not a slice's name. */
static char *expand(struct arena *a, const char *slice)
{
	size_t len = strlen(slice), stem;
	char *ret = arena_strdup(a, "");

	if (str_eq(slice, "-.slice"))
		return ret;
	if (!str_has_suffix(slice, ".slice") || len > UNIT_MAX)
		return NULL;
	stem = len - strlen(".slice");
	if (!stem || slice[0] == '-' || slice[stem - 1] == '-' || strstr(slice, "--"))
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (!unit_char(slice[i]) || slice[i] == '@')
			return NULL;
	for (size_t i = 1; i <= stem; i++)
		if (i == stem || slice[i] == '-')
			ret = arena_printf(a, "%s/%.*s.slice", ret, (int) i, slice);
	return ret;
}

int cg_unit_name(const char *path, const char *id, bool user, struct arena *a, struct cg_unit *ret,
		 struct err *e)
{
	const char *prefix, *name;
	char *slice, *dir, *unit;

	if (str_empty(path))
		path = arena_printf(a, ":kavach:%s", id);
	prefix = strchr(path, ':');
	name = prefix ? strchr(prefix + 1, ':') : NULL;
	if (!name || strchr(name + 1, ':'))
		return bad_path(e, path, "there must be two colons");
	slice = arena_strndup(a, path, (size_t) (prefix - path));
	prefix = arena_strndup(a, prefix + 1, (size_t) (name - prefix - 1));
	name++;
	if (!*name || strchr(name, '/') || strchr(prefix, '/'))
		return bad_path(e, path, "the name may not be empty nor hold a slash");
	if (!*slice)
		slice = arena_strdup(a, user ? "user.slice" : "system.slice");
	else if (str_eq(slice, "-"))
		slice = arena_strdup(a, "-.slice");
	if (str_has_suffix(name, ".slice")) { /* its place follows from its name */
		slice = NULL;
		unit = arena_strdup(a, name);
		dir = expand(a, unit);
		if (!dir || !*dir)
			return bad_path(e, path, "the name is not that of a slice");
	} else {
		unit = escape(a, *prefix ? arena_printf(a, "%s-%s.scope", prefix, name)
					 : arena_printf(a, "%s.scope", name));
		dir = expand(a, slice);
		if (!dir)
			return bad_path(e, path,
					"the slice must be like \"a-b.slice\", without slashes");
	}
	if (strlen(unit) > UNIT_MAX)
		return bad_path(e, path, "the name is too long for a unit of systemd");
	*ret = (struct cg_unit){.slice = slice,
				.unit = unit,
				.path = slice ? arena_printf(a, "%s/%s", dir, unit) : dir};
	return 0;
}

/* ---- properties ---- */

/* Keeps the map sorted. */
static void put(struct kvs *m, const char *name, char *text)
{
	size_t i = 0;

	while (i < m->n && strcmp(m->v[i].key, name) < 0)
		i++;
	if (i == m->n || !str_eq(m->v[i].key, name)) {
		memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof(*m->v));
		m->n++;
	}
	m->v[i] = (struct kv){(char *) (uintptr_t) name, text};
}

int cg_unit_basics(const struct cg_unit *u, char *about, struct arena *a, struct kvs *ret,
		   struct err *e)
{
	static const char *const on[] = {"CPUAccounting", "IOAccounting", "MemoryAccounting",
					 "TasksAccounting"};
	char *yes = arena_strdup(a, "true"), *no = arena_strdup(a, "false");

	(void) e;
	put(ret, "Description", about);
	put(ret, "DefaultDependencies", no);
	for (size_t i = 0; i < ARRAY_LEN(on); i++)
		put(ret, on[i], yes);
	if (!u->slice) /* a slice is delegated to nobody, and its place follows from its name */
		return 0;
	put(ret, "Slice", gv_quote(a, u->slice));
	put(ret, "Delegate", yes);
	return 0;
}

struct limit_ctx {
	const struct cg_knob *k;
	const char *prop;
	struct arena *a;
	struct kvs *ret; /* room: the limits' properties are fewer than what is left */
};

static int parse_max(const char *s, uint64_t *ret)
{
	if (!str_eq(s, "max"))
		return num_parse_u64(s, UINT64_MAX - 1, ret);
	*ret = UINT64_MAX;
	return 0;
}

/* The kernel takes "64M" in the files of memory, so unified may hold it. */
static int parse_bytes(struct arena *a, const char *s, uint64_t *ret)
{
	static const char units[] = "KMGTPE";
	size_t n = strlen(s);
	const char *unit = n ? strchr(units, s[n - 1] & ~0x20) : NULL;
	uint64_t v;
	int r;

	if (!unit || !*unit)
		return parse_max(s, ret);
	r = num_parse_u64(arena_strndup(a, s, n - 1), UINT64_MAX - 1, &v);
	if (r < 0)
		return r;
	return __builtin_mul_overflow(v, (uint64_t) 1 << 10 * (unit - units + 1), ret) ? -ERANGE
										       : 0;
}

static char *fmt(struct arena *a, uint64_t v)
{
	return arena_printf(a, "uint64 %llu", (unsigned long long) v);
}

static int limit_number(const struct limit_ctx *x)
{
	uint64_t v;
	int r = parse_max(x->k->value, &v);

	if (r == 0)
		put(x->ret, x->prop, fmt(x->a, v));
	return r;
}

static int limit_bytes(const struct limit_ctx *x)
{
	uint64_t v;
	int r = parse_bytes(x->a, x->k->value, &v);

	if (r == 0)
		put(x->ret, x->prop, fmt(x->a, v));
	return r;
}

/* 0 is not for systemd to say (S-46); our own write of the file, which comes after, says it */
static int limit_pids(const struct limit_ctx *x)
{
	uint64_t v;
	int r = parse_max(x->k->value, &v);

	if (r == 0)
		put(x->ret, x->prop, fmt(x->a, v ? v : 1));
	return r;
}

/* "1": systemd's word for an idle group is a weight of none */
static int limit_idle(const struct limit_ctx *x)
{
	if (str_eq(x->k->value, "1"))
		put(x->ret, x->prop, fmt(x->a, 0));
	return 0;
}

/* "100" or "default 100"; of a device systemd would want the path, not the number */
static int limit_io(const struct limit_ctx *x)
{
	const char *s = str_prefix(x->k->value, "default ");
	uint64_t v;

	if (num_parse_u64(s ? s : x->k->value, 10000, &v) == 0 && v)
		put(x->ret, x->prop, fmt(x->a, v));
	return 0;
}

/* "max", "50000", "50000 100000" */
static int limit_cpu(const struct limit_ctx *x)
{
	char *quota = arena_strdup(x->a, x->k->value), *second = strchr(quota, ' ');
	uint64_t q, period = PERIOD_DEFAULT, per_sec;
	int r;

	if (second)
		*second++ = '\0';
	r = parse_max(quota, &q);
	if (r == 0 && second)
		r = num_parse_u64(second, USEC_PER_SEC, &period);
	if (r < 0 || !period)
		return -EINVAL;
	per_sec = q;
	if (q != UINT64_MAX) {
		if (__builtin_mul_overflow(q, (uint64_t) USEC_PER_SEC, &per_sec))
			return -EINVAL;
		per_sec = (per_sec / period + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	}
	put(x->ret, x->prop, fmt(x->a, per_sec));
	put(x->ret, "CPUQuotaPeriodUSec", fmt(x->a, period));
	return 0;
}

/* "0-2,5" as bits, the lowest first: "[byte 0x27]" */
static int limit_set(const struct limit_ctx *x)
{
	struct strs parts = str_split(x->a, x->k->value, ',');
	uint8_t *bits = arena_alloc(x->a, CPUS_MAX / 8);
	char *text = arena_strdup(x->a, "@ay [");
	uint64_t top = 0;

	for (size_t i = 0; i < parts.n; i++) {
		char *last = strchr(parts.v[i], '-');
		uint64_t from, to;

		if (last)
			*last++ = '\0';
		if (num_parse_u64(parts.v[i], CPUS_MAX - 1, &from) < 0 ||
		    num_parse_u64(last ? last : parts.v[i], CPUS_MAX - 1, &to) < 0 || to < from)
			return -EINVAL;
		for (uint64_t c = from; c <= to; c++)
			bits[c / 8] |= (uint8_t) (1u << c % 8);
		top = to >= top ? to + 1 : top;
	}
	for (uint64_t i = 0; i < (top + 7) / 8; i++)
		text = arena_printf(x->a, "%s%s0x%02x", text, i ? ", " : "", bits[i]);
	put(x->ret, x->prop, arena_printf(x->a, "%s]", text));
	return 0;
}

/* cgroup2's files and systemd's words for them (systemd.resource-control(5)) */
static const struct {
	const char *file, *prop;
	int (*convert)(const struct limit_ctx *x);
} limits[] = {
	{"cpu.weight", "CPUWeight", limit_number},
	{"cpu.idle", "CPUWeight", limit_idle},
	{"cpu.max", "CPUQuotaPerSecUSec", limit_cpu},
	{"cpuset.cpus", "AllowedCPUs", limit_set},
	{"cpuset.mems", "AllowedMemoryNodes", limit_set},
	{"memory.min", "MemoryMin", limit_bytes},
	{"memory.low", "MemoryLow", limit_bytes},
	{"memory.high", "MemoryHigh", limit_bytes},
	{"memory.max", "MemoryMax", limit_bytes},
	{"memory.swap.max", "MemorySwapMax", limit_bytes},
	{"memory.zswap.max", "MemoryZSwapMax", limit_bytes},
	{"pids.max", "TasksMax", limit_pids},
	{"io.weight", "IOWeight", limit_io},
};

/* The first version of systemd that knows what is not as old as its cgroup v2 itself, 232 (its NEWS). `value` NULL: any. */
static const struct {
	const char *prop, *value;
	unsigned version;
} since[] = {
	{"AllowedCPUs", NULL, 244},	   {"AllowedMemoryNodes", NULL, 244},
	{"CPUQuotaPeriodUSec", NULL, 242}, {"CPUWeight", "uint64 0", 252},
	{"MemoryMin", NULL, 240},	   {"MemoryZSwapMax", NULL, 253},
};

bool cg_unit_limit_known(const struct kv *p, unsigned version)
{
	for (size_t i = 0; i < ARRAY_LEN(since); i++)
		if (str_eq(p->key, since[i].prop) &&
		    (!since[i].value || str_eq0(p->val, since[i].value)))
			return version >= since[i].version;
	return true;
}

unsigned cg_systemd_version(const char *text)
{
	char *end;
	unsigned long v;

	while (*text && !isdigit((unsigned char) *text))
		text++;
	v = strtoul(text, &end, 10);
	return v <= 100000 ? (unsigned) v : 0;
}

static int add_limit(const struct cg_knob *k, const char *file, const char *value, struct arena *a,
		     struct kvs *ret, struct err *e)
{
	struct cg_knob as = *k;

	as.value = value;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct limit_ctx x = {.k = &as, .prop = limits[i].prop, .a = a, .ret = ret};

		if (str_eq(limits[i].file, file) && limits[i].convert(&x) < 0)
			return err_set(e, -EINVAL, "%s: \"%s\" is not a value for %s of systemd",
				       k->field, value, limits[i].prop);
	}
	return 0;
}

int cg_unit_limits(const struct cg_knobs *k, struct arena *a, struct kvs *ret, struct err *e)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct cg_knob *knob = &k->v[i];
		int r = add_limit(knob, knob->file, knob->value, a, ret, e);

		if (r == 0 && knob->alt_file)
			r = add_limit(knob, knob->alt_file, knob->alt_value, a, ret, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What decides where the container is and what it may touch comes from the rest of the config. */
static const char *const ours[] = {
	"AttachProcesses", "BPFProgram",   "Delegate", "DelegateControllers",
	"DeviceAllow",	   "DevicePolicy", "PIDs",     "Slice",
};

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (str_eq(ours[i], name))
			return true;
	return false;
}

static bool good_name(const char *name)
{
	size_t n = strlen(name);

	if (n < 3 || n > 64 || !isupper((unsigned char) name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char) name[i]))
			return false;
	return true;
}

/* systemd has DelegateSubgroup for services, and moves nobody there who comes later: we do that ourselves. */
static int add_subgroup(const struct gv *v, struct arena *a, char **ret, struct err *e)
{
	if (v->type != 's' || strlen(v->s) > UNIT_MAX || strpbrk(v->s, "/.\n"))
		return err_set(e, -EINVAL,
			       "expected the name of a cgroup in quotes, without slash and dot");
	*ret = *v->s ? arena_printf(a, "/%s", v->s) : NULL;
	return 0;
}

static int add_annotation(const struct kv *kv, struct arena *a, struct kvs *ret, char **ret_sub,
			  struct err *e)
{
	size_t n = strlen(kv->key);
	char *name = kv->key, *text = kv->val ? kv->val : arena_strdup(a, "");
	struct gv *v;
	int r;

	if (!good_name(name))
		return err_set(e, -EINVAL, "not the name of a property");
	if (is_ours(name))
		return err_set(e, -EPERM,
			       "this property follows from the rest of the configuration");
	r = gv_parse(text, a, &v, e);
	if (r < 0)
		return r;
	if (str_eq(name, "DelegateSubgroup"))
		return add_subgroup(v, a, ret_sub, e);
	if (str_has_suffix(name, "Sec") && !str_has_suffix(name, "USec")) {
		name = arena_printf(a, "%.*sUSec", (int) (n - 3), name);
		r = gv_seconds(v, a, &text, e);
		if (r < 0)
			return r;
	}
	if (ret->n == CG_UNIT_PROPS_MAX)
		return err_set(e, -E2BIG, "more than %d properties", CG_UNIT_PROPS_MAX);
	put(ret, name, text);
	return 0;
}

int cg_unit_annotations(const struct kvs *annotations, struct arena *a, struct kvs *ret,
			char **ret_sub, struct err *e)
{
	for (size_t i = 0; i < annotations->n; i++) {
		int r = add_annotation(&annotations->v[i], a, ret, ret_sub, e);

		if (r < 0)
			return err_context(e, "annotation org.systemd.property.%s",
					   annotations->v[i].key);
	}
	return 0;
}
