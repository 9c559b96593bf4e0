/* SPDX-License-Identifier: Apache-2.0 */
/* The sections about what the process may do and use: capabilities, system calls, resources, hooks. */
#include <inttypes.h>

#include "policy/explain.h"
#include "policy/landlock.h"

/* ---- capabilities ---- */

static void cap_row(struct page *pg, const char *label, uint64_t mask)
{
	page_row(pg, label);
	if (!mask)
		page_text(pg, "none");
	else if (__builtin_popcountll(mask) > 38)
		page_printf(pg, "%s %d", "nearly all:", __builtin_popcountll(mask));
	for (size_t i = 0; i < cap_names_n && __builtin_popcountll(mask) <= 38; i++)
		if (mask >> i & 1)
			page_text(pg, cap_names[i].name + strlen("CAP_"));
	page_end(pg);
}

void explain_caps(struct page *pg, const struct policy *p)
{
	const struct pol_caps *c = &p->process.caps;
	uint64_t all = fact_caps(p);

	if (!p->has_process)
		return;
	page_head(pg, "Capabilities");
	cap_row(pg, "at start", c->effective);
	if (c->permitted != c->effective)
		cap_row(pg, "permitted", c->permitted);
	if (c->bounding != c->permitted)
		cap_row(pg, "at most", c->bounding);
	if (c->inheritable)
		cap_row(pg, "inheritable", c->inheritable);
	if (c->ambient)
		cap_row(pg, "ambient", c->ambient);
	for (size_t i = 0; i < fact_caps_dangerous_n; i++) {
		const struct fact_cap *d = &fact_caps_dangerous[i];

		if (!(all >> d->cap & 1))
			continue;
		page_row(pg, "dangerous");
		page_printf(pg, "%s: %s", cap_names[d->cap].name + strlen("CAP_"), d->why);
		page_end(pg);
	}
	if (all && fact_userns_unprivileged(p))
		page_line(pg, "", "(in the container's user namespace only)");
}

/* ---- seccomp ---- */

static const char *action_words(uint32_t action)
{
	static const char *const words[] = {
		[POL_ACT_KILL_THREAD] = "kill the thread",
		[POL_ACT_KILL_PROCESS] = "kill the process",
		[POL_ACT_TRAP] = "send SIGSYS",
		[POL_ACT_ERRNO] = "refuse with errno",
		[POL_ACT_TRACE] = "ask a tracer",
		[POL_ACT_ALLOW] = "allow",
		[POL_ACT_LOG] = "allow and log",
		[POL_ACT_NOTIFY] = "ask an agent",
	};

	return action < ARRAY_LEN(words) && words[action] ? words[action] : "?";
}

enum verdict { DENIED, CONDITIONAL, ALLOWED };

static enum verdict verdict(const struct policy *p, const char *call)
{
	struct fact_call c = fact_filters_call(p, call);

	return c.conditional ? CONDITIONAL : fact_action_denies(c.action) ? DENIED : ALLOWED;
}

static void explain_calls(struct page *pg, const struct policy *p, const char *label,
			  enum verdict want)
{
	bool any = false;

	for (size_t i = 0; fact_calls[i]; i++) {
		if (verdict(p, fact_calls[i]) != want)
			continue;
		if (!any)
			page_row(pg, label);
		any = true;
		page_text(pg, fact_calls[i]);
	}
	if (any)
		page_end(pg);
}

static void explain_filter(struct page *pg, const struct pol_seccomp *s, const char *label)
{
	page_row(pg, label);
	page_printf(pg, "%zu rule%s for %zu name%s", s->rules.n, s->rules.n == 1 ? "" : "s",
		    fact_seccomp_names(s), fact_seccomp_names(s) == 1 ? "" : "s");
	if (s->source) {
		page_text(pg, "from");
		page_value(pg, s->source);
	}
	page_end(pg);
	page_row(pg, "all others");
	page_text(pg, action_words(s->default_action));
	if (s->default_action == POL_ACT_ERRNO || s->default_action == POL_ACT_TRACE)
		page_printf(pg, "%u", s->default_errno);
	page_end(pg);
	page_row(pg, "for");
	for (size_t i = 0; i < s->archs.n; i++) {
		const char *arch = str_prefix(s->archs.v[i], "SCMP_ARCH_");

		page_text(pg, arch ? arch : s->archs.v[i]);
	}
	page_end(pg);
}

#define RECORDS "what is called (kavach seccomp recorded)"

void explain_seccomp(struct page *pg, const struct policy *p)
{
	page_head(pg, "System calls (seccomp)");
	if (!fact_filtered(p)) {
		page_line(pg, "filter", "none: every system call can be made");
		if (pol_records_calls(p))
			page_line(pg, "records", RECORDS);
		return;
	}
	if (p->seccomp.set)
		explain_filter(pg, &p->seccomp, "filter");
	for (size_t i = 0; i < p->stacked.n; i++)
		explain_filter(pg, &p->stacked.v[i], p->seccomp.set || i ? "and filter" : "filter");
	explain_calls(pg, p, "refuses", DENIED);
	explain_calls(pg, p, "by argument", CONDITIONAL);
	explain_calls(pg, p, "allows", ALLOWED);
	if (pol_reports_denied(p))
		page_line(pg, "reports", "what is denied (kavach seccomp denied)");
	else if (pol_records_calls(p))
		page_line(pg, "records", RECORDS);
	else
		page_row_value(pg, "agent", p->seccomp.listener_path);
}

/* ---- Landlock ---- */

static void explain_ports(struct page *pg, const char *label, const struct u64s *l)
{
	page_row(pg, label);
	if (!l->n)
		page_text(pg, "none");
	for (size_t i = 0; i < l->n; i++)
		page_printf(pg, "%" PRIu64, l->v[i]);
	page_end(pg);
}

void explain_landlock_lists(struct page *pg, const struct policy_landlock *l)
{
	page_row_list(pg, " read", &l->read_only);
	page_row_list(pg, " write", &l->read_write);
	page_row_list(pg, " execute", &l->execute);
	page_row_list(pg, " mounts", &l->mounts);
	if (l->bind_limited)
		explain_ports(pg, " listen", &l->tcp_bind);
	if (l->connect_limited)
		explain_ports(pg, " connect", &l->tcp_connect);
	if (l->scopes & POL_SCOPE_ABSTRACT_UNIX)
		page_line(pg, " scope", "abstract sockets");
	if (l->scopes & POL_SCOPE_SIGNAL)
		page_line(pg, " scope", "signals");
}

static void explain_layer(struct page *pg, const struct policy_landlock *l)
{
	const struct landlock_handled h = landlock_handled(l);

	page_row(pg, "layer");
	if (l->required_abi)
		page_printf(pg, "of ABI %u", l->required_abi);
	else
		page_text(pg, "not enforced: this kernel has no Landlock");
	if (l->source) {
		page_text(pg, "from");
		page_value(pg, l->source);
	}
	page_end(pg);
	if (l->from_mounts)
		page_line(pg, " lists", "as mounted");
	explain_landlock_lists(pg, l);
	if (!l->required_abi)
		return;
	if (l->paths_limited && !(h.fs & LL_FS_TRUNCATE))
		page_line(pg, " not limited", "truncation");
	if ((l->bind_limited && !(h.net & LL_NET_BIND_TCP)) ||
	    (l->connect_limited && !(h.net & LL_NET_CONNECT_TCP)))
		page_line(pg, " not limited", "TCP ports");
	if (h.scopes != l->scopes)
		page_line(pg, " not limited", "what the scopes name");
	if (l->from_mounts && !landlock_walls(l))
		page_line(pg, " not limited", "writing: the root can be written");
}

void explain_landlock(struct page *pg, const struct policy *p)
{
	if (!p->landlock.n)
		return;
	page_head(pg, "Landlock");
	for (size_t i = 0; i < p->landlock.n; i++)
		explain_layer(pg, &p->landlock.v[i]);
}

/* ---- resources ---- */

static void limit_bytes(struct page *pg, const char *label, const struct opt_i64 *v)
{
	if (!v->set)
		return;
	page_row(pg, label);
	if (v->v < 0)
		page_text(pg, "unlimited");
	else
		page_bytes(pg, (uint64_t) v->v);
	page_end(pg);
}

static void limit_cpu(struct page *pg, const struct pol_resources *r)
{
	uint64_t period = r->cpu_period.set ? r->cpu_period.v : 100000;

	if (r->cpu_quota.v > 0) {
		page_row(pg, "CPU time");
		page_printf(
			pg, "%llu.%02llu CPUs",
			(unsigned long long) ((uint64_t) r->cpu_quota.v / period),
			(unsigned long long) ((uint64_t) r->cpu_quota.v % period * 100 / period));
		page_end(pg);
	}
	if (r->cpu_shares.set) {
		page_row(pg, "CPU weight");
		page_printf(pg, "%llu shares (1024 is the usual)",
			    (unsigned long long) r->cpu_shares.v);
		page_end(pg);
	}
	page_row_value(pg, "CPUs", r->cpus);
	page_row_value(pg, "memory nodes", r->mems);
}

static void explain_block_io(struct page *pg, const struct pol_resources *r)
{
	static const char *const words[] = {
		[POL_BLKIO_WEIGHT] = "weight",	       [POL_BLKIO_LEAF_WEIGHT] = "leaf weight",
		[POL_BLKIO_RBPS] = "bytes read per s", [POL_BLKIO_WBPS] = "bytes written per s",
		[POL_BLKIO_RIOPS] = "reads per s",     [POL_BLKIO_WIOPS] = "writes per s",
	};

	if (r->blkio_weight.set) {
		page_row(pg, "I/O weight");
		page_printf(pg, "%llu", (unsigned long long) r->blkio_weight.v);
		page_end(pg);
	}
	for (size_t i = 0; i < r->blkio.n; i++) {
		const struct pol_blkio_dev *d = &r->blkio.v[i];

		page_row(pg, "I/O");
		page_printf(pg, "block %llu:%llu %llu %s", (unsigned long long) d->major,
			    (unsigned long long) d->minor, (unsigned long long) d->value,
			    d->knob < ARRAY_LEN(words) && words[d->knob] ? words[d->knob] : "?");
		page_end(pg);
	}
}

static bool no_limits(const struct pol_resources *r)
{
	return !r->memory.set && !r->memory_reservation.set && !r->memory_swap.set &&
	       !r->cpu_quota.set && !r->cpu_shares.set && !r->cpus && !r->mems && !r->pids.set &&
	       !r->blkio_weight.set && !r->blkio.n && !r->hugepages.n && !r->unified.n &&
	       !r->rdma.n;
}

void explain_resources(struct page *pg, const struct policy *p)
{
	const struct pol_resources *r = &p->resources;

	page_head(pg, "Resources");
	if (p->cgroup.manager == POL_CG_DISABLED) {
		page_line(pg, "", "no control group: nothing is limited or counted");
		return;
	}
	page_row_value(pg, "cgroup", p->cgroup.path);
	if (no_limits(r))
		page_line(pg, "", "no limits");
	limit_bytes(pg, "memory", &r->memory);
	limit_bytes(pg, "with swap", &r->memory_swap);
	limit_bytes(pg, "reserved", &r->memory_reservation);
	limit_cpu(pg, r);
	if (r->pids.set) {
		page_row(pg, "processes");
		if (r->pids.v < 0)
			page_text(pg, "unlimited");
		else
			page_printf(pg, "%lld", (long long) r->pids.v);
		page_end(pg);
	}
	explain_block_io(pg, r);
	for (size_t i = 0; i < r->hugepages.n; i++) {
		page_row(pg, "huge pages");
		page_value(pg, r->hugepages.v[i].size);
		page_text(pg, "pages:");
		page_bytes(pg, r->hugepages.v[i].limit);
		page_end(pg);
	}
	for (size_t i = 0; i < r->unified.n; i++) {
		page_row(pg, "set");
		page_value(pg, r->unified.v[i].key);
		page_text(pg, "=");
		page_value(pg, r->unified.v[i].val);
		page_end(pg);
	}
}

/* ---- hooks ---- */

static void explain_hook(struct page *pg, const char *phase, const struct pol_hook *h)
{
	const char *name = strrchr(h->path, '/') + 1;
	size_t first = h->args.n && (str_eq(h->args.v[0], name) || str_eq(h->args.v[0], h->path));

	page_row(pg, phase);
	page_to(pg, 20);
	pg->indent = 22;
	page_value(pg, h->path);
	/* argv[0] is worth showing when it says more than the path does. */
	for (size_t i = first; i < h->args.n; i++)
		page_quoted(pg, h->args.v[i]);
	if (h->timeout)
		page_printf(pg, "(at most %llu s)", (unsigned long long) h->timeout);
	page_end(pg);
}

void explain_hooks(struct page *pg, const struct policy *p)
{
	static const char *const phases[HOOK_PHASE_MAX] = {
		[HOOK_PRESTART] = "prestart",
		[HOOK_CREATE_RUNTIME] = "createRuntime",
		[HOOK_CREATE_CONTAINER] = "createContainer",
		[HOOK_START_CONTAINER] = "startContainer",
		[HOOK_POSTSTART] = "poststart",
		[HOOK_POSTSTOP] = "poststop",
	};
	bool any = false;

	for (size_t i = 0; i < HOOK_PHASE_MAX; i++)
		for (size_t j = 0; j < p->hooks[i].n; j++) {
			const struct pol_hook *h = &p->hooks[i].v[j];

			if (!any)
				page_head(pg, "Hooks");
			any = true;
			explain_hook(pg, phases[i], h);
		}
}
