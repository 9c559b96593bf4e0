/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container in a VM. What the bundle and the site want the VM to be is put together here and sealed; what a VM cannot do
 * is refused, with its place in the config, rather than left out: the guest shares no kernel with the host, so whatever is
 * the host's (its namespaces, its devices, its network interfaces) cannot be in it.
 *
 * Which program runs on the host, and what it boots, is the site's choice: a path in the bundle counts only when
 * the site's rules list it. A disk image as a root is refused always: its formats are for a hypervisor to read, the root is
 * root.path.
 */
#include <assert.h>
#include <sys/mount.h>

#include "policy/host_may.h"
#include "policy/pb.h"
#include "policy/vm_root.h"

/* Ids that QEMU runs as where the site names none: above what systemd gives to containers (1879048191) and below what it keeps
 * from 2147352576 on; not in any distribution's /etc/subuid. See systemd's UIDS-GIDS. */
#define UID_FIRST 1879048192u
#define UID_COUNT (1u << 24)

static bool is_vm(const struct pb *b)
{
	return b->p->backend >= POL_BACKEND_VM;
}

/* ---- what it is made of ---- */

/* Passing devices of the host through to the guest is Xen's, and nothing here can do it. */
static int check_hw(struct pb *b, const struct spec_vm_hw *hw, struct err *e)
{
	const char *what = !hw		    ? NULL
			   : hw->deviceTree ? "deviceTree"
			   : hw->dtdevs.n   ? "dtdevs"
			   : hw->iomems.n   ? "iomems"
			   : hw->irqs.n	    ? "irqs"
					    : NULL;

	return what ? pb_refuse(b, e, "vm.hwConfig.%s: not supported", what) : 0;
}

/* A path of the bundle: what the site lists (which p_rules.c judges), or has as its default. */
static int choose(struct pb *b, enum rules_vm_kind kind, const char *place, const char *list,
		  char *path, char **ret, struct err *e)
{
	const struct rules_vm *r = b->rules ? &b->rules->vm : NULL;

	if (path[0] != '/')
		return pb_refuse(b, e, "%s: expected an absolute path, found \"%s\"", place, path);
	if (!r || (!r->allowed[kind].set && !str_eq0(r->file[kind], path)))
		return pb_refuse(b, e,
				 "%s: %s is not one that the site's rules allow (vm.%s of rules.d)",
				 place, path, list);
	*ret = path;
	return 0;
}

/* Whether a path is one of the installed guest image: naming that is naming nothing. */
static bool installed(const struct pb *b, const char *path)
{
	const char *rest = b->in->guest_dir ? str_prefix(path, b->in->guest_dir) : NULL;

	return rest && rest[0] == '/' && !strstr(rest, "/..");
}

static int words(struct pb *b, const char *place, const char *list, const struct strs *want,
		 const struct strs *allowed, struct err *e)
{
	for (size_t i = 0; i < want->n; i++) {
		if (allowed && strs_has(allowed, want->v[i]))
			continue;
		return pb_refuse(
			b, e,
			"%s[%zu]: \"%s\" is not one that the site's rules allow (vm.%s of rules.d)",
			place, i, want->v[i], list);
	}
	/* The kernel splits its command line at blanks. */
	return 0;
}

static int kernel(struct pb *b, const struct spec_vm_kernel *s, struct err *e)
{
	struct pol_vm *p = &b->p->vm;
	char *initrd = pb_given(s->initrd);
	int r = 0;

	if (str_empty(s->path))
		return pb_refuse(b, e, "vm.kernel.path: an absolute path is required in vm");
	if (!installed(b, s->path)) {
		r = choose(b, RULES_VM_KERNEL, "vm.kernel.path", "kernels", s->path, &p->kernel, e);
		/* A kernel with another's modules is a mix that nobody has tried. */
		if (r == 0 && !initrd)
			return pb_refuse(b, e,
					 "vm.kernel.initrd: required with a kernel of one's own: "
					 "it holds the agent and that kernel's modules");
	}
	if (r == 0 && initrd && !installed(b, initrd))
		r = choose(b, RULES_VM_INITRD, "vm.kernel.initrd", "initrds", initrd, &p->initrd,
			   e);
	if (r == 0)
		r = words(b, "vm.kernel.parameters", "kernelParameters", &s->parameters,
			  b->rules ? &b->rules->vm.kernel_params : NULL, e);
	if (r == 0)
		p->kernel_params = s->parameters;
	return r;
}

static int hypervisor(struct pb *b, const struct spec_vm_program *s, struct err *e)
{
	struct pol_vm *p = &b->p->vm;
	int r;

	if (!s)
		return 0;
	if (str_empty(s->path))
		return pb_refuse(b, e, "vm.hypervisor.path: an absolute path is required");
	r = choose(b, RULES_VM_HYPERVISOR, "vm.hypervisor.path", "hypervisors", s->path,
		   &p->hypervisor, e);
	if (r == 0)
		r = words(b, "vm.hypervisor.parameters", "hypervisorParameters", &s->parameters,
			  b->rules ? &b->rules->vm.hypervisor_params : NULL, e);
	if (r == 0)
		p->hypervisor_params = s->parameters;
	return r;
}

static int of_bundle(struct pb *b, const struct spec_vm *s, struct err *e)
{
	struct pol_vm *p = &b->p->vm;
	int r = check_hw(b, s->hwConfig, e);

	if (r == 0)
		r = hypervisor(b, s->hypervisor, e);
	if (r == 0 && s->kernel)
		r = kernel(b, s->kernel, e);
	if (r < 0)
		return r;
	if (s->image)
		return pb_refuse(b, e,
				 "vm.image: a disk image is not supported as the root, which is "
				 "root.path");
	if (s->hwConfig) {
		p->vcpus = s->hwConfig->vcpus;
		p->memory = s->hwConfig->memory;
	}
	return 0;
}

static void of_site(struct pb *b, const struct rules_vm *r)
{
	struct pol_vm *p = &b->p->vm;
	char **files[] = {
		[RULES_VM_HYPERVISOR] = &p->hypervisor, [RULES_VM_KERNEL] = &p->kernel,
		[RULES_VM_INITRD] = &p->initrd,		[RULES_VM_FIRMWARE] = &p->firmware,
		[RULES_VM_VIRTIOFSD] = &p->virtiofsd,
	};
	size_t n = 0;

	_Static_assert(RULES_VM_HYPERVISOR == (int) POL_VM_HYPERVISOR &&
			       RULES_VM_VIRTIOFSD == (int) POL_VM_VIRTIOFSD,
		       "the same kinds");
	for (size_t k = 0; k < RULES_VM_KIND_MAX; k++)
		n += r->allowed[k].n;
	p->files.v = arena_array(b->a, n, sizeof(*p->files.v));
	for (size_t k = 0; k < RULES_VM_KIND_MAX; k++) {
		const struct rules_files *l = &r->allowed[k];

		if (!*files[k] && r->file[k])
			*files[k] = arena_strdup(b->a, r->file[k]);
		p->limited |= l->set ? 1u << k : 0;
		for (size_t i = 0; i < l->n; i++)
			p->files.v[p->files.n++] = (struct pol_vm_file){(uint32_t) k, l->v[i].path,
									l->v[i].sha256};
	}
	if (r->machine)
		p->machine = arena_strdup(b->a, r->machine);
	if (r->share)
		p->share = str_eq(r->share, "9p") ? POL_SHARE_9P : POL_SHARE_VIRTIOFS;
	if (!p->vcpus.set)
		p->vcpus = r->vcpus;
	if (!p->memory.set)
		p->memory = r->memory;
	p->max_vcpus = r->max_vcpus;
	p->max_memory = r->max_memory;
	if (r->uid_first.set) {
		p->uid_first = (uint32_t) r->uid_first.v;
		p->uid_count = (uint32_t) r->uid_count.v;
	}
}

/* The container that keeps the namespaces of a pod and does nothing else, by what containerd and CRI-O (and podman) say of
 * it. Its pod's network is for the one whose program uses it: an interface leads to one VM only. */
static bool is_sandbox(const struct pb *b)
{
	static const char *const names[] = {"io.kubernetes.cri.container-type",
					    "io.kubernetes.cri-o.ContainerType"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq0(pb_annotation(b, names[i]), "sandbox"))
			return true;
	return false;
}

/* What only a confidential guest has. */
static int guest_policy(struct pb *b, struct err *e)
{
	const char *text = pb_annotation(b, "io.kavach.guest-policy");
	struct pol_vm *p = &b->p->vm;

	if (b->p->backend < POL_BACKEND_SEV)
		return !text ? 0
			     : pb_refuse(b, e,
					 "annotations[\"io.kavach.guest-policy\"]: only a "
					 "confidential VM has one");
	if (text)
		p->guest_policy = arena_strdup(b->a, text);
	if (b->rules) {
		p->policy_set = b->rules->attest.policy_set.v;
		p->policy_clear = b->rules->attest.policy_clear.v;
	}
	return 0;
}

/* ---- its root ---- */

static const struct name_val roots[] = {{"shared", POL_VM_ROOT_SHARED},
					{"packed", POL_VM_ROOT_PACKED}};

/* What the host can change at any time is nothing that a confidential guest could run. */
static int choose_root(struct pb *b, struct err *e)
{
	const char *asked = pb_annotation(b, POL_ROOT_ANNOTATION),
		   *site = b->rules ? b->rules->vm.root : NULL;
	bool confidential = b->p->backend >= POL_BACKEND_SEV;
	const char *word = asked ? asked : site ? site : confidential ? "packed" : "shared";
	struct pol_vm *p = &b->p->vm;
	long kind;
	int r = PB_WORD(b, roots, word, &kind, e, "annotations[\"" POL_ROOT_ANNOTATION "\"]");

	if (r < 0)
		return r;
	if (asked && site && !str_eq(asked, site))
		return pb_refuse(b, e,
				 "annotations[\"" POL_ROOT_ANNOTATION "\"]: \"%s\" is not what the "
				 "site's rules want roots to be (vm.root of rules.d): \"%s\"",
				 asked, site);
	if (confidential && kind != POL_VM_ROOT_PACKED)
		return asked ? pb_refuse(b, e,
					 "annotations[\"" POL_ROOT_ANNOTATION
					 "\"]: the root of a confidential VM cannot be shared with "
					 "the host")
			     : pb_refuse(
				       b, e,
				       "the site's rules: vm.root is \"shared\", and the root of a "
				       "confidential VM cannot be shared with the host");
	p->root = (uint32_t) kind;
	return 0;
}

const struct policy *policy_with_root(const struct policy *p, const struct policy_root *root,
				      struct arena *a)
{
	struct policy *ret = arena_memdup(a, p, sizeof(*p));

	assert(p->vm.root == POL_VM_ROOT_PACKED);
	ret->vm.root_hash = arena_strdup(a, root->hash);
	ret->vm.root_salt = arena_strdup(a, root->salt);
	ret->vm.root_blocks = root->blocks;
	return ret;
}

/* In a confidential guest the host may do nothing that the bundle does not ask for; elsewhere it is its guest. */
static int host_may_of(struct pb *b, struct err *e)
{
	const char *text = pb_annotation(b, HOST_MAY_ANNOTATION), *word = NULL;
	bool confidential = b->p->backend >= POL_BACKEND_SEV;
	uint32_t *may = &b->p->vm.host_may;
	const struct rules_vm *r = b->rules ? &b->rules->vm : NULL;

	*may = confidential ? 0 : POL_HOST_ALL;
	if (text && host_may_parse(text, b->a, may, &word) < 0)
		return pb_refuse(b, e,
				 "annotations[\"" HOST_MAY_ANNOTATION
				 "\"]: expected \"exec\", \"update\", \"signal\", \"stats\" with "
				 "commas between, \"all\" or \"none\", found \"%s\"",
				 word);
	if (!confidential || !r || !r->host_may.set)
		return 0;
	for (size_t i = 0; i < HOST_MAY_NAMES_N; i++)
		if (*may & (uint32_t) host_may_names[i].val & ~(uint32_t) r->host_may.v)
			return pb_refuse(b, e,
					 "annotations[\"" HOST_MAY_ANNOTATION
					 "\"]: \"%s\" is more than the site's rules allow "
					 "(rules file %s: %s)",
					 host_may_names[i].name, r->host_may_at.file,
					 r->host_may_at.key);
	return 0;
}

int pb_vm(struct pb *b, struct err *e)
{
	struct pol_vm *p = &b->p->vm;
	int r;

	if (!is_vm(b) && pb_annotation(b, POL_ROOT_ANNOTATION))
		return pb_refuse(b, e,
				 "annotations[\"" POL_ROOT_ANNOTATION "\"]: only a VM has one");
	if (!is_vm(b) && pb_annotation(b, HOST_MAY_ANNOTATION))
		return pb_refuse(b, e,
				 "annotations[\"" HOST_MAY_ANNOTATION
				 "\"]: only a VM keeps the host out");
	if (!is_vm(b))
		return pb_annotation(b, "io.kavach.guest-policy") ? guest_policy(b, e) : 0;
	p->set = true;
	p->accel = b->h->accel;
	p->uid_first = UID_FIRST;
	p->uid_count = UID_COUNT;
	p->sandbox = is_sandbox(b);
	r = b->s->vm ? of_bundle(b, b->s->vm, e) : 0;
	if (r == 0)
		r = guest_policy(b, e);
	if (r == 0)
		r = choose_root(b, e);
	if (r == 0)
		r = host_may_of(b, e);
	if (r < 0)
		return r;
	if (b->rules)
		of_site(b, &b->rules->vm);
	/* the jail that it runs in has nothing else to run programs from (vm/jail.h) */
	if (p->hypervisor && !str_prefix(p->hypervisor, "/usr/"))
		return pb_refuse(b, e,
				 "vm.hypervisor.path: expected a program below /usr, found %s",
				 p->hypervisor);
	if (p->virtiofsd && !str_prefix(p->virtiofsd, "/usr/"))
		return pb_refuse(b, e,
				 "the site's rules: vm.defaults.virtiofsd: expected a program "
				 "below /usr, found %s",
				 p->virtiofsd);
	if (p->machine && !str_eq(p->machine, "microvm") && !str_eq(p->machine, "q35"))
		return pb_refuse(b, e,
				 "the site's rules: vm.defaults.machine: expected \"microvm\" or "
				 "\"q35\", found \"%s\"",
				 p->machine);
	return 0;
}

/* ---- what it cannot do ---- */

static int namespaces(struct pb *b, struct err *e)
{
	/* Those that the guest has of its own whether the config says so or not: it has nobody to share them with. */
	static const struct {
		enum pol_ns_type type;
		const char *name;
		bool needed; /* without it, it would be the host's */
	} kinds[] = {
		{POL_NS_PID, "pid", true},	  {POL_NS_NET, "network", true},
		{POL_NS_IPC, "ipc", true},	  {POL_NS_UTS, "uts", true},
		{POL_NS_CGROUP, "cgroup", false}, {POL_NS_MNT, "mount", true},
	};

	if (pol_ns_find(b->p, POL_NS_USER))
		return pb_refuse(
			b, e,
			"linux.namespaces: a user namespace is not possible in a VM, whose "
			"users are its own already");
	if (pol_ns_find(b->p, POL_NS_TIME))
		return pb_refuse(
			b, e,
			"linux.namespaces: a time namespace is not possible in a VM, whose "
			"clocks are its own already");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct pol_ns *ns = pol_ns_find(b->p, kinds[i].type);

		if (!ns && kinds[i].needed)
			return pb_refuse(
				b, e,
				"linux.namespaces: \"%s\" is required: a VM cannot have the "
				"host's",
				kinds[i].name);
		/* A network namespace is reached through its interfaces, a UTS namespace by its name, processes are not. The
		 * containers of a pod join these and IPC. */
		if (ns && ns->path && kinds[i].type == POL_NS_IPC)
			pb_warn(b,
				"linux.namespaces: the ipc namespace \"%s\" is not shared: a VM has "
				"its own",
				ns->path);
		else if (ns && ns->path && kinds[i].type != POL_NS_NET &&
			 kinds[i].type != POL_NS_UTS)
			return pb_refuse(
				b, e,
				"linux.namespaces: the %s namespace \"%s\" cannot be joined "
				"from a VM",
				kinds[i].name, ns->path);
	}
	return 0;
}

static int devices(struct pb *b, struct err *e)
{
	for (size_t i = 0; i < b->p->devices.n; i++)
		if (!b->p->devices.v[i].is_default)
			return pb_refuse(
				b, e, "linux.devices: %s: a device of the host cannot be in a VM",
				b->p->devices.v[i].path);
	return 0;
}

static int mounts(struct pb *b, struct err *e)
{
	for (size_t i = 0; i < b->p->mounts.n; i++) {
		const struct pol_mount *m = &b->p->mounts.v[i];

		if ((m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND) &&
		    m->propagation & (MS_SHARED | MS_SLAVE))
			return pb_refuse(
				b, e,
				"mounts: %s: what is mounted later cannot pass between the "
				"host and a VM (shared, slave)",
				m->destination);
		if (b->p->backend >= POL_BACKEND_SEV && pol_vm_from(b->p, m) == POL_VM_FROM_HOST)
			return pb_refuse(
				b, e,
				"mounts: %s: a confidential VM has nothing of the host's, which "
				"could change it at any time; put it into the root, mount a tmpfs, "
				"or give it as a secret (kavach-secrets(7))",
				m->destination);
	}
	if (b->p->rootfs_propagation & (MS_SHARED | MS_SLAVE))
		return pb_refuse(
			b, e,
			"linux.rootfsPropagation: what is mounted later cannot pass between "
			"the host and a VM");
	return 0;
}

static bool notifies(const struct pol_seccomp *s)
{
	bool found = s->set && (s->listener_path || s->default_action == POL_ACT_NOTIFY);

	for (size_t i = 0; s->set && i < s->rules.n; i++)
		found |= s->rules.v[i].action == POL_ACT_NOTIFY;
	return found;
}

int pb_vm_process(struct pb *b, struct pol_process *p, struct err *e)
{
	if (!is_vm(b))
		return 0;
	if (p->keep_groups)
		return pb_refuse(
			b, e,
			"annotations.run.oci.keep_original_groups: the caller's groups are "
			"not those of a VM");
	/* Engines give each container a profile of the host's own accord. It says what a process may do with the host's
	 * kernel; the guest's has no profiles. */
	if (p->apparmor)
		pb_warn(b, "%sapparmorProfile: not applied, there is no AppArmor in the VM",
			b->prefix);
	if (p->selinux)
		pb_warn(b, "%sselinuxLabel: not applied, there is no SELinux in the VM", b->prefix);
	p->apparmor = p->selinux = NULL;
	return 0;
}

int pb_vm_fits(struct pb *b, struct err *e)
{
	struct policy *p = b->p;
	const struct {
		bool given;
		const char *text;
	} rows[] = {
		{b->h->rootless,
		 "vm: only root can start VMs: they need networks, mounts and a jail"},
		{notifies(&p->seccomp),
		 "linux.seccomp: a listener on the host cannot look into a VM (SCMP_ACT_NOTIFY, "
		 "listenerPath)"},
		{p->netdevs.n > 0,
		 "linux.netDevices: an interface of the host cannot move into a VM"},
		{p->rdt.set, "linux.intelRdt: not supported for a VM"},
		{p->mempolicy.set,
		 "linux.memoryPolicy: a VM does not have the host's memory nodes"},
		{p->time_offsets.n > 0, "linux.timeOffsets: a VM has clocks of its own"},
		{p->no_pivot, "--no-pivot: not possible for a VM"},
		{b->in->notify_dir != NULL,
		 "NOTIFY_SOCKET: a socket of the host cannot be reached from a VM"},
	};
	int r;

	if (!is_vm(b))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given)
			return pb_refuse(b, e, "%s", rows[i].text);
	r = namespaces(b, e);
	if (r == 0)
		r = devices(b, e);
	if (r == 0)
		r = mounts(b, e);
	if (r == 0)
		r = pb_vm_process(b, &p->process, e);
	if (r == 0 && p->mount_label) {
		pb_warn(b, "linux.mountLabel: not applied, there is no SELinux in the VM");
		p->mount_label = NULL;
	}
	return r;
}
