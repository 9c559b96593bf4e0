/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `kavach policy BUNDLE` prints: what will be done, in words for an operator who has never seen
 * config.json, and why the strength is what it is. One function per section.
 */
#include <linux/mount.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "policy/facts.h"
#include "policy/page.h"

static void row(struct page *pg, const char *label, const char *text)
{
	page_row(pg, label);
	page_text(pg, text);
	page_end(pg);
}

static void row_value(struct page *pg, const char *label, const char *value)
{
	if (!value)
		return;
	page_row(pg, label);
	page_value(pg, value);
	page_end(pg);
}

/* A row of values; left out when there is none. */
static void row_list(struct page *pg, const char *label, const struct strs *l)
{
	if (!l->n)
		return;
	page_row(pg, label);
	for (size_t i = 0; i < l->n; i++)
		page_value(pg, l->v[i]);
	page_end(pg);
}

/* ---- backend, process ---- */

static void explain_backend(struct page *pg, const struct policy *p)
{
	static const char *const backends[] = {
		[POL_BACKEND_PROCESS] = "process: confined by the host's kernel",
		[POL_BACKEND_VM] = "vm: a microVM with a kernel of its own",
		[POL_BACKEND_SEV] = "sev: a microVM with encrypted memory",
		[POL_BACKEND_SEV_ES] = "sev-es: a microVM with encrypted memory and registers",
		[POL_BACKEND_SEV_SNP] = "sev-snp: a confidential microVM, attested",
	};
	static const char *const presets[] = {
		[0] = NULL,
		[POL_PRESET_MINIMAL] = "minimal: the config as it is",
		[POL_PRESET_BASIC] = "basic: a seccomp filter in any case",
		[POL_PRESET_STRICT] =
			"strict: filter, read-only root, 512 MiB, 1 CPU, 64 processes at most",
	};

	page_head(pg, "Container");
	row(pg, "backend",
	    p->backend < ARRAY_LEN(backends) && backends[p->backend] ? backends[p->backend] : "?");
	if (p->preset && p->preset < ARRAY_LEN(presets))
		row(pg, "preset", presets[p->preset]);
	row_value(pg, "host name", p->hostname);
	row_value(pg, "domain name", p->domainname);
}

static void explain_user(struct page *pg, const struct policy *p)
{
	const struct pol_process *proc = &p->process;

	page_row(pg, "user");
	page_printf(pg, "%u:%u%s", proc->uid, proc->gid, proc->uid ? "" : " (root)");
	if (proc->keep_groups)
		page_text(pg, "and the groups of whoever starts it");
	else if (proc->groups.n)
		page_text(pg, "groups");
	for (size_t i = 0; i < proc->groups.n && !proc->keep_groups; i++)
		page_printf(pg, "%llu", (unsigned long long) proc->groups.v[i]);
	page_end(pg);
}

static void explain_rlimits(struct page *pg, const struct pol_process *p)
{
	for (size_t i = 0; i < p->rlimits.n; i++) {
		const struct pol_rlimit *l = &p->rlimits.v[i];
		const char *name = name_of(rlimit_names, rlimit_names_n, (long) l->resource);

		page_row(pg, i ? "" : "limits");
		page_text(pg, name ? name + strlen("RLIMIT_") : "?");
		if (l->soft == UINT64_MAX)
			page_text(pg, "unlimited");
		else
			page_printf(pg, "%llu", (unsigned long long) l->soft);
		if (l->hard == UINT64_MAX && l->soft != l->hard)
			page_text(pg, "(hard: unlimited)");
		else if (l->soft != l->hard)
			page_printf(pg, "(hard: %llu)", (unsigned long long) l->hard);
		page_end(pg);
	}
}

static void explain_process(struct page *pg, const struct policy *p)
{
	const struct pol_process *proc = &p->process;

	page_head(pg, "Process");
	if (!p->has_process) {
		row(pg, "", "none: the config has no process, the container cannot be started");
		return;
	}
	page_row(pg, "runs");
	for (size_t i = 0; i < proc->args.n; i++)
		page_quoted(pg, proc->args.v[i]);
	page_end(pg);
	row_value(pg, "in", proc->cwd);
	explain_user(pg, p);
	row(pg, "terminal", proc->terminal ? "yes" : "no");
	page_row(pg, "environment");
	page_printf(pg, "%zu variables", proc->env.n);
	page_end(pg);
	row(pg, "privileges",
	    proc->no_new_privs ? "cannot grow (no_new_privs)"
			       : "can grow through set-user-id programs");
	row_value(pg, "AppArmor", proc->apparmor);
	row_value(pg, "SELinux", proc->selinux);
	if (proc->oom_score_adj.set) {
		page_row(pg, "OOM score");
		page_printf(pg, "%+lld", (long long) proc->oom_score_adj.v);
		page_end(pg);
	}
	explain_rlimits(pg, proc);
}

/* ---- namespaces ---- */

static void explain_ns_row(struct page *pg, const struct policy *p, const char *label,
			   enum fact_ns which)
{
	bool any = false;

	for (size_t i = 0; i < ns_names_n; i++) {
		const struct pol_ns *ns;

		if (fact_ns(p, (enum pol_ns_type) ns_names[i].val) != which)
			continue;
		if (!any)
			page_row(pg, label);
		any = true;
		page_text(pg, ns_names[i].name);
		ns = pol_ns_find(p, (enum pol_ns_type) ns_names[i].val);
		if (ns && ns->path) {
			page_value(pg, ns->path);
			page_text(pg, ";");
		}
	}
	if (any)
		page_end(pg);
}

static void explain_map(struct page *pg, const char *label, const pol_idmaps *m)
{
	if (!m->n)
		return;
	page_row(pg, label);
	for (size_t i = 0; i < m->n; i++) {
		const struct pol_idmap *r = &m->v[i];

		if (r->size == 1)
			page_printf(pg, "%llu is %llu of the host",
				    (unsigned long long) r->container,
				    (unsigned long long) r->host);
		else
			page_printf(pg, "%llu-%llu are %llu-%llu of the host",
				    (unsigned long long) r->container,
				    (unsigned long long) (r->container + r->size - 1),
				    (unsigned long long) r->host,
				    (unsigned long long) (r->host + r->size - 1));
		if (i + 1 < m->n)
			page_break(pg);
	}
	page_end(pg);
}

static void explain_network(struct page *pg, const struct policy *p)
{
	row(pg, "network",
	    fact_ns(p, POL_NS_NET) == FACT_NS_HOST
		    ? "the host's: every interface and abstract socket"
	    : fact_ns(p, POL_NS_NET) == FACT_NS_JOINED ? "what is in the joined namespace"
	    : fact_no_network(p)		       ? "a loopback and nothing else"
						       : "a loopback and what the hooks add");
}

static void explain_namespaces(struct page *pg, const struct policy *p)
{
	page_head(pg, "Namespaces");
	explain_ns_row(pg, p, "own", FACT_NS_OWN);
	explain_ns_row(pg, p, "joined", FACT_NS_JOINED);
	explain_ns_row(pg, p, "the host's", FACT_NS_HOST);
	explain_map(pg, "users", &p->uid_map);
	explain_map(pg, "groups", &p->gid_map);
	explain_network(pg, p);
	for (size_t i = 0; i < p->time_offsets.n; i++) {
		const struct pol_time_offset *t = &p->time_offsets.v[i];

		page_row(pg, t->clock == 1 ? "monotonic" : "boottime");
		page_printf(pg, "%+lld s", (long long) t->secs);
		page_end(pg);
	}
	for (size_t i = 0; i < p->sysctl.n; i++) {
		page_row(pg, i ? "" : "sysctl");
		page_value(pg, p->sysctl.v[i].key);
		page_text(pg, "=");
		page_value(pg, p->sysctl.v[i].val);
		page_end(pg);
	}
}

/* ---- file systems ---- */

static const struct name_val attr_words[] = {
	{"ro", MOUNT_ATTR_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC},
	{"nodiratime", MOUNT_ATTR_NODIRATIME},
	{"nosymfollow", 0x00200000},
};
static const struct name_val propagation_words[] = {{"shared", MS_SHARED},
						    {"slave", MS_SLAVE},
						    {"private", MS_PRIVATE},
						    {"unbindable", MS_UNBINDABLE}};
static const struct name_val flag_words[] = {
	{"tmpcopyup", POL_MOUNT_TMPCOPYUP},
	{"copy-symlink", POL_MOUNT_COPY_SYMLINK},
	{"src-nofollow", POL_MOUNT_SRC_NOFOLLOW},
	{"dest-nofollow", POL_MOUNT_DEST_NOFOLLOW},
	{"idmap", POL_MOUNT_IDMAP},
};

static void attrs(struct page *pg, const char *prefix, uint64_t set)
{
	for (size_t i = 0; i < ARRAY_LEN(attr_words); i++)
		if (set & (uint64_t) attr_words[i].val)
			page_printf(pg, "%s%s", prefix, attr_words[i].name);
	if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
		page_printf(pg, "%snoatime", prefix);
	if ((set & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME)
		page_printf(pg, "%sstrictatime", prefix);
}

static void propagation(struct page *pg, uint64_t flags)
{
	const char *name = name_of(propagation_words, ARRAY_LEN(propagation_words),
				   (long) (flags & ~(uint64_t) MS_REC));

	if (name)
		page_printf(pg, "%s%s", flags & MS_REC ? "r" : "", name);
}

static const char *mount_word(const struct pol_mount *m)
{
	switch (m->kind) {
	case POL_MOUNT_BIND: return "bind";
	case POL_MOUNT_RBIND: return "rbind";
	case POL_MOUNT_REMOUNT: return "remount";
	default: return m->type ? m->type : "?";
	}
}

static void explain_mount(struct page *pg, const struct pol_mount *m)
{
	bool bind = m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
	const char *risk = fact_mount_risk(m);

	page_row(pg, NULL);
	pg->indent = 36;
	page_value(pg, m->destination);
	page_to(pg, 26);
	page_value(pg, mount_word(m));
	page_to(pg, 36);
	if (bind && !((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY))
		page_text(pg, "rw");
	attrs(pg, "", m->attr_set);
	attrs(pg, "r", m->rattr_set);
	propagation(pg, m->propagation);
	for (size_t i = 0; i < ARRAY_LEN(flag_words); i++)
		if (m->flags & (uint32_t) flag_words[i].val)
			page_text(pg, flag_words[i].name);
	for (size_t i = 0; i < m->data.n; i++)
		page_value(pg, m->data.v[i]);
	page_end(pg);
	if (!bind)
		return;
	pg->indent = 4;
	page_to(pg, 4);
	page_text(pg, "from");
	page_value(pg, m->source);
	page_end(pg);
	if (risk) {
		page_to(pg, 4);
		page_printf(pg, "DANGER: %s", risk);
		page_end(pg);
	}
}

static void explain_files(struct page *pg, const struct policy *p)
{
	page_head(pg, "Files");
	page_row(pg, "root");
	page_value(pg, p->rootfs);
	page_printf(pg, "(%s)", p->rootfs_readonly ? "read-only" : "writable");
	page_end(pg);
	if (p->rootfs_propagation) {
		page_row(pg, "propagation");
		propagation(pg, p->rootfs_propagation);
		page_end(pg);
	}
	row_list(pg, "hidden", &p->masked);
	row_list(pg, "read-only", &p->readonly);
	if (!p->mounts.n)
		return;
	page_head(pg, "Mounts, in this order");
	for (size_t i = 0; i < p->mounts.n; i++)
		explain_mount(pg, &p->mounts.v[i]);
}

/* ---- devices ---- */

static void device_number(struct page *pg, uint32_t type, int64_t major, int64_t minor)
{
	char num[2][24] = {"*", "*"};

	if (major >= 0)
		snprintf(num[0], sizeof(num[0]), "%lld", (long long) major);
	if (minor >= 0)
		snprintf(num[1], sizeof(num[1]), "%lld", (long long) minor);
	page_printf(pg, "%s %s:%s", type == 'b' || type == S_IFBLK ? "block" : "character", num[0],
		    num[1]);
}

static void explain_rules(struct page *pg, const struct policy *p)
{
	size_t shown = 0, common;

	if (!p->resources.devices.n) {
		row(pg, "may use", "any device that there is a node of (no device rules)");
		return;
	}
	if (fact_devices_open(p)) {
		row(pg, "may use", "ALL devices of the host");
		return;
	}
	/* The last eleven are those that every container has, the first one is "deny all". */
	common = p->resources.devices.n < 12 ? p->resources.devices.n : p->resources.devices.n - 11;
	page_row(pg, "may use");
	page_text(pg, "the default ones, terminals");
	for (size_t i = 1; i < common; i++) {
		const struct pol_device_rule *r = &p->resources.devices.v[i];

		if (r->type == 'a' && !r->allow)
			continue;
		page_break(pg);
		if (++shown > 24) {
			page_printf(pg, "... and %zu rules more", common - i);
			break;
		}
		page_text(pg, r->allow ? "allow" : "deny");
		device_number(pg, r->type, r->major, r->minor);
		page_printf(pg, "%s%s%s", r->access & 1 ? "r" : "", r->access & 2 ? "w" : "",
			    r->access & 4 ? "m" : "");
	}
	page_end(pg);
}

static void explain_devices(struct page *pg, const struct policy *p)
{
	page_head(pg, "Devices");
	page_row(pg, "default");
	for (size_t i = 0; i < p->devices.n; i++)
		if (p->devices.v[i].is_default)
			page_value(pg, p->devices.v[i].path);
	page_end(pg);
	for (size_t i = 0; i < p->devices.n; i++) {
		const struct pol_device *d = &p->devices.v[i];

		if (d->is_default)
			continue;
		page_row(pg, "also");
		page_value(pg, d->path);
		if (d->type == S_IFIFO)
			page_text(pg, "a FIFO");
		else
			device_number(pg, d->type, d->major, d->minor);
		page_printf(pg, "mode %04o of %u:%u", d->mode, d->uid, d->gid);
		page_end(pg);
	}
	explain_rules(pg, p);
}

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

static void explain_caps(struct page *pg, const struct policy *p)
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
		row(pg, "", "(in the container's user namespace only)");
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

static enum verdict verdict(const struct pol_seccomp *s, const char *call)
{
	struct fact_call c = fact_call(s, call);

	return c.conditional ? CONDITIONAL : fact_action_denies(c.action) ? DENIED : ALLOWED;
}

static void explain_calls(struct page *pg, const struct pol_seccomp *s, const char *label,
			  enum verdict want)
{
	bool any = false;

	for (size_t i = 0; fact_calls[i]; i++) {
		if (verdict(s, fact_calls[i]) != want)
			continue;
		if (!any)
			page_row(pg, label);
		any = true;
		page_text(pg, fact_calls[i]);
	}
	if (any)
		page_end(pg);
}

static void explain_seccomp(struct page *pg, const struct policy *p)
{
	const struct pol_seccomp *s = &p->seccomp;

	page_head(pg, "System calls (seccomp)");
	if (!s->set) {
		row(pg, "filter", "none: every system call can be made");
		return;
	}
	page_row(pg, "filter");
	page_printf(pg, "%zu rules for %zu names", s->rules.n, fact_seccomp_names(s));
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
	explain_calls(pg, s, "refuses", DENIED);
	explain_calls(pg, s, "by argument", CONDITIONAL);
	explain_calls(pg, s, "allows", ALLOWED);
	row_value(pg, "agent", s->listener_path);
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
	row_value(pg, "CPUs", r->cpus);
	row_value(pg, "memory nodes", r->mems);
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

static void explain_resources(struct page *pg, const struct policy *p)
{
	const struct pol_resources *r = &p->resources;

	page_head(pg, "Resources");
	if (p->cgroup.manager == POL_CG_DISABLED) {
		row(pg, "", "no control group: nothing is limited or counted");
		return;
	}
	row_value(pg, "cgroup", p->cgroup.path);
	if (no_limits(r))
		row(pg, "", "no limits");
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

static void explain_hooks(struct page *pg, const struct policy *p)
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
			page_row(pg, phases[i]);
			page_to(pg, 18);
			pg->indent = 20;
			page_value(pg, h->path);
			for (size_t k = 1; k < h->args.n; k++)
				page_quoted(pg, h->args.v[k]);
			if (h->timeout)
				page_printf(pg, "(at most %llu s)",
					    (unsigned long long) h->timeout);
			page_end(pg);
		}
}

/* ---- strength ---- */

static void explain_score(struct page *pg, const struct score *s)
{
	bool any = false;

	page_head(pg, "Strength");
	page_row(pg, NULL);
	page_printf(pg, "%d of 100: %s", s->total, s->label);
	page_end(pg);
	for (size_t i = 0; i < s->n; i++) {
		const struct score_row *r = &s->rows[i];
		char points[16];

		/* The base is a figure, the others are added to it; a credit that is not earned is "-". */
		snprintf(points, sizeof(points),
			 i == 0	     ? "%5d"
			 : r->points ? "%+5d"
				     : "    -",
			 r->points);
		page_to(pg, 0);
		page_value(pg, points);
		page_to(pg, 8);
		page_text(pg, r->what);
		page_to(pg, 33);
		pg->indent = 33;
		page_safe(pg, r->evidence);
		page_end(pg);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct score_row *r = &s->rows[i];

		if (!r->hint)
			continue;
		if (!any)
			page_head(pg, "What would raise it");
		any = true;
		pg->indent = 8;
		page_to(pg, r->most - r->points < 10 ? 3 : 2);
		page_printf(pg, "%+d", r->most - r->points);
		page_to(pg, 8);
		page_text(pg, r->hint);
		page_end(pg);
	}
}

void policy_explain(struct buf *b, const struct policy *p, const struct score *s,
		    const char *digest_hex, bool score_only)
{
	struct page pg = {.b = b};

	if (score_only) {
		explain_score(&pg, s);
		return;
	}
	explain_backend(&pg, p);
	if (digest_hex)
		row_value(&pg, "digest", digest_hex);
	explain_process(&pg, p);
	explain_namespaces(&pg, p);
	explain_files(&pg, p);
	explain_devices(&pg, p);
	explain_caps(&pg, p);
	explain_seccomp(&pg, p);
	explain_resources(&pg, p);
	explain_hooks(&pg, p);
	explain_score(&pg, s);
}
