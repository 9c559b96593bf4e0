/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a policy (facts.h). Each list says what for. */
#include <linux/mount.h>

#include "base/path.h"
#include "policy/facts.h"

/* ---- namespaces ---- */

enum fact_ns fact_ns(const struct policy *p, enum pol_ns_type t)
{
	const struct pol_ns *ns = pol_ns_find(p, t);

	if (!ns)
		return FACT_NS_HOST;
	if (!ns->path)
		return FACT_NS_OWN;
	if (str_prefix(ns->path, "/proc/1/ns/") || str_prefix(ns->path, "/proc/self/ns/"))
		return FACT_NS_HOST;
	return FACT_NS_JOINED;
}

static bool maps_root(const pol_idmaps *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].host == 0 && m->v[i].size)
			return true;
	return false;
}

bool fact_userns_unprivileged(const struct policy *p)
{
	return fact_ns(p, POL_NS_USER) == FACT_NS_OWN && !maps_root(&p->uid_map) &&
	       !maps_root(&p->gid_map);
}

bool fact_no_network(const struct policy *p)
{
	return fact_ns(p, POL_NS_NET) == FACT_NS_OWN && !p->netdevs.n &&
	       !p->hooks[HOOK_PRESTART].n && !p->hooks[HOOK_CREATE_RUNTIME].n &&
	       !p->hooks[HOOK_CREATE_CONTAINER].n;
}

/* ---- capabilities ---- */

uint64_t fact_caps(const struct policy *p)
{
	const struct pol_caps *c = &p->process.caps;

	return c->bounding | c->permitted | c->effective | c->inheritable | c->ambient;
}

const struct fact_cap fact_caps_dangerous[] = {
	{21, 12, "mounts, namespaces, most of what root can do"}, /* SYS_ADMIN */
	{16, 12, "loads code into the kernel"},			  /* SYS_MODULE */
	{17, 10, "reads and writes memory and I/O ports"},	  /* SYS_RAWIO */
	{2, 6, "opens any file of the host by its handle"},	  /* DAC_READ_SEARCH */
	{19, 4, "reads and changes other processes"},		  /* SYS_PTRACE */
	{22, 4, "reboots, loads another kernel"},		  /* SYS_BOOT */
	{39, 4, "loads BPF programs into the kernel"},		  /* BPF */
	{38, 3, "observes kernel and other processes"},		  /* PERFMON */
	{40, 3, "sets pids, reads map_files of other processes"}, /* CHECKPOINT_RESTORE */
	{33, 3, "changes the rules of the security modules"},	  /* MAC_ADMIN */
	{32, 3, "goes around the security modules"},		  /* MAC_OVERRIDE */
	{12, 2, "changes interfaces, routes, packet filters"},	  /* NET_ADMIN */
	{25, 2, "sets the clock of the host"},			  /* SYS_TIME */
	{34, 1, "reads the kernel's log and addresses"},	  /* SYSLOG */
};
const size_t fact_caps_dangerous_n = ARRAY_LEN(fact_caps_dangerous);

/* ---- seccomp ---- */

const char *const fact_calls[] = {
	"mount",
	"umount2",
	"pivot_root",
	"move_mount",
	"open_tree",
	"fsopen",
	"unshare",
	"setns",
	"clone3",
	"bpf",
	"init_module",
	"finit_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"ptrace",
	"process_vm_writev",
	"pidfd_getfd",
	"open_by_handle_at",
	"keyctl",
	"add_key",
	"io_uring_setup",
	"userfaultfd",
	"perf_event_open",
	"swapon",
	"settimeofday",
	"syslog",
	NULL,
};

bool fact_action_denies(uint32_t action)
{
	/* NOTIFY asks an agent, TRACE a tracer (without one the call fails). */
	return action != POL_ACT_ALLOW && action != POL_ACT_LOG;
}

bool fact_seccomp_default_denies(const struct pol_seccomp *s)
{
	return s->set && fact_action_denies(s->default_action);
}

struct fact_call fact_call(const struct pol_seccomp *s, const char *name)
{
	struct fact_call c = {s->default_action, false};

	for (size_t i = 0; i < s->rules.n; i++) {
		const struct pol_seccomp_rule *r = &s->rules.v[i];

		if (!strs_has(&r->names, name))
			continue;
		if (!r->args.n)
			return (struct fact_call){r->action, false};
		c.conditional = true;
	}
	return c;
}

bool fact_filtered(const struct policy *p)
{
	return p->seccomp.set || p->stacked.n;
}

bool fact_filters_deny(const struct policy *p)
{
	bool denies = fact_seccomp_default_denies(&p->seccomp);

	for (size_t i = 0; i < p->stacked.n; i++)
		denies |= fact_seccomp_default_denies(&p->stacked.v[i]);
	return denies;
}

struct fact_call fact_filters_call(const struct policy *p, const char *name)
{
	struct fact_call ret = {POL_ACT_ALLOW, false};

	for (size_t i = 0; i <= p->stacked.n; i++) {
		const struct pol_seccomp *s = i < p->stacked.n ? &p->stacked.v[i] : &p->seccomp;
		struct fact_call c;

		if (!s->set)
			continue;
		c = fact_call(s, name);
		if (!c.conditional && fact_action_denies(c.action))
			return c;
		ret.conditional |= c.conditional;
	}
	return ret;
}

size_t fact_seccomp_names(const struct pol_seccomp *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->rules.n; i++)
		n += s->rules.v[i].names.n;
	return n;
}

/* ---- devices ---- */

bool fact_devices_open(const struct policy *p)
{
	bool open = !p->resources.devices.n;

	for (size_t i = 0; i < p->resources.devices.n; i++)
		if (p->resources.devices.v[i].type == 'a')
			open = p->resources.devices.v[i].allow;
	return open;
}

/* ---- mounts ---- */

/* Sockets over which a container can ask a daemon for another container without limits; a read-only mount
 * does not stop connect(2). */
static const char *const sockets[] = {
	"/run/docker.sock",	   "/var/run/docker.sock",	  "/run/containerd/containerd.sock",
	"/run/podman/podman.sock", "/run/crio/crio.sock",	  "/var/run/crio/crio.sock",
	"/run/systemd/private",	   "/run/dbus/system_bus_socket",
};

/* What is the host itself when it can be written. `below`: everything in it as well. */
static const struct {
	const char *path;
	bool below;
} sensitive[] = {
	{"/etc", true},
	{"/boot", true},
	{"/usr", true},
	{"/bin", true},
	{"/sbin", true},
	{"/lib", true},
	{"/lib64", true},
	{"/root", true},
	{"/proc", true},
	{"/sys", true},
	{"/dev", false},
	{"/run", false},
	{"/var", false},
	{"/var/lib", false},
	{"/home", false},
	{"/var/lib/docker", false},
	{"/var/lib/containers", false},
	{"/var/lib/containerd", false},
	{"/var/lib/kubelet", false},
	{"/run/containerd", false},
	{"/run/systemd", false},
};

const char *fact_mount_risk(const struct pol_mount *m)
{
	if ((m->kind != POL_MOUNT_BIND && m->kind != POL_MOUNT_RBIND) || !m->source)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		if (str_eq(m->source, sockets[i]))
			return "commands a daemon of the host";
	if ((m->attr_set | m->rattr_set) & MOUNT_ATTR_RDONLY)
		return NULL;
	if (str_eq(m->source, "/"))
		return "all of the host can be written";
	for (size_t i = 0; i < ARRAY_LEN(sensitive); i++)
		if (str_eq(m->source, sensitive[i].path) ||
		    (sensitive[i].below && path_below(m->source, sensitive[i].path)))
			return "files of the host can be written";
	return NULL;
}

/* ---- /proc and /sys ---- */

static const struct {
	const char *path;
	bool hide; /* reading is too much already */
} guarded[] = {
	{"/proc/kcore", true},		{"/proc/keys", true},	 {"/proc/timer_list", true},
	{"/proc/sysrq-trigger", false}, {"/proc/sys", false},	 {"/proc/irq", false},
	{"/proc/bus", false},		{"/sys/firmware", true},
};

static bool covered(const struct strs *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (path_below(path, l->v[i]))
			return true;
	return false;
}

/* Whether something is mounted there at all: /proc and /sys are the config's. */
static bool shown(const struct policy *p, const char *path)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (!str_eq(p->mounts.v[i].destination, "/") &&
		    path_below(path, p->mounts.v[i].destination))
			return true;
	return false;
}

const char *fact_proc_open(const struct policy *p, size_t i)
{
	for (size_t j = 0; j < ARRAY_LEN(guarded); j++) {
		const char *path = guarded[j].path;

		if (!shown(p, path) || covered(&p->masked, path) ||
		    (!guarded[j].hide && covered(&p->readonly, path)))
			continue;
		if (i-- == 0)
			return path;
	}
	return NULL;
}
