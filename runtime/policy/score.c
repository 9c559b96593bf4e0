/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strength of a policy, 0 to 100: a base for the backend, credits for what confines the workload
 * further, deductions for what it shares with the host. It counts what is enforced, not what was asked:
 * every field of a policy is carried out or the start fails, so a policy's fields are its evidence. What
 * cannot be seen in the policy (the maps of a joined user namespace, what an engine has put into a joined
 * network namespace) earns nothing.
 *
 * Base figures and the credits for the filter, the network, the root and limits are those of the kavach
 * project, so that its numbers stay comparable; the other rows are what these leave out. Credits are
 * small next to the base because they make the same kind of wall thicker; deductions are large where a
 * single one is a way to the host.
 *
 * Labels: 0-29 minimal, 30-49 basic, 50-69 standard, 70-84 hardened, 85-100 fortress.
 */
#include "policy/facts.h"
#include "policy/landlock.h"

struct ctx {
	const struct policy *p;
	struct arena *a;
};

struct row_def {
	const char *what;
	int most; /* what can be earned; 0 for deductions */
	int (*points)(const struct ctx *c, const char **evidence);
	const char *hint;
};

/* ---- the backend ---- */

static int backend(const struct ctx *c, const char **evidence)
{
	static const struct {
		int points;
		const char *evidence;
	} bases[] = {
		[POL_BACKEND_PROCESS] = {50, "a process, confined by the host's kernel"},
		[POL_BACKEND_VM] = {70, "a kernel of its own in a microVM"},
		[POL_BACKEND_SEV] = {76, "a microVM, memory encrypted (SEV)"},
		[POL_BACKEND_SEV_ES] = {79, "a microVM, memory and registers encrypted (SEV-ES)"},
		[POL_BACKEND_SEV_SNP] = {82, "a microVM, memory encrypted and attested (SEV-SNP)"},
	};

	if (c->p->backend >= ARRAY_LEN(bases) || !bases[c->p->backend].evidence)
		return 0;
	/* QEMU's own rule: what TCG lets through is a bug, but not one of security. */
	if (c->p->vm.accel == POL_ACCEL_TCG) {
		*evidence = "a VM that is emulated (TCG): no boundary for a hostile guest";
		return bases[POL_BACKEND_PROCESS].points;
	}
	*evidence = bases[c->p->backend].evidence;
	return bases[c->p->backend].points;
}

/* ---- credits ---- */

static int filter(const struct ctx *c, const char **evidence)
{
	const struct pol_seccomp *s = &c->p->seccomp;

	if (!fact_filtered(c->p))
		return 0;
	if (!s->set)
		s = &c->p->stacked.v[0];
	*evidence = arena_printf(c->a, "%zu rule%s from %s", s->rules.n, s->rules.n == 1 ? "" : "s",
				 s->source ? s->source : "the config");
	return 5;
}

static int no_network(const struct ctx *c, const char **evidence)
{
	switch (fact_ns(c->p, POL_NS_NET)) {
	case FACT_NS_HOST: *evidence = "the network of the host"; return 0;
	case FACT_NS_JOINED:
		*evidence = arena_printf(c->a, "joins %s", pol_ns_find(c->p, POL_NS_NET)->path);
		return 0;
	case FACT_NS_OWN: break;
	}
	if (!fact_no_network(c->p)) {
		*evidence = "a network namespace of its own, but hooks may add interfaces";
		return 0;
	}
	*evidence = "a network namespace of its own with a loopback only";
	return 5;
}

static int readonly_root(const struct ctx *c, const char **evidence)
{
	*evidence = c->p->rootfs_readonly ? "the root is mounted read-only"
					  : "the root can be written";
	return c->p->rootfs_readonly ? 3 : 0;
}

static int limits(const struct ctx *c, const char **evidence)
{
	bool memory = c->p->resources.memory.v > 0, cpu = c->p->resources.cpu_quota.v > 0;

	if (!memory && !cpu)
		return 0;
	*evidence = memory && cpu ? "memory and CPU time" : memory ? "memory" : "CPU time";
	return 2;
}

static int pids(const struct ctx *c, const char **evidence)
{
	const struct opt_i64 *limit = &c->p->resources.pids;

	if (!limit->set || limit->v < 0)
		return 0;
	*evidence = arena_printf(c->a, "at most %lld processes", (long long) limit->v);
	return 1;
}

static int user_namespace(const struct ctx *c, const char **evidence)
{
	switch (fact_ns(c->p, POL_NS_USER)) {
	case FACT_NS_HOST: *evidence = "user ids are those of the host"; return 0;
	case FACT_NS_JOINED:
		*evidence = "joined: how its ids are mapped is not in the policy";
		return 0;
	case FACT_NS_OWN: break;
	}
	if (!fact_userns_unprivileged(c->p)) {
		*evidence = "its ids include the host's root";
		return 0;
	}
	*evidence = arena_printf(c->a, "root in the container is user %llu of the host",
				 (unsigned long long) c->p->uid_map.v[0].host);
	return 8;
}

static int no_new_privs(const struct ctx *c, const char **evidence)
{
	if (!c->p->has_process)
		return 0;
	*evidence = c->p->process.no_new_privs ? "set-user-id programs give nothing"
					       : "set-user-id programs give privileges";
	return c->p->process.no_new_privs ? 3 : 0;
}

static int no_caps(const struct ctx *c, const char **evidence)
{
	uint64_t caps = fact_caps(c->p);

	if (!c->p->has_process)
		return 0;
	if (caps) {
		*evidence = arena_printf(c->a, "%d capabilities", __builtin_popcountll(caps));
		return 0;
	}
	*evidence = "all sets are empty";
	return 5;
}

/* Rights, of those that `of` picks, that some layer limits. */
static uint64_t limited(const struct policy *p, uint64_t (*of)(const struct landlock_handled *h))
{
	uint64_t ret = 0;

	for (size_t i = 0; i < p->landlock.n; i++) {
		const struct landlock_handled h = landlock_handled(&p->landlock.v[i]);

		ret |= of(&h);
	}
	return ret;
}

static uint64_t of_net(const struct landlock_handled *h)
{
	return h->net;
}

static uint64_t of_scopes(const struct landlock_handled *h)
{
	return h->scopes;
}

static int landlock(const struct ctx *c, const char **evidence)
{
	size_t n = 0, writable = 0;

	for (size_t i = 0; i < c->p->landlock.n; i++) {
		const struct policy_landlock *l = &c->p->landlock.v[i];

		if (landlock_walls(l) && (n++ == 0 || l->read_write.n + l->mounts.n < writable))
			writable = l->read_write.n + l->mounts.n;
	}
	if (!n)
		return 0;
	*evidence = arena_printf(c->a, "%zu layer%s, %zu path%s can be written", n,
				 n == 1 ? "" : "s", writable, writable == 1 ? "" : "s");
	return 3;
}

static int ports(const struct ctx *c, const char **evidence)
{
	uint64_t net = limited(c->p, of_net);

	if (!net)
		return 0;
	*evidence = net == LL_NET_BIND_TCP	? "what it may listen on"
		    : net == LL_NET_CONNECT_TCP ? "what it may connect to"
						: "what it may listen on and connect to";
	return 3;
}

static int scopes(const struct ctx *c, const char **evidence)
{
	uint64_t s = limited(c->p, of_scopes);

	if (!s)
		return 0;
	*evidence = s == POL_SCOPE_SIGNAL	   ? "signals"
		    : s == POL_SCOPE_ABSTRACT_UNIX ? "abstract sockets"
						   : "abstract sockets and signals";
	return 2 * __builtin_popcountll(s);
}

/* ---- deductions ---- */

static int host_namespaces(const struct ctx *c, const char **evidence)
{
	/* A shared uts namespace shows a name; a shared pid namespace lets it signal and read processes. */
	static const struct {
		enum pol_ns_type type;
		int weight;
	} weights[] = {{POL_NS_PID, 10},
		       {POL_NS_NET, 8},
		       {POL_NS_IPC, 4},
		       {POL_NS_CGROUP, 2},
		       {POL_NS_UTS, 1}};
	const char *names = "";
	int points = 0;

	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		if (fact_ns(c->p, weights[i].type) != FACT_NS_HOST)
			continue;
		points -= weights[i].weight;
		names = arena_printf(c->a, "%s%s%s", names, *names ? ", " : "",
				     name_of(ns_names, ns_names_n, weights[i].type));
	}
	if (points)
		*evidence = names;
	return points;
}

/* In a user namespace they count only for what belongs to it; what is left is more kernel to reach. */
static int dangerous_caps(const struct ctx *c, const char **evidence)
{
	uint64_t caps = fact_caps(c->p);
	const char *names = "";
	int points = 0, n = 0;

	for (size_t i = 0; i < fact_caps_dangerous_n; i++) {
		if (!(caps >> fact_caps_dangerous[i].cap & 1))
			continue;
		points -= fact_caps_dangerous[i].weight;
		if (++n <= 4)
			names = arena_printf(c->a, "%s%s%s", names, *names ? ", " : "",
					     cap_names[fact_caps_dangerous[i].cap].name +
						     strlen("CAP_"));
	}
	if (!points)
		return 0;
	*evidence = n > 4 ? arena_printf(c->a, "%s and %d more", names, n - 4) : names;
	if (fact_userns_unprivileged(c->p))
		return -2;
	return points < -20 ? -20 : points;
}

static int no_filter(const struct ctx *c, const char **evidence)
{
	if (fact_filtered(c->p))
		return 0;
	*evidence = "every system call of the kernel can be made";
	return -5;
}

static int open_filter(const struct ctx *c, const char **evidence)
{
	if (!fact_filtered(c->p) || fact_filters_deny(c->p))
		return 0;
	*evidence = "calls that no rule names are allowed";
	return -3;
}

static int host_paths(const struct ctx *c, const char **evidence)
{
	const char *names = "";
	int points = 0;

	if (str_eq(c->p->rootfs, "/") && !c->p->rootfs_readonly) {
		names = "/";
		points -= 20;
	}
	for (size_t i = 0; i < c->p->mounts.n; i++) {
		if (!fact_mount_risk(&c->p->mounts.v[i]))
			continue;
		points -= 10;
		names = arena_printf(c->a, "%s%s%s", names, *names ? ", " : "",
				     c->p->mounts.v[i].source);
	}
	if (points)
		*evidence = names;
	return points < -20 ? -20 : points;
}

static int all_devices(const struct ctx *c, const char **evidence)
{
	if (!fact_devices_open(c->p))
		return 0;
	if (c->p->resources.devices.n) {
		*evidence = "the device rules allow every device";
		return -10;
	}
	*evidence = "without control groups there are no device rules";
	/* mknod(2) does not work in a user namespace, and what is bound in has its own permissions. */
	return fact_userns_unprivileged(c->p) ? 0 : -5;
}

static int open_proc(const struct ctx *c, const char **evidence)
{
	const char *names = "", *path;

	if (fact_userns_unprivileged(c->p))
		return 0; /* root's files there, and nobody inside is root */
	for (size_t i = 0; (path = fact_proc_open(c->p, i)); i++)
		names = arena_printf(c->a, "%s%s%s", names, *names ? ", " : "", path);
	if (!*names)
		return 0;
	*evidence = names;
	return -5;
}

static const struct row_def rows[] = {
	{"backend", 0, backend, NULL},
	{"seccomp filter", 5, filter,
	 "a seccomp filter (linux.seccomp, or the preset basic or strict)"},
	{"user namespace", 8, user_namespace,
	 "a user namespace whose root is an unprivileged user of the host (--userns=auto with podman)"},
	{"no capabilities", 5, no_caps, "dropping all capabilities (--cap-drop=all)"},
	{"no network", 5, no_network,
	 "a network namespace of its own without interfaces (--network=none)"},
	{"read-only root", 3, readonly_root, "a read-only root (--read-only)"},
	{"no new privileges", 3, no_new_privs,
	 "process.noNewPrivileges (--security-opt=no-new-privileges)"},
	{"memory or CPU limit", 2, limits, "a limit of memory or CPU time (--memory, --cpus)"},
	{"process limit", 1, pids, "a limit of processes (--pids-limit)"},
	{"Landlock paths", 3, landlock,
	 "a Landlock layer with paths, TCP ports, scopes (site rules)"},
	{"Landlock TCP ports", 3, ports, NULL},
	{"Landlock scopes", 4, scopes, NULL},
	{"namespaces of the host", 0, host_namespaces,
	 "namespaces of its own instead of the host's"},
	{"dangerous capabilities", 0, dangerous_caps, "dropping the capabilities named above"},
	{"no seccomp filter", 0, no_filter, NULL}, /* the hint is the first row's */
	{"filter allows by default", 0, open_filter, "a filter that denies what it does not name"},
	{"host paths within reach", 0, host_paths,
	 "mounting the paths of the host read-only, or not at all"},
	{"all devices", 0, all_devices, "allowing only the devices that are needed"},
	{"unmasked /proc and /sys", 0, open_proc,
	 "linux.maskedPaths and readonlyPaths as engines set them"},
};

static const char *label(int total)
{
	return total >= 85   ? "fortress"
	       : total >= 70 ? "hardened"
	       : total >= 50 ? "standard"
	       : total >= 30 ? "basic"
			     : "minimal";
}

void policy_score(const struct policy *p, struct arena *a, struct score *ret)
{
	struct ctx c = {p, a};
	struct score s = {.rows = arena_array(a, ARRAY_LEN(rows), sizeof(*s.rows))};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *evidence = NULL;
		int points = rows[i].points(&c, &evidence);

		/* A deduction that does not apply says nothing. */
		if (!points && !rows[i].most)
			continue;
		s.rows[s.n++] = (struct score_row){
			.what = rows[i].what,
			.points = points,
			.most = rows[i].points == backend ? points : rows[i].most,
			.evidence = evidence ? evidence : "there is none",
			.hint = points < rows[i].most ? rows[i].hint : NULL,
		};
		s.total += points;
	}
	s.total = s.total < 0 ? 0 : s.total > 100 ? 100 : s.total;
	s.label = label(s.total);
	*ret = s;
}
