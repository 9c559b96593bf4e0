/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of the policy -> what spawn.c creates and joins. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "policy/names.h"
#include "process/process.h"

const uint64_t ns_flags[POL_NS_MAX] = {
	[POL_NS_USER] = CLONE_NEWUSER,	   [POL_NS_PID] = CLONE_NEWPID,
	[POL_NS_NET] = CLONE_NEWNET,	   [POL_NS_MNT] = CLONE_NEWNS,
	[POL_NS_IPC] = CLONE_NEWIPC,	   [POL_NS_UTS] = CLONE_NEWUTS,
	[POL_NS_CGROUP] = CLONE_NEWCGROUP, [POL_NS_TIME] = CLONE_NEWTIME,
};

static const char *type_name(uint32_t type)
{
	return name_of(ns_names, ns_names_n, type);
}

static const char *flag_name(uint64_t flag)
{
	for (uint32_t t = 0; t < POL_NS_MAX; t++)
		if (ns_flags[t] == flag)
			return type_name(t);
	return NULL;
}

/* A file of another kind must be an error, not a surprise (S-30). */
static int ns_open(const struct pol_ns *n, struct err *e)
{
	fd_auto int fd = open(n->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *is;
	int type;

	if (fd < 0)
		return err_sys(e, "linux.namespaces: opening the %s namespace %s",
			       type_name(n->type), n->path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_set(e, -EINVAL,
			       "linux.namespaces: %s is not a namespace, expected a %s one",
			       n->path, type_name(n->type));
	if ((uint64_t) type == ns_flags[n->type])
		return fd_take(&fd);
	is = flag_name((uint64_t) type);
	return err_set(e, -EINVAL, "linux.namespaces: %s is a %s namespace, expected a %s one",
		       n->path, is ? is : "different", type_name(n->type));
}

int ns_prepare(const struct policy *p, struct spawn *s, struct err *e)
{
	/* sorted by type, and the user namespace is the first: it must be joined before the others */
	for (size_t i = 0; i < p->ns.n; i++) {
		const struct pol_ns *n = &p->ns.v[i];
		int fd;

		if (!n->path) {
			if (n->type == POL_NS_TIME && p->time_offsets.n)
				s->time_offsets = p; /* entered by being a child, see spawn.c */
			else if (n->type != POL_NS_CGROUP)
				s->create |= ns_flags[n->type];
			continue;
		}
		fd = ns_open(n, e);
		if (fd < 0)
			return fd;
		s->join[s->n_joins++] = (struct ns_join){.fd = fd, .flag = ns_flags[n->type]};
	}
	return 0;
}

void ns_close(struct spawn *s)
{
	for (size_t i = 0; i < s->n_joins; i++)
		fd_close(s->join[i].fd);
	s->n_joins = 0;
}

bool ns_setgroups_denied(pid_t pid)
{
	char path[48], text[16];

	snprintf(path, sizeof(path), "/proc/%d/setgroups", (int) pid);
	return io_read_small(AT_FDCWD, path, text, sizeof(text)) >= 0 && str_eq(text, "deny");
}
