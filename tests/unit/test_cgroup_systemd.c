/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy host json base */
/* Names and properties of units: from cgroupsPath, resources and annotations to what systemd is told. */
#include "tap.h"

#include "base/buf.h"
#include "base/log.h"
#include "cgroup/internal.h"
#include "cgroup/scope.h"

static struct arena a;

static const struct {
	const char *path;
	bool user;
	const char *unit, *place; /* NULL: refused */
} names[] = {
	{NULL, false, "kavach-c1.scope", "/system.slice/kavach-c1.scope"},
	{"", false, "kavach-c1.scope", "/system.slice/kavach-c1.scope"},
	{NULL, true, "kavach-c1.scope", "/user.slice/kavach-c1.scope"},
	{":p:n", false, "p-n.scope", "/system.slice/p-n.scope"},
	{":p:n", true, "p-n.scope", "/user.slice/p-n.scope"},
	{"::n", false, "n.scope", "/system.slice/n.scope"},
	{"-:p:n", false, "p-n.scope", "/p-n.scope"},
	{"-.slice:p:n", false, "p-n.scope", "/p-n.scope"},
	{"a.slice:p:n", false, "p-n.scope", "/a.slice/p-n.scope"},
	{"a-b-c.slice:p:n", false, "p-n.scope", "/a.slice/a-b.slice/a-b-c.slice/p-n.scope"},
	{"kubepods-pod1_2.slice:cri-containerd:abc", false, "cri-containerd-abc.scope",
	 "/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-abc.scope"},
	{"machine.slice:libpod:n+1", false, "libpod-n\\x2b1.scope",
	 "/machine.slice/libpod-n\\x2b1.scope"},
	{":p:a-b.slice", false, "a-b.slice", "/a.slice/a-b.slice"},
	{"/a/b", false, NULL, NULL},
	{"a.slice", false, NULL, NULL},
	{"a.slice:p", false, NULL, NULL},
	{"a.slice:p:n:x", false, NULL, NULL},
	{"a.slice:p:", false, NULL, NULL},
	{"a/b.slice:p:n", false, NULL, NULL},
	{"a.slice:p/q:n", false, NULL, NULL},
	{"a.slice:p:n/m", false, NULL, NULL},
	{"a:p:n", false, NULL, NULL},
	{".slice:p:n", false, NULL, NULL},
	{"-a.slice:p:n", false, NULL, NULL},
	{"a-.slice:p:n", false, NULL, NULL},
	{"a--b.slice:p:n", false, NULL, NULL},
	{"a b.slice:p:n", false, NULL, NULL},
	{":p:a--b.slice", false, NULL, NULL},
	{":p:-.slice", false, NULL, NULL},
};

static void test_names(void)
{
	char path[400];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct cg_unit u = {0};
		struct err e = ERR_INIT;
		const char *p = names[i].path ? names[i].path : "(none)";
		int r = cg_unit_name(names[i].path, "c1", names[i].user, &a, &u, &e);

		if (!names[i].unit) {
			ok(r == -EINVAL && strstr(e.msg, "linux.cgroupsPath"), "refuses %s", p);
			continue;
		}
		is_str(u.unit, names[i].unit, "%s is the unit %s", p, names[i].unit);
		is_str(u.path, names[i].place, "at %s", names[i].place);
	}
	struct cg_unit u;
	struct err e = ERR_INIT;

	memset(path, 'n', sizeof(path));
	path[0] = path[1] = ':';
	path[sizeof(path) - 1] = '\0';
	ok(cg_unit_name(path, "c1", false, &a, &u, &e) == -EINVAL,
	   "refuses a name that is too long");
}

/* The properties as lines, sorted as they are. */
static char *text(const struct kvs *m)
{
	char *s = arena_strdup(&a, "");

	for (size_t i = 0; i < m->n; i++)
		s = arena_printf(&a, "%s%s=%s\n", s, m->v[i].key, m->v[i].val);
	return s;
}

static struct kvs room(void)
{
	return (struct kvs){.v = arena_array(&a, CG_UNIT_PROPS_MAX + 32, sizeof(struct kv))};
}

static char *limits(const struct pol_resources *r)
{
	struct cg_world w = {0};
	struct cg_knobs k;
	struct kvs m = room();
	struct err e = ERR_INIT;

	memset(w.version, 2, sizeof(w.version));
	if (cgroup_knobs(r, &w, &a, &k, &e) < 0 || cg_unit_limits(&k, &a, &m, &e) < 0)
		return e.msg[0] ? arena_strdup(&a, e.msg) : NULL;
	return text(&m);
}

#define I(x)                                                                                       \
	{                                                                                          \
		.set = true, .v = (x)                                                              \
	}

static void test_limits(void)
{
	struct kv high[] = {{(char *) (uintptr_t) "memory.high", (char *) (uintptr_t) "max"}};
	char cpus[] = "0-2,9", mems[] = "0";
	struct pol_resources r = {
		.memory = I(64 << 20),
		.memory_reservation = I(32 << 20),
		.memory_swap = I(128 << 20),
		.cpu_shares = I(1024),
		.cpu_quota = I(25000),
		.cpu_period = I(50000),
		.cpus = cpus,
		.mems = mems,
		.pids = I(50),
		.blkio_weight = I(500),
		.unified = {high, 1},
	};
	struct pol_resources none = {0}, odd = {.cpu_quota = I(12345)},
			     free_ = {.memory = I(-1), .pids = I(-1), .cpu_quota = I(-1)};

	is_str(limits(&r),
	       "AllowedCPUs=@ay [0x07, 0x02]\n"
	       "AllowedMemoryNodes=@ay [0x01]\n"
	       "CPUQuotaPerSecUSec=uint64 500000\n"
	       "CPUQuotaPeriodUSec=uint64 50000\n"
	       "CPUWeight=uint64 100\n"
	       "IOWeight=uint64 4950\n"
	       "MemoryHigh=uint64 18446744073709551615\n"
	       "MemoryLow=uint64 33554432\n"
	       "MemoryMax=uint64 67108864\n"
	       "MemorySwapMax=uint64 67108864\n"
	       "TasksMax=uint64 50\n",
	       "limits become properties");
	is_str(limits(&none), "", "what is not limited is left to systemd");
	is_str(limits(&odd), "CPUQuotaPerSecUSec=uint64 130000\nCPUQuotaPeriodUSec=uint64 100000\n",
	       "the quota is rounded up to what systemd can say");
	is_str(limits(&free_),
	       "CPUQuotaPerSecUSec=uint64 18446744073709551615\n"
	       "CPUQuotaPeriodUSec=uint64 100000\n"
	       "MemoryMax=uint64 18446744073709551615\n"
	       "MemorySwapMax=uint64 18446744073709551615\n"
	       "TasksMax=uint64 18446744073709551615\n",
	       "no limit is infinity");
	struct kv raw[] = {
		{(char *) (uintptr_t) "cpu.idle", (char *) (uintptr_t) "1"},
		{(char *) (uintptr_t) "memory.low", (char *) (uintptr_t) "1k"},
		{(char *) (uintptr_t) "memory.max", (char *) (uintptr_t) "64M"},
		{(char *) (uintptr_t) "pids.max", (char *) (uintptr_t) "0"},
	};
	struct pol_resources unified = {.unified = {raw, 4}};
	struct pol_resources idle = {.cpu_idle = I(1), .cpu_shares = I(1024)};

	is_str(limits(&unified),
	       "CPUWeight=uint64 0\nMemoryLow=uint64 1024\nMemoryMax=uint64 67108864\nTasksMax=uint64 1\n",
	       "what the kernel takes, systemd gets in its own words (S-46: 0 processes are 1)");
	is_str(limits(&idle), "CPUWeight=uint64 0\n", "an idle group has no weight (B-13)");
	raw[2].val = (char *) (uintptr_t) "99999999999999E";
	ok(strstr(limits(&unified), "unified[\"memory.max\"]"), "a number too large is named");
	strcpy(cpus, "0-x");
	ok(strstr(limits(&r), "linux.resources.cpu.cpus"), "names the field of a bad value");
}

static void test_versions(void)
{
	static const struct {
		const char *text;
		unsigned version;
	} texts[] = {
		{"257.8-1~deb13u2", 257},
		{"v249.11-0ubuntu3", 249},
		{"239 (239-78.el8)", 239},
		{"systemd 250", 250},
		{"", 0},
		{"99999999999999999999", 0},
	};
	static const struct {
		const char *prop, *value;
		unsigned first;
	} props[] = {
		{"AllowedCPUs", "@ay [0x01]", 244},
		{"CPUQuotaPeriodUSec", "uint64 1", 242},
		{"CPUWeight", "uint64 0", 252},
		{"MemoryMin", "uint64 1", 240},
	};
	struct kv weight = {(char *) (uintptr_t) "CPUWeight", (char *) (uintptr_t) "uint64 100"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		is_int(cg_systemd_version(texts[i].text), texts[i].version, "\"%s\" is version %u",
		       texts[i].text, texts[i].version);
	for (size_t i = 0; i < ARRAY_LEN(props); i++) {
		struct kv p = {(char *) (uintptr_t) props[i].prop,
			       (char *) (uintptr_t) props[i].value};

		ok(!cg_unit_limit_known(&p, props[i].first - 1) &&
			   cg_unit_limit_known(&p, props[i].first),
		   "%s=%s since %u", p.key, p.val, props[i].first);
	}
	ok(cg_unit_limit_known(&weight, 232), "an ordinary weight from the beginning");
}

static char *annotate(const char *name, const char *value, int want)
{
	struct kv kv[] = {{(char *) (uintptr_t) name, (char *) (uintptr_t) value}};
	struct kvs in = {kv, 1}, m = room();
	struct err e = ERR_INIT;
	char *sub = NULL;
	int r = cg_unit_annotations(&in, &a, &m, &sub, &e);

	if (r != want)
		return arena_printf(&a, "%d: %s", r, e.msg);
	if (sub)
		return sub;
	return r < 0 ? arena_strdup(&a, strstr(e.msg, name) ? "refused" : e.msg) : text(&m);
}

static void test_annotations(void)
{
	static const char *const ours[] = {"Slice",	   "PIDs",	  "Delegate",
					   "DevicePolicy", "DeviceAllow", "BPFProgram"};
	struct cg_unit u = {.slice = (char *) (uintptr_t) "a.slice",
			    .unit = (char *) (uintptr_t) "x.scope"};
	struct kv kv[] = {
		{(char *) (uintptr_t) "DefaultDependencies", (char *) (uintptr_t) "true"}};
	struct kvs in = {kv, 1}, m = room();
	struct err e = ERR_INIT;
	char about[] = "'it'";

	is_str(annotate("CollectMode", "'inactive'", 0), "CollectMode='inactive'\n",
	       "a property is handed on");
	is_str(annotate("TimeoutStopSec", "1.5", 0), "TimeoutStopUSec=uint64 1500000\n",
	       "Sec becomes USec");
	is_str(annotate("TimeoutStopUSec", "uint64 5", 0), "TimeoutStopUSec=uint64 5\n",
	       "USec stays");
	is_str(annotate("TimeoutStopSec", "'5'", -EINVAL), "refused", "refuses seconds as text");
	is_str(annotate("CollectMode", "inactive", -EINVAL), "refused", "refuses what is no value");
	is_str(annotate("collectMode", "1", -EINVAL), "refused", "refuses a name in small letters");
	is_str(annotate("A b", "1", -EINVAL), "refused", "refuses a name with a blank");
	is_str(annotate("DelegateSubgroup", "'c'", 0), "/c", "the subgroup is ours to make");
	is_str(annotate("DelegateSubgroup", "''", 0), "", "none is none");
	is_str(annotate("DelegateSubgroup", "'c/d'", -EINVAL), "refused", "refuses a path");
	is_str(annotate("DelegateSubgroup", "'cgroup.procs'", -EINVAL), "refused",
	       "refuses the name of a file");
	is_str(annotate("DelegateSubgroup", "1", -EINVAL), "refused", "refuses a number");
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		is_str(annotate(ours[i], "1", -EPERM), "refused",
		       "%s is not the container's to set", ours[i]);

	cg_unit_basics(&u, about, &a, &m, &e);
	char *sub = NULL;
	is_int(cg_unit_annotations(&in, &a, &m, &sub, &e), 0,
	       "an annotation may replace a default");
	is_str(text(&m),
	       "CPUAccounting=true\nDefaultDependencies=true\nDelegate=true\nDescription='it'\n"
	       "IOAccounting=true\nMemoryAccounting=true\nSlice='a.slice'\nTasksAccounting=true\n",
	       "what every scope has");
}

static void test_codec(void)
{
	struct kv kv[] = {{(char *) (uintptr_t) "A", (char *) (uintptr_t) "1"}};
	struct scope_req q = {.version = SCOPE_VERSION,
			      .op = SCOPE_SET,
			      .user = true,
			      .owner = 1000,
			      .unit = (char *) (uintptr_t) "x.scope",
			      .props = {kv, 1},
			      .limits = {kv, 1},
			      .pid = 7,
			      .sub = (char *) (uintptr_t) "/y"},
			 back = {0};
	buf_auto b = BUF_WRITER(SCOPE_PACKET_MAX);
	struct buf rd;

	codec_encode(&b, &scope_req_table, &q);
	rd = BUF_READER(b.p, b.n);
	codec_decode(&rd, &scope_req_table, &back, &a);
	ok(!rd.bad && !buf_left(&rd) && back.owner == 1000 && back.props.n == 1 && back.pid == 7 &&
		   str_eq(back.sub, "/y") && back.user,
	   "a request arrives as it was sent");
}

int main(void)
{
	test_names();
	test_limits();
	test_versions();
	test_annotations();
	test_codec();
	arena_free(&a);
	return done();
}
