/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/vm_root.h"

#include <string.h>

#include "base/str.h"

/* File systems that show or keep what is the kernel's own, and so have to be the guest's. */
static const char *const guest_types[] = {
	"proc",	   "sysfs",  "tmpfs",	"ramfs",     "devpts",	    "devtmpfs",
	"mqueue",  "cgroup", "cgroup2", "hugetlbfs", "securityfs",  "debugfs",
	"tracefs", "bpf",    "pstore",	"configfs",  "binfmt_misc", "fusectl",
};

/* What engines bind over every root: names, and a mark that this is a container. */
static const char *const copied[] = {
	"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv", "/run/.containerenv",
};

bool pol_vm_copied(const char *destination)
{
	for (size_t i = 0; i < ARRAY_LEN(copied); i++)
		if (str_eq0(destination, copied[i]))
			return true;
	return false;
}

static bool is_bind(const struct pol_mount *m)
{
	return m->kind == POL_MOUNT_BIND || m->kind == POL_MOUNT_RBIND;
}

/* The shared memory that an engine has made for this container: a tmpfs of the host's that is called shm. Programs map its
 * files, which no share can do for two kernels, so it becomes a tmpfs of the guest's. */
static bool is_engine_shm(const struct pol_mount *m)
{
	const char *name = m->source ? strrchr(m->source, '/') : NULL;

	return is_bind(m) && name && str_eq(name, "/shm") && str_eq0(m->destination, "/dev/shm");
}

enum pol_vm_from pol_vm_from(const struct policy *p, const struct pol_mount *m)
{
	if (m->kind == POL_MOUNT_CGROUP)
		return POL_VM_FROM_GUEST;
	if (m->kind == POL_MOUNT_REMOUNT)
		return POL_VM_FROM_MOUNTS;
	if (is_engine_shm(m))
		return POL_VM_FROM_SHM;
	for (size_t i = 0; m->kind == POL_MOUNT_FS && i < ARRAY_LEN(guest_types); i++)
		if (str_eq0(m->type, guest_types[i]))
			return POL_VM_FROM_GUEST;
	if (p->vm.root == POL_VM_ROOT_PACKED && is_bind(m) && pol_vm_copied(m->destination))
		return POL_VM_FROM_COPY;
	return POL_VM_FROM_HOST;
}
