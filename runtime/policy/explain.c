/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `kavach policy BUNDLE` prints: what will be done, in words for an operator who has never seen
 * config.json, and why the strength is what it is. One function per section; the longer sections are in
 * explain_files.c and explain_limits.c.
 */
#include <stdio.h>

#include "policy/explain.h"
#include "policy/host_may.h"
#include "policy/pb.h"

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
			"strict: filter, Landlock, read-only root, no new privileges, 512 MiB, 1 CPU, 64 processes at most",
	};

	page_head(pg, "Container");
	page_line(pg, "backend",
		  p->backend < ARRAY_LEN(backends) && backends[p->backend] ? backends[p->backend]
									   : "?");
	if (p->preset && p->preset < ARRAY_LEN(presets))
		page_line(pg, "preset", presets[p->preset]);
	page_row_value(pg, "host name", p->hostname);
	page_row_value(pg, "domain name", p->domainname);
}

static void explain_user(struct page *pg, const struct policy *p)
{
	const struct pol_process *proc = &p->process;
	uint64_t uid, gid;

	page_row(pg, "user");
	page_printf(pg, "%u:%u%s", proc->uid, proc->gid, proc->uid ? "" : " (root)");
	if (pb_map_id(&p->uid_map, proc->uid, 1, &uid) &&
	    pb_map_id(&p->gid_map, proc->gid, 1, &gid))
		page_printf(pg, "(%llu:%llu of the host)", (unsigned long long) uid,
			    (unsigned long long) gid);
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

static void explain_schedule(struct page *pg, const struct policy *p)
{
	static const char *const policies[] = {"SCHED_OTHER",	"SCHED_FIFO", "SCHED_RR",
					       "SCHED_BATCH",	"?",	      "SCHED_IDLE",
					       "SCHED_DEADLINE"};
	static const char *const classes[] = {"none", "realtime", "best effort", "idle"};
	const struct pol_process *proc = &p->process;

	if (proc->sched.set) {
		page_row(pg, "scheduler");
		page_text(pg, proc->sched.policy < ARRAY_LEN(policies)
				      ? policies[proc->sched.policy]
				      : "?");
		if (proc->sched.priority)
			page_printf(pg, "priority %llu", (unsigned long long) proc->sched.priority);
		if (proc->sched.nice)
			page_printf(pg, "nice %lld", (long long) proc->sched.nice);
		page_end(pg);
	}
	if (proc->ioprio.set) {
		page_row(pg, "I/O priority");
		page_printf(pg, "%s %u", classes[proc->ioprio.v >> 13 & 3],
			    (unsigned) (proc->ioprio.v & 7));
		page_end(pg);
	}
	if (proc->umask.set) {
		page_row(pg, "umask");
		page_printf(pg, "%04o", (unsigned) proc->umask.v);
		page_end(pg);
	}
	if (proc->personality.set)
		page_line(pg, "personality", proc->personality.v ? "32 bits" : "the machine's");
	if (p->mempolicy.set)
		page_row_value(pg, "NUMA nodes", p->mempolicy.nodes ? p->mempolicy.nodes : "local");
}

static void explain_process(struct page *pg, const struct policy *p)
{
	const struct pol_process *proc = &p->process;

	page_head(pg, "Process");
	if (!p->has_process) {
		page_line(pg, "",
			  "none: the config has no process, the container cannot be started");
		return;
	}
	page_row(pg, "runs");
	for (size_t i = 0; i < proc->args.n; i++)
		page_quoted(pg, proc->args.v[i]);
	page_end(pg);
	page_row_value(pg, "in", proc->cwd);
	explain_user(pg, p);
	page_line(pg, "terminal", proc->terminal ? "yes" : "no");
	page_row(pg, "environment");
	page_printf(pg, "%zu variable%s", proc->env.n, proc->env.n == 1 ? "" : "s");
	page_end(pg);
	page_line(pg, "privileges",
		  proc->no_new_privs ? "cannot grow (no_new_privs)"
				     : "can grow through set-user-id programs");
	page_row_value(pg, "AppArmor", proc->apparmor);
	page_row_value(pg, "SELinux", proc->selinux);
	if (proc->oom_score_adj.set) {
		page_row(pg, "OOM score");
		page_printf(pg, "%+lld", (long long) proc->oom_score_adj.v);
		page_end(pg);
	}
	explain_rlimits(pg, proc);
	explain_schedule(pg, p);
}

/* Nothing is the rule for a confidential guest, everything for others. */
static void explain_host_may(struct page *pg, const struct policy *p)
{
	char words[HOST_MAY_TEXT];

	page_row(pg, "the host may");
	if (p->vm.host_may == POL_HOST_ALL)
		page_text(pg, "do in it what it can do in a container");
	else
		page_printf(pg, "end it%s%s, and nothing else in it",
			    p->vm.host_may ? "; also: " : "",
			    p->vm.host_may ? host_may_text(p->vm.host_may, words) : "");
	page_end(pg);
}

static void explain_vm(struct page *pg, const struct policy *p)
{
	if (!p->vm.set)
		return;
	page_head(pg, "Virtual machine");
	if (p->vm.accel)
		page_line(pg, "runs on",
			  p->vm.accel == POL_ACCEL_KVM
				  ? "KVM"
				  : "an emulator (TCG): slow, and no boundary for a hostile guest");
	page_row_value(pg, "machine", p->vm.machine);
	page_row_value(pg, "hypervisor", p->vm.hypervisor);
	page_row_list(pg, "", &p->vm.hypervisor_params);
	page_row_value(pg, "kernel", p->vm.kernel);
	page_row_list(pg, "", &p->vm.kernel_params);
	page_row_value(pg, "initrd", p->vm.initrd);
	page_row_value(pg, "firmware", p->vm.firmware);
	if (p->vm.root == POL_VM_ROOT_PACKED) {
		page_row(pg, "root image");
		if (p->vm.root_hash) {
			page_bytes(pg, p->vm.root_blocks * 4096);
			page_text(pg, "with the root hash");
			page_value(pg, p->vm.root_hash);
		} else {
			page_text(pg, "not packed yet; its root hash will be a part of the digest");
		}
		page_end(pg);
	}
	page_row_value(pg, "virtiofsd", p->vm.virtiofsd);
	if (p->vm.vcpus.set) {
		page_row(pg, "CPUs");
		page_printf(pg, "%llu", (unsigned long long) p->vm.vcpus.v);
		page_end(pg);
	}
	if (p->vm.memory.set) {
		page_row(pg, "memory");
		page_bytes(pg, p->vm.memory.v);
		page_end(pg);
	}
	page_row_value(pg, "broker", p->vm.broker);
	page_row_value(pg, "broker's key", p->vm.broker_key);
	explain_host_may(pg, p);
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
		ns = pol_ns_find(p, (enum pol_ns_type) ns_names[i].val);
		if (!any)
			page_row(pg, label);
		else if (ns && ns->path)
			page_break(pg);
		any = true;
		page_text(pg, ns_names[i].name);
		if (ns && ns->path)
			page_value(pg, ns->path);
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
	page_line(pg, "network",
		  fact_ns(p, POL_NS_NET) == FACT_NS_HOST
			  ? "the host's: every interface and abstract socket"
		  : fact_ns(p, POL_NS_NET) == FACT_NS_JOINED ? "what is in the joined namespace"
		  : fact_no_network(p)			     ? "a loopback and nothing else"
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
		page_to(pg, 34);
		pg->indent = 34;
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
		page_row_value(&pg, "digest", digest_hex);
	explain_vm(&pg, p);
	explain_process(&pg, p);
	explain_namespaces(&pg, p);
	explain_files(&pg, p);
	explain_secrets(&pg, p);
	explain_devices(&pg, p);
	explain_caps(&pg, p);
	explain_seccomp(&pg, p);
	explain_landlock(&pg, p);
	explain_resources(&pg, p);
	explain_hooks(&pg, p);
	explain_score(&pg, s);
}
